//! Rendered rows: what the renderer passes to the writer.

use tokio::sync::OwnedSemaphorePermit;

use crate::{position::Position, stats::Stats, string_column::StringColumn};

/// A chunk's rows as the output gets them.
#[derive(Debug)]
pub(crate) struct Rendered {
    pub(crate) rows: RenderedRows,
    /// The chunk's refused rows, as the rejects file gets them.
    pub(crate) rejects: Vec<u8>,
    pub(crate) stats: Stats,
    /// The input's position after the chunk.
    pub(crate) after: Position,
    /// Whether the chunk ends a row group of a Parquet file.
    pub(crate) ends_group: bool,
    #[expect(dead_code, reason = "it is held until the rows are written")]
    pub(crate) permit: Option<OwnedSemaphorePermit>,
}

/// Rows in the output's layout.
#[derive(Debug)]
pub(crate) enum RenderedRows {
    /// Text, which may be compressed.
    Text(Vec<u8>),
    /// The added columns where the input's are copied, otherwise all columns.
    Columns(Vec<StringColumn>),
}

/// A message to the writer. The channel's end without [`Message::End`] suspends the run.
pub(crate) enum Message {
    /// The next rows.
    Rows(Box<Rendered>),
    /// All rows have been sent: complete the output.
    End,
    /// The input is invalid: discard the rows that were sent.
    Discard,
}
