//! What can go wrong with a file, as sentences: what, and where.

use std::{fmt, io, path::PathBuf};

use indicatif::HumanCount;

/// Why a file was not translated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input.
    #[error("{file}: {fault}")]
    Input {
        /// The file.
        file: String,
        /// What is wrong with it.
        fault: Fault,
    },
    /// The output, or what is written beside it.
    #[error("{file} cannot be written ({cause}){left}")]
    Output {
        /// The file.
        file: String,
        /// What is wrong with it.
        cause: io::Error,
        /// What is left of the run.
        left: Left,
    },
    /// Two of the files are one.
    #[error("{file} cannot be two files at once, input, output and rejects: choose another name", file = file.display())]
    SameFile {
        /// The file.
        file: PathBuf,
    },
    /// The server.
    #[error("{cause}; {output} was not written{left}")]
    Server {
        /// The file that would have been written.
        output: String,
        /// What went wrong.
        cause: client::Error,
        /// What is left of the run.
        left: Left,
    },
    /// The user, or this machine, ended it.
    #[error("stopped; {output} was not written{left}")]
    Stopped {
        /// The file that would have been written.
        output: String,
        /// What is left of the run.
        left: Left,
    },
    /// An earlier run's work would be lost.
    #[error("an earlier run for {output} was stopped after {} rows: go on with --resume, or remove {} to start over", HumanCount(*rows), draft.display())]
    Unfinished {
        /// The file that would be written.
        output: String,
        /// How many rows are done.
        rows: u64,
        /// What it left.
        draft: PathBuf,
    },
    /// An earlier run's work does not fit this one.
    #[error("--resume cannot go on for {output}: {what} than in the run that was stopped; without --resume it starts over")]
    OtherRun {
        /// The file that would be written.
        output: String,
        /// What differs.
        what: &'static str,
    },
    /// What is asked for cannot be done.
    #[error("{0}")]
    Impossible(&'static str),
}

/// What a run leaves that did not come to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left(pub Option<u64>);

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(rows) => write!(f, "; the first {} rows are done and kept: go on with --resume", HumanCount(rows)),
            None => Ok(()),
        }
    }
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
    #[error("it is empty: there is no row to find `{column}` in")]
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
    /// It has no header, and a column is named.
    #[error("without a header there is no column `{column}`: give its number")]
    NoHeader {
        /// The column.
        column: String,
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
    /// A cell is no text, and the output's format holds text alone.
    #[error("row {row}, column `{column}` is not written in UTF-8, and the output's format takes nothing else")]
    NotText {
        /// The row, from 1, without the header.
        row: u64,
        /// The column.
        column: String,
    },
    /// A line is no JSON object.
    #[error("row {row} is not a JSON object with the members that are needed ({cause})")]
    NotAnObject {
        /// The row, from 1.
        row: u64,
        /// What is wrong with it.
        cause: String,
    },
    /// An object has a member that the first has not, and the output has a column a member.
    #[error("row {row} has a member `{member}` that the first row has not, so the output has no column for it")]
    UnknownMember {
        /// The row, from 1.
        row: u64,
        /// The member.
        member: String,
    },
    /// It is no Parquet file, or not all of one.
    #[error("it is not a whole Parquet file ({0}): was it cut off on its way?")]
    NotParquet(String),
    /// A part of a Parquet file is damaged.
    #[error("column `{column}` cannot be read after row {row} ({cause})")]
    Damaged {
        /// The last row that could be read, from 1.
        row: u64,
        /// The column.
        column: String,
        /// What is wrong with it.
        cause: String,
    },
    /// A column of a Parquet file holds no text.
    #[error("column `{column}` does not hold one text a row, but {found}")]
    NoTextColumn {
        /// The column.
        column: String,
        /// What it holds.
        found: String,
    },
}

impl Fault {
    /// Whether the same input may be readable another time.
    pub(super) fn may_pass(&self) -> bool {
        matches!(self, Self::Read(cause) if cause.kind() != io::ErrorKind::InvalidData && cause.kind() != io::ErrorKind::UnexpectedEof)
    }
}
