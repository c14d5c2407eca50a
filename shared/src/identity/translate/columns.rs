//! Columns: the pending ids of one kind on their way into one domain, in the layout of the kernels.

use std::ops::Range;

use crate::identity::{
    domain::Domain,
    id::{Kind, LABEL_LEN, MAX_ID_LEN},
};

/// Bytes of a row of texts, for every kind.
pub(super) const ROW_BYTES: usize = MAX_ID_LEN;

/// The outcome of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum RowStatus {
    /// The row's text is the id in the target domain.
    Translated,
    /// The body is not base64url, or its spare bits are not zero.
    Malformed,
    /// The tag does not authenticate under the key.
    TagMismatch,
}

/// Ids of one kind on their way into one domain: bodies in, texts and statuses out, one row per id.
pub(super) struct Columns {
    kind: Kind,
    label: [u8; LABEL_LEN],
    /// Characters of a body: 43 or 64.
    characters: usize,
    /// Bytes of a row of bodies: 44 or 64.
    stride: usize,
    rows: usize,
    /// The characters after the label, padded with `A` (the value zero) to whole groups of four.
    /// The buffer may be longer than the rows.
    pub(super) bodies: Vec<u8>,
    /// Rows of [`ROW_BYTES`]: the label, then the body.
    pub(super) texts: Vec<u8>,
    pub(super) statuses: Vec<RowStatus>,
}

impl Columns {
    pub(super) fn new(kind: Kind, to: Domain) -> Self {
        Self {
            kind,
            label: kind.label(to),
            characters: kind.text_len() - LABEL_LEN,
            stride: stride(kind.payload_len() / 16),
            rows: 0,
            bodies: Vec::new(),
            texts: Vec::new(),
            statuses: Vec::new(),
        }
    }

    pub(super) const fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) const fn rows(&self) -> usize {
        self.rows
    }

    /// Appends a body: the characters after the label of an id of the kind's length.
    #[inline]
    pub(super) fn push(&mut self, body: &[u8]) {
        let from = self.rows * self.stride;
        let Some(row) = self.bodies.get_mut(from..).and_then(<[u8]>::first_chunk_mut::<64>) else {
            return self.grow_and_push(body);
        };
        // The lengths are constants, so each copy compiles to a few moves instead of a call.
        if let Ok(body) = <&[u8; 43]>::try_from(body) {
            row[..43].copy_from_slice(body);
        } else if let Ok(body) = <&[u8; 64]>::try_from(body) {
            row.copy_from_slice(body);
        }
        self.rows += 1;
    }

    #[cold]
    fn grow_and_push(&mut self, body: &[u8]) {
        let len = (self.bodies.len() * 2).max(64 * 64);
        self.bodies.resize(len, b'A');
        self.push(body);
    }

    /// Resets the statuses and makes the buffer of texts long enough for all rows, each text with
    /// its label.
    pub(super) fn prepare_outputs(&mut self) {
        self.statuses.clear();
        self.statuses.resize(self.rows, RowStatus::Translated);
        let have = self.texts.len() / ROW_BYTES;
        if self.rows > have {
            self.texts.resize(self.rows * ROW_BYTES, 0);
            for row in self.texts.as_chunks_mut::<ROW_BYTES>().0.iter_mut().skip(have) {
                row[..LABEL_LEN].copy_from_slice(&self.label);
            }
        }
    }

    /// Pads the rows with zero bodies to a multiple of `group`, for kernels that process whole
    /// groups only, and the buffer of bodies with `read_ahead` bytes, for kernels that read past a
    /// row. Then does what [`Self::prepare_outputs`] does.
    pub(super) fn pad(&mut self, group: usize, read_ahead: usize) {
        let (rows, stride) = (self.rows, self.stride);
        self.rows = rows.next_multiple_of(group);
        let len = self.bodies.len().max(self.rows * stride + read_ahead);
        self.bodies.resize(len, b'A');
        self.bodies[rows * stride..self.rows * stride].fill(b'A');
        self.prepare_outputs();
    }

    /// Removes the padding after the first `rows`.
    pub(super) fn unpad(&mut self, rows: usize) {
        self.rows = rows;
        self.statuses.truncate(rows);
    }

    /// The statuses and texts of some rows, and the length of each text.
    pub(super) fn outcomes(&self, rows: Range<usize>) -> (&[RowStatus], &[[u8; ROW_BYTES]], usize) {
        (&self.statuses[rows.clone()], &self.texts.as_chunks().0[rows], LABEL_LEN + self.characters)
    }

    /// The body of a row, without padding.
    pub(super) fn body(&self, row: usize) -> &[u8] {
        &self.bodies[row * self.stride..][..self.characters]
    }

    /// Copies the outcome of a row of other columns of the same kind and domain.
    pub(super) fn copy_row_from(&mut self, row: usize, from: &Self, from_row: usize) {
        self.statuses[row] = from.statuses[from_row];
        self.texts[row * ROW_BYTES..][..ROW_BYTES].copy_from_slice(&from.texts[from_row * ROW_BYTES..][..ROW_BYTES]);
    }

    /// Removes all rows and keeps the buffers.
    pub(super) fn clear(&mut self) {
        self.rows = 0;
        self.statuses.clear();
    }
}

/// Bytes of a row of bodies: a tag and `blocks` payload blocks in base64url, padded to whole groups
/// of four characters.
pub(super) const fn stride(blocks: usize) -> usize {
    ((blocks + 1) * 16).div_ceil(3) * 4
}

/// A row's index, which fits 32 bits: a batch holds at most 250,000 ids.
pub(super) fn row_index(index: usize) -> u32 {
    u32::try_from(index).expect("a batch holds at most 250,000 ids")
}
