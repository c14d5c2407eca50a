//! Errors in the input, with their positions.

use std::io;

/// What is wrong with an input.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// It cannot be read.
    #[error("it cannot be read ({0})")]
    Read(#[from] io::Error),
    /// It is encoded in UTF-16.
    #[error("it is encoded in UTF-16: save it as UTF-8")]
    Utf16,
    /// It has no header or first object.
    #[error("it is empty: there is no row to find `{column}` in")]
    Empty {
        /// The requested column.
        column: String,
    },
    /// It has no column of this name.
    #[error("there is no column `{column}`; the columns are {columns} (another separator? see --delimiter)")]
    ColumnNotFound {
        /// The requested column.
        column: String,
        /// The existing columns.
        columns: String,
    },
    /// Its rows have fewer columns.
    #[error("there is no column {number}: the first row has {columns} (another separator? see --delimiter)")]
    ColumnOutOfRange {
        /// The requested column, from 1.
        number: usize,
        /// The number of columns.
        columns: usize,
    },
    /// A column is given by name, but there is no header.
    #[error("without a header there is no column `{column}`: give its number")]
    NoHeader {
        /// The requested column.
        column: String,
    },
    /// Two columns have the requested name.
    #[error("two columns are named `{column}`: rename one of them")]
    DuplicateColumn {
        /// The name.
        column: String,
    },
    /// A column has the name of an added column.
    #[error("there is already a column `{column}`, which the translation adds: rename or remove it first")]
    ColumnExists {
        /// The name.
        column: String,
    },
    /// A row has more or fewer columns than the first.
    #[error("row {row} (line {line}) has {found} columns where the first row has {expected}")]
    RaggedRow {
        /// The row, from 1, without the header.
        row: u64,
        /// The line in which it starts, from 1.
        line: u64,
        /// The row's number of columns.
        found: usize,
        /// The first row's number of columns.
        expected: usize,
    },
    /// A quoted field is not closed.
    #[error("the row that starts in line {line} opens a quote that nothing closes")]
    UnterminatedQuote {
        /// The line, from 1.
        line: u64,
    },
    /// A row exceeds the limit.
    #[error("the row that starts in line {line} is longer than {max_megabytes} MB: check it for an unclosed quote")]
    RowTooLong {
        /// The line, from 1.
        line: u64,
        /// Maximum length of a row, in megabytes.
        max_megabytes: usize,
    },
    /// A cell is not UTF-8, which the output's format requires.
    #[error("row {row}, column `{column}` is not written in UTF-8, which the output's format requires: save the input as UTF-8")]
    NotUtf8 {
        /// The row, from 1, without the header.
        row: u64,
        /// The column.
        column: String,
    },
    /// A line is not a JSON object, or not one that can be translated.
    #[error("row {row} is not a JSON object with the members that are needed ({cause})")]
    InvalidObject {
        /// The row, from 1.
        row: u64,
        /// What is wrong with it.
        cause: String,
    },
    /// An object has a member that the first object, which gives the output's columns, has not.
    #[error(
        "row {row} has a member `{member}` that the first row has not, so the output has no column for it: \
         add it to the first row, or write JSON lines"
    )]
    UnknownMember {
        /// The row, from 1.
        row: u64,
        /// The member.
        member: String,
    },
    /// It is not a Parquet file, or truncated.
    #[error("it is not a whole Parquet file ({0}): copy it again if it was truncated")]
    InvalidParquet(String),
    /// A column of a Parquet file is corrupt.
    #[error("column `{column}` cannot be read after row {row} ({cause})")]
    CorruptColumn {
        /// The last row that could be read, from 1.
        row: u64,
        /// The column.
        column: String,
        /// What is wrong with it.
        cause: String,
    },
    /// A column of a Parquet file does not hold strings.
    #[error("column `{column}` does not hold one text a row, but {found}")]
    NotAStringColumn {
        /// The column.
        column: String,
        /// What it holds.
        found: String,
    },
}

impl InputError {
    /// Whether reading the same input again may succeed.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::Read(cause) if cause.kind() != io::ErrorKind::InvalidData && cause.kind() != io::ErrorKind::UnexpectedEof)
    }
}
