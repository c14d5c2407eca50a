//! What can go wrong with a file, as sentences: what, and where.

use std::{io, path::PathBuf};

use crate::client;

/// Why a file was not translated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input.
    #[error("{}: {fault}", file.display())]
    Input {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        fault: Fault,
    },
    /// The output.
    #[error("{} cannot be written ({cause})", file.display())]
    Output {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        cause: io::Error,
    },
    /// The output's name is the input's.
    #[error("the result cannot replace {}, which it is made from: choose another --output", file.display())]
    OwnInput {
        /// The file.
        file: PathBuf,
    },
    /// The server.
    #[error("{cause}; {} was not written", output.display())]
    Server {
        /// The file that would have been written.
        output: PathBuf,
        /// What went wrong.
        cause: client::Error,
    },
}

/// What is wrong with an input.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// It cannot be read.
    #[error("it cannot be read ({0})")]
    Read(#[from] io::Error),
    /// It is written in UTF-16.
    #[error("it is written in UTF-16: save it as UTF-8")]
    Utf16,
    /// It has no header.
    #[error("it is empty: there is no header to find `{column}` in")]
    Empty {
        /// The column that was looked for.
        column: String,
    },
    /// Its header does not name the column.
    #[error("there is no column `{column}`; the columns are {columns} (another separator? see --delimiter)")]
    NoColumn {
        /// The column that was looked for.
        column: String,
        /// Those that there are.
        columns: String,
    },
    /// It has fewer columns.
    #[error("there is no column {number}: the first row has {columns} (another separator? see --delimiter)")]
    NoNumber {
        /// The column that was looked for.
        number: usize,
        /// How many there are.
        columns: usize,
    },
    /// Its header names the column twice.
    #[error("two columns are named `{column}`: rename one of them")]
    TwoColumns {
        /// The name.
        column: String,
    },
    /// It has a column that would be added.
    #[error("there is already a column `{column}`, which the translation adds: rename or remove it first")]
    Clash {
        /// The name.
        column: String,
    },
    /// A row has more or fewer columns than the first.
    #[error("row {row} (line {line}) has {found} columns where the first row has {expected}")]
    Ragged {
        /// The row, from 1, without the header.
        row: u64,
        /// The line that it starts in.
        line: u64,
        /// How many columns it has.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A quote is opened and never closed.
    #[error("the row that starts in line {line} opens a quote that nothing closes")]
    OpenQuote {
        /// The line.
        line: u64,
    },
    /// A row is too long to be one.
    #[error("the row that starts in line {line} is longer than {megabytes} MB: is a quote left open there?")]
    LongRow {
        /// The line.
        line: u64,
        /// The longest that is read.
        megabytes: usize,
    },
}
