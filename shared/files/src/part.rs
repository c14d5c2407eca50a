//! Some of a file's rows: what is translated together.

use shared::identity::Domain;
use tokio::sync::OwnedSemaphorePermit;

use super::weight;
use client::Ids;

/// Wide rows and blank ids fill a part too.
const MAX_TEXT_BYTES: usize = 4 << 20;
const MAX_ROWS: usize = 1 << 18;

/// Some rows, in order, with the ids among them.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// The rows as they are in the file, where it is a file of text.
    pub(super) text: Vec<u8>,
    pub(super) rows: Vec<Row>,
    pub(super) ids: Ids,
    /// The number of its first row, from 1.
    pub(super) first: u64,
    /// Where the input goes on after it.
    pub(super) after: Place,
    /// Whether a row group of a Parquet file ends with it.
    pub(super) ends_group: bool,
    /// Its share of the memory.
    pub(super) room: Option<OwnedSemaphorePermit>,
    weight: usize,
}

/// How far an input has been read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Place {
    /// Bytes of text, or row groups of a Parquet file.
    pub(super) offset: u64,
    /// Lines of text.
    pub(super) lines: u64,
    pub(super) rows: u64,
}

/// One row; it starts where the one before it ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// Where in the text the new columns belong.
    pub(super) insert: usize,
    /// Where it ends in the text, with all that belongs to it.
    pub(super) end: usize,
    pub(super) asks: Asks,
}

/// What a row asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    /// That its id be translated.
    Translation,
    /// Nothing: its id is blank.
    Blank,
    /// That its id be translated into something that is no domain.
    NoDomain,
    /// An empty line between the rows: it is no row.
    NoRow,
}

impl Part {
    /// A part that goes on where another ended, with room for the ids of a request of this many bytes.
    pub(super) fn after(place: Place, request_bytes: usize) -> Self {
        let room = request_bytes / weight::REFUSAL;
        Self { first: place.rows + 1, rows: Vec::with_capacity(room), ids: Ids::with_capacity(room), ..Self::default() }
    }

    /// Whether another row may not fit a request of this many bytes any more.
    pub(super) fn is_full(&self, request_bytes: usize, text_bytes: usize) -> bool {
        self.weight + weight::MAX > request_bytes || text_bytes >= MAX_TEXT_BYTES || self.rows.len() >= MAX_ROWS
    }

    /// Adds an id, and says what its row asks for: the target is a cell of the row or the same for all of them.
    pub(super) fn push(&mut self, id: &[u8], target: Option<Domain>) -> Asks {
        let plain = weight::is_plain(id);
        if !plain && id.trim_ascii().is_empty() {
            return Asks::Blank;
        }
        let Some(target) = target else { return Asks::NoDomain };
        if plain {
            self.weight += weight::REFUSAL;
            self.ids.push_plain(id, target);
        } else {
            let id = weight::sendable(id);
            self.weight += weight::of(&id);
            self.ids.push(&id, target);
        }
        Asks::Translation
    }
}

/// The domain that a cell names.
pub(super) fn domain(cell: &[u8]) -> Option<Domain> {
    Domain::from_bytes(cell.trim_ascii().try_into().ok()?).ok()
}
