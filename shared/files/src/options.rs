//! The options of a translation.

use std::{num::NonZero, path::PathBuf};

use cloud::object::Store;

use crate::{
    column::{self, Column, Target},
    format::{Compression, Format},
    layout::Layout,
    location::Location,
};

/// Default of [`Options::max_request_bytes`] through the API, whose Lambda events are limited to
/// 6 MB.
pub const DEFAULT_API_REQUEST_BYTES: usize = 5_000_000;

/// Default of [`Options::max_request_bytes`] directly to the endpoint, where an id is one line: a
/// quarter of its size in a Lambda event.
pub const DEFAULT_ENDPOINT_REQUEST_BYTES: usize = 8_000_000;

/// The options of a translation.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the rows are read from.
    pub input: Location,
    /// Where the rows are written to.
    pub output: Location,
    /// A local file for a copy of the rows whose ids are refused.
    pub rejects: Option<PathBuf>,
    /// The input's format [default: by the extension, or CSV].
    pub input_format: Option<Format>,
    /// The output's format [default: by the extension, or the input's].
    pub output_format: Option<Format>,
    /// The output's compression [default: by the extension].
    pub compression: Option<Compression>,
    /// The column of the ids. A named one implies that delimited text has a header.
    pub column: Column,
    /// The domain to translate into.
    pub target: Target,
    /// The delimiter of delimited text [default: the format's].
    pub delimiter: Option<u8>,
    /// Maximum number of requests in flight.
    pub in_flight: NonZero<usize>,
    /// Maximum size of a request in bytes, counted as a JSON-escaped Lambda event on either
    /// transport.
    pub max_request_bytes: usize,
    /// Whether to show a progress bar, if standard error is a terminal.
    pub progress: bool,
    /// Whether to resume an earlier, stopped run.
    pub resume: bool,
    /// The S3 client, required if the input or the output is an object.
    pub store: Option<Store>,
}

impl Options {
    /// The input's format: as given, or by the extension, or CSV.
    #[must_use]
    pub fn input_format(&self) -> Format {
        self.input_format.or_else(|| Format::of(self.input.name()?)).unwrap_or(Format::Csv)
    }

    /// The output's format: as given, or by the extension, or the input's.
    #[must_use]
    pub fn output_format(&self) -> Format {
        self.output_format.or_else(|| Format::of(self.output.name()?)).unwrap_or_else(|| self.input_format())
    }

    /// The output's compression; none where Parquet compresses its own pages.
    pub(crate) fn output_compression(&self) -> Compression {
        if self.output_layout() == Layout::Columns { Compression::None } else { self.text_compression() }
    }

    fn text_compression(&self) -> Compression {
        self.compression.unwrap_or_else(|| self.output.name().map_or(Compression::None, Compression::of))
    }

    /// The input's delimiter.
    pub(crate) fn input_delimiter(&self) -> u8 {
        self.delimiter.unwrap_or_else(|| self.input_format().delimiter())
    }

    /// The layout in which the input is read. A Parquet file is read as JSON objects, unless its
    /// columns can be copied into another Parquet file.
    pub(crate) fn input_layout(&self) -> Layout {
        match self.input_format() {
            Format::Csv | Format::Tsv => Layout::Delimited(self.input_delimiter()),
            Format::Parquet if self.output_layout() == Layout::Columns => Layout::Columns,
            Format::JsonLines | Format::Parquet => Layout::JsonLines,
        }
    }

    /// The layout in which the output is written.
    pub(crate) fn output_layout(&self) -> Layout {
        let delimited = |format| matches!(format, Format::Csv | Format::Tsv);
        match self.output_format() {
            Format::Parquet => Layout::Columns,
            Format::JsonLines => Layout::JsonLines,
            same if same == self.input_format() => Layout::Delimited(self.input_delimiter()),
            Format::Csv if !delimited(self.input_format()) => Layout::Delimited(self.delimiter.unwrap_or(b',')),
            other => Layout::Delimited(other.delimiter()),
        }
    }

    /// The names of the added columns.
    pub(crate) fn added_names(&self) -> [String; 2] {
        column::added_names(&self.column, &self.target)
    }

    /// The options that determine the output's bytes. Only a run with the same fingerprint may
    /// resume another.
    pub(crate) fn fingerprint(&self) -> String {
        let formats = (self.input_format(), self.output_format(), self.text_compression(), self.delimiter);
        format!("{:?}", (&self.input, &self.output, &self.rejects, formats, &self.column, &self.target))
    }
}
