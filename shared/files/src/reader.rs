//! Reads an input of any format: its schema, then its rows, chunk by chunk.

use std::borrow::Cow;

use crate::{
    chunk::Chunk,
    delimited,
    format::Format,
    input::{self, InputDigest},
    input_error::InputError,
    json_lines,
    layout::Layout,
    options::Options,
    parquet::{self, file::ParquetFile},
    position::Position,
    schema::Schema,
};

/// Reads rows, chunk by chunk.
pub(crate) enum Reader {
    Delimited(delimited::Reader),
    JsonLines(json_lines::Reader),
    Parquet(Box<parquet::reader::Reader>),
}

impl Reader {
    /// Opens the input, reads its schema and selects the columns.
    pub(crate) fn open(options: &Options, digest: &InputDigest) -> Result<(Self, Schema), InputError> {
        let Options { column, target, max_request_bytes, .. } = options;
        let layout = options.input_layout();
        Ok(match options.input_format() {
            Format::Csv | Format::Tsv => {
                let text = input::open_text(options, digest)?;
                let (reader, header) = delimited::Reader::new(text, options.input_delimiter(), column, target, *max_request_bytes)?;
                let names = if header.is_present() { lossy(&header.names) } else { reader.numbered_names() };
                (Self::Delimited(reader), Schema { layout, names, header: Some(header), rows: None, copied: None })
            }
            Format::JsonLines => {
                let text = input::open_text(options, digest)?;
                let (reader, names) = json_lines::Reader::new(text, column, target, *max_request_bytes)?;
                (Self::JsonLines(reader), Schema { layout, names, header: None, rows: None, copied: None })
            }
            Format::Parquet => {
                let file = ParquetFile::open(options, digest)?;
                let reader = parquet::reader::Reader::new(file.clone(), column, target, layout, *max_request_bytes)?;
                let (names, rows) = (file.names(), Some(file.rows()));
                let copied = (layout == Layout::Columns).then_some(file);
                (Self::Parquet(Box::new(reader)), Schema { layout, names, header: None, rows, copied })
            }
        })
    }

    /// Skips to the position at which an earlier run stopped.
    pub(crate) fn skip_to(&mut self, position: Position) -> Result<(), InputError> {
        match self {
            Self::Delimited(reader) => reader.skip_to(position),
            Self::JsonLines(reader) => reader.skip_to(position),
            Self::Parquet(reader) => reader.skip_to(position),
        }
    }

    /// The next rows; `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<Chunk>, InputError> {
        match self {
            Self::Delimited(reader) => reader.next(),
            Self::JsonLines(reader) => reader.next(),
            Self::Parquet(reader) => reader.next(),
        }
    }
}

/// Names as text; bytes that are not UTF-8 are replaced.
fn lossy(names: &[Vec<u8>]) -> Vec<String> {
    names.iter().map(|name| String::from_utf8_lossy(name)).map(Cow::into_owned).collect()
}
