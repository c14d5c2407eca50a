//! The input, whatever its format: its columns, then part after part of its rows.

use super::{
    Fault, Options,
    format::Format,
    input::{self, Reading},
    json_lines, parquet,
    part::{Part, Place},
    render::{Renderer, Shape},
    separated,
};

/// Reads rows, part by part.
pub(super) enum Reader {
    Separated(separated::Reader),
    JsonLines(json_lines::Reader),
    Parquet(Box<parquet::Reader>),
}

/// What is known of an input before its first row.
pub(super) struct Opened {
    pub(super) reader: Reader,
    pub(super) renderer: Renderer,
    /// What stands before the first row in the output, and in the file of bad rows.
    pub(super) head: Vec<u8>,
    pub(super) rejects_head: Vec<u8>,
    /// The Parquet file whose columns are copied into the output.
    pub(super) copied: Option<parquet::Input>,
    /// How many rows there are, where the file says it.
    pub(super) rows: Option<u64>,
}

impl Reader {
    /// Opens the input and finds the columns.
    pub(super) fn open(options: &Options, reading: &Reading) -> Result<Opened, Fault> {
        let Options { column, target, request_bytes, .. } = options;
        let added = options.added();
        let to = options.output_shape();
        let mut opened = match options.input_format() {
            Format::Csv | Format::Tsv => {
                let delimiter = options.input_delimiter();
                let from = Shape::Separated(delimiter);
                let (reader, head) = separated::Reader::new(input::text(options, reading)?, delimiter, column, target, *request_bytes)?;
                let names = if head.names.is_empty() { reader.numbers() } else { super::render::texts(&head.names) };
                let renderer = Renderer::new(from, to, names, added, options);
                let with = |names: &[&str]| if head.names.is_empty() { head.text.clone() } else { head.with(names, delimiter) };
                let own = if head.names.is_empty() { Vec::new() } else { renderer.header() };
                let names = renderer.added.each_ref().map(String::as_str);
                let (head, rejects_head) = (if from == to { with(&names) } else { own }, with(&Renderer::reject_columns()));
                Opened { reader: Self::Separated(reader), renderer, head, rejects_head, copied: None, rows: None }
            }
            Format::JsonLines => {
                let (reader, names) = json_lines::Reader::new(input::text(options, reading)?, column, target, *request_bytes)?;
                let renderer = Renderer::new(Shape::JsonLines, to, names, added, options);
                let head = renderer.header();
                Opened { reader: Self::JsonLines(reader), renderer, head, rejects_head: Vec::new(), copied: None, rows: None }
            }
            Format::Parquet => {
                let file = parquet::Input::open(options, reading)?;
                // Where the columns cannot be copied, the rows are read as objects.
                let from = if to == Shape::Columns { Shape::Columns } else { Shape::JsonLines };
                let reader = parquet::Reader::new(file.clone(), column, target, from, *request_bytes)?;
                let renderer = Renderer::new(from, to, file.names(), added, options);
                let head = renderer.header();
                let rows = Some(file.rows());
                let copied = (to == Shape::Columns).then_some(file);
                let rejects_head = if from == Shape::Columns { Renderer::rejects_header(&column.name()) } else { Vec::new() };
                Opened { reader: Self::Parquet(Box::new(reader)), renderer, head, rejects_head, copied, rows }
            }
        };
        opened.head = super::render::compressed(opened.head, opened.renderer.compression);
        Ok(opened)
    }

    /// Goes on where an earlier run stopped.
    pub(super) fn skip_to(&mut self, place: Place) -> Result<(), Fault> {
        match self {
            Self::Separated(reader) => reader.skip_to(place),
            Self::JsonLines(reader) => reader.skip_to(place),
            Self::Parquet(reader) => reader.skip_to(place),
        }
    }

    /// The next rows; `None` after the last.
    pub(super) fn next(&mut self) -> Result<Option<Part>, Fault> {
        match self {
            Self::Separated(reader) => reader.next(),
            Self::JsonLines(reader) => reader.next(),
            Self::Parquet(reader) => reader.next(),
        }
    }
}
