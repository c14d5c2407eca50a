//! Chunks of rows. The ids of one chunk are translated in one request.

use client::Ids;
use shared::identity::Domain;
use tokio::sync::OwnedSemaphorePermit;

use crate::{position::Position, request_size};

/// Bounds a chunk of wide rows.
const MAX_TEXT_BYTES: usize = 4 << 20;
/// Bounds a chunk of rows with blank ids.
const MAX_ROWS: usize = 1 << 18;

/// Consecutive rows, and the ids among them.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    /// The rows' bytes, except where they are laid out in columns.
    pub(crate) text: Vec<u8>,
    pub(crate) rows: Vec<Row>,
    /// The ids of the rows of kind [`RowKind::Id`], in order.
    pub(crate) ids: Ids,
    /// The number of the first row, from 1.
    pub(crate) first: u64,
    /// The input's position after the last row.
    pub(crate) after: Position,
    /// Whether the last row ends a row group of a Parquet file.
    pub(crate) ends_group: bool,
    /// The chunk's share of the pipeline's memory, released when its rows are written.
    pub(crate) permit: Option<OwnedSemaphorePermit>,
    request_bytes: usize,
}

/// One row. It starts where the row before it ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// The offset in the chunk's text at which the new columns are inserted.
    pub(crate) insert: usize,
    /// The offset in the chunk's text after the row and its line ending.
    pub(crate) end: usize,
    pub(crate) kind: RowKind,
}

/// What a row holds where its id is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowKind {
    /// An id to translate.
    Id,
    /// A blank id, which is not sent.
    Blank,
    /// An id whose target is not a domain, which is refused here.
    InvalidTarget,
    /// An empty line between rows, which is not a row.
    EmptyLine,
}

impl Chunk {
    /// An empty chunk that starts at `position`, with capacity for the ids of a request of at most
    /// `max_request_bytes`.
    pub(crate) fn after(position: Position, max_request_bytes: usize) -> Self {
        let capacity = max_request_bytes / request_size::REFUSAL_BYTES;
        Self { first: position.rows + 1, rows: Vec::with_capacity(capacity), ids: Ids::with_capacity(capacity), ..Self::default() }
    }

    /// Whether one more row may exceed the limits: of the request, of `text_bytes`, or of rows.
    pub(crate) fn is_full(&self, max_request_bytes: usize, text_bytes: usize) -> bool {
        self.request_bytes + request_size::MAX_ID_ENCODED_BYTES > max_request_bytes
            || text_bytes >= MAX_TEXT_BYTES
            || self.rows.len() >= MAX_ROWS
    }

    /// Adds the cell of a row's id and returns the row's kind. `target` is `None` if the target is
    /// not a domain.
    pub(crate) fn push(&mut self, id: &[u8], target: Option<Domain>) -> RowKind {
        let plain = request_size::is_plain(id);
        if !plain && id.trim_ascii().is_empty() {
            return RowKind::Blank;
        }
        let Some(target) = target else { return RowKind::InvalidTarget };
        if plain {
            self.request_bytes += request_size::REFUSAL_BYTES;
            self.ids.push_plain(id, target);
        } else {
            let id = request_size::to_text(id);
            self.request_bytes += request_size::encoded_len(&id);
            self.ids.push(&id, target);
        }
        RowKind::Id
    }
}

/// Parses a target cell; surrounding whitespace is ignored.
pub(crate) fn parse_domain(cell: &[u8]) -> Option<Domain> {
    Domain::from_bytes(cell.trim_ascii().try_into().ok()?).ok()
}
