//! What to translate, and how.

use std::{num::NonZero, path::PathBuf};

use cloud::object::Store;

use super::{
    column::{Column, Target},
    format::{Compression, Format},
    location::Location,
    render::Shape,
};

/// What a request may weigh at most, by default: as the event that a Lambda function gets, which may have 6 MB.
pub const REQUEST_BYTES: usize = 5_000_000;

/// The same straight to the endpoint, which no function stands before: there an id is a line, a quarter of what it weighs in an event.
pub const DIRECT_BYTES: usize = 8_000_000;

/// What to translate, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the rows come from.
    pub input: Location,
    /// Where they go.
    pub output: Location,
    /// The file for the bad rows, beside which they stay in the output.
    pub rejects: Option<PathBuf>,
    /// The input's format, if its name does not say it.
    pub input_format: Option<Format>,
    /// The output's format, if its name does not say it.
    pub output_format: Option<Format>,
    /// The output's compression, if its name does not say it.
    pub compression: Option<Compression>,
    /// The column that holds the ids; a named one says that separated values have a header.
    pub column: Column,
    /// The domains to translate into.
    pub target: Target,
    /// What separates the columns, if not what the format says.
    pub delimiter: Option<u8>,
    /// How many requests may be under way at once.
    pub in_flight: NonZero<usize>,
    /// What a request may weigh at most, as a Lambda event, whether or not it becomes one.
    pub request_bytes: usize,
    /// Whether to show a progress bar, if there is a terminal to show it on.
    pub progress: bool,
    /// Whether to go on with what an earlier run left.
    pub resume: bool,
    /// S3, where the input or the output is an object.
    pub store: Option<Store>,
}

impl Options {
    /// The input's format: what is said, what its name says, or separated values.
    #[must_use]
    pub fn input_format(&self) -> Format {
        self.input_format.or_else(|| Format::of(self.input.name()?)).unwrap_or(Format::Csv)
    }

    /// The output's format: what is said, what its name says, or the input's.
    #[must_use]
    pub fn output_format(&self) -> Format {
        self.output_format.or_else(|| Format::of(self.output.name()?)).unwrap_or_else(|| self.input_format())
    }

    /// The output's compression.
    pub(super) fn compression(&self) -> Compression {
        self.compression.unwrap_or_else(|| self.output.name().map_or(Compression::None, Compression::of))
    }

    /// What separates the input's columns.
    pub(super) fn input_delimiter(&self) -> u8 {
        self.delimiter.unwrap_or_else(|| self.input_format().delimiter())
    }

    /// How the rows are written.
    pub(super) fn output_shape(&self) -> Shape {
        let separated = |format| matches!(format, Format::Csv | Format::Tsv);
        match self.output_format() {
            Format::Parquet => Shape::Columns,
            Format::JsonLines => Shape::JsonLines,
            same if same == self.input_format() => Shape::Separated(self.input_delimiter()),
            Format::Csv if !separated(self.input_format()) => Shape::Separated(self.delimiter.unwrap_or(b',')),
            other => Shape::Separated(other.delimiter()),
        }
    }

    /// The names of the columns that are added.
    pub(super) fn added(&self) -> [String; 2] {
        [self.column.translated(&self.target), super::column::ERROR_CODE.into()]
    }

    /// All that decides what is written.
    pub(super) fn decisive(&self) -> String {
        let formats = (self.input_format(), self.output_format(), self.compression(), self.delimiter);
        format!("{:?}", (&self.input, &self.output, &self.rejects, formats, &self.column, &self.target))
    }
}
