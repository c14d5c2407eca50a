//! Kernels: the same translation of many ids of one kind and direction at once, in the ways that processors allow.

use std::{fmt, ops::Range};

use super::batched;
#[cfg(target_arch = "x86_64")]
use super::fused;
use crate::{
    crypto::siv::{Key, Mask},
    identity::{
        Domain, Kind,
        id::{LABEL_LEN, MAX_ID_LEN},
    },
};

/// A way to translate many ids at once. All give the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// Blocks of many ids through the crates `aes` and `base64-simd`, on every processor.
    Batched,
    /// Eight ids at a time from text to text, on x86-64 processors with AES-NI and AVX2.
    Avx2,
    /// From text to text in registers, on x86-64 processors with VAES and AVX-512 VBMI.
    Avx512,
}

impl Kernel {
    /// All of them, each faster than those before it.
    pub const ALL: [Self; 3] = [Self::Batched, Self::Avx2, Self::Avx512];

    /// The fastest that this processor can run.
    #[must_use]
    pub fn fastest() -> Self {
        Self::ALL.into_iter().rfind(|kernel| kernel.available()).unwrap_or(Self::Batched)
    }

    /// Whether this processor can run it.
    #[must_use]
    pub fn available(self) -> bool {
        match self {
            Self::Batched => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 | Self::Avx512 => fused::available(self),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 => false,
        }
    }

    /// Translates rows: texts and statuses where the columns keep them. A kernel that this processor cannot run is the batched one.
    pub(super) fn run(self, keys: &Keys<'_>, columns: &mut Columns) {
        #[cfg(target_arch = "x86_64")]
        if fused::run(self, keys, columns) {
            return;
        }
        columns.make_room();
        batched::run(keys, columns);
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Batched => "batched",
            Self::Avx2 => "fused (AES-NI, AVX2)",
            Self::Avx512 => "fused (VAES, AVX-512 VBMI)",
        })
    }
}

/// The keys of one version of a source and of a target, for one kind.
pub(in crate::identity) struct Keys<'a> {
    pub(in crate::identity) source: (&'a Key, Mask),
    pub(in crate::identity) target: (&'a Key, Mask),
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum RowStatus {
    /// Its text is the id in the target's domain.
    Translated,
    /// Its body is not base64url, or its spare bits are not zero.
    Malformed,
    /// Its tag is not of this key.
    TagMismatch,
}

/// Ids of one kind on their way into one domain: bodies in, texts and statuses out, a row an id.
pub(super) struct Columns {
    kind: Kind,
    label: [u8; LABEL_LEN],
    /// Characters of a body as it comes, 43 or 64, and as it is kept, 44 or 64.
    characters: usize,
    stride: usize,
    rows: usize,
    /// The characters after the label, filled up with `A`, which is zero, to whole groups of four. There is room for more rows than there are.
    pub(super) bodies: Vec<u8>,
    /// Rows of [`ROW_BYTES`] characters: the label, then the body.
    pub(super) texts: Vec<u8>,
    pub(super) statuses: Vec<RowStatus>,
}

/// Characters of a row of texts, whatever the kind.
pub(super) const ROW_BYTES: usize = MAX_ID_LEN;

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

    /// Adds the characters after the label of an id of the kind's length.
    #[inline]
    pub(super) fn push(&mut self, body: &[u8]) {
        let from = self.rows * self.stride;
        let Some(slot) = self.bodies.get_mut(from..).and_then(<[u8]>::first_chunk_mut::<64>) else {
            return self.grow_and_push(body);
        };
        // Of known lengths, so that copying takes a few moves and no call.
        if let Ok(body) = <&[u8; 43]>::try_from(body) {
            slot[..43].copy_from_slice(body);
        } else if let Ok(body) = <&[u8; 64]>::try_from(body) {
            slot.copy_from_slice(body);
        }
        self.rows += 1;
    }

    #[cold]
    fn grow_and_push(&mut self, body: &[u8]) {
        let room = (self.bodies.len() * 2).max(64 * 64);
        self.bodies.resize(room, b'A');
        self.push(body);
    }

    /// Makes ready for as many outcomes as there are rows, each text with its label.
    fn make_room(&mut self) {
        self.statuses.clear();
        self.statuses.resize(self.rows, RowStatus::Translated);
        let have = self.texts.len() / ROW_BYTES;
        if self.rows > have {
            self.texts.resize(self.rows * ROW_BYTES, 0);
            for slot in self.texts.as_chunks_mut::<ROW_BYTES>().0.iter_mut().skip(have) {
                slot[..LABEL_LEN].copy_from_slice(&self.label);
            }
        }
    }

    /// Makes ready as [`Self::make_room`] does, with rows of zeros up to a whole number of groups, for kernels that do no less, and characters for
    /// those that read further than a row.
    pub(super) fn pad(&mut self, group: usize, beyond: usize) {
        let (rows, stride) = (self.rows, self.stride);
        self.rows = rows.next_multiple_of(group);
        let room = self.bodies.len().max(self.rows * stride + beyond);
        self.bodies.resize(room, b'A');
        self.bodies[rows * stride..self.rows * stride].fill(b'A');
        self.make_room();
    }

    /// Takes away what was added to the first `rows`.
    pub(super) fn unpad(&mut self, rows: usize) {
        self.rows = rows;
        self.statuses.truncate(rows);
    }

    /// Verdicts and texts of some rows, and how long the texts are.
    pub(super) fn outcomes(&self, rows: Range<usize>) -> (&[RowStatus], &[[u8; ROW_BYTES]], usize) {
        (&self.statuses[rows.clone()], &self.texts.as_chunks().0[rows], LABEL_LEN + self.characters)
    }

    /// The body of a row, without what fills it up.
    pub(super) fn body(&self, row: usize) -> &[u8] {
        &self.bodies[row * self.stride..][..self.characters]
    }

    /// Takes the outcome of a row of other columns of the same kind and domain.
    pub(super) fn copy_row_from(&mut self, row: usize, from: &Self, other: usize) {
        self.statuses[row] = from.statuses[other];
        self.texts[row * ROW_BYTES..][..ROW_BYTES].copy_from_slice(&from.texts[other * ROW_BYTES..][..ROW_BYTES]);
    }

    /// Empties the columns; their room is kept.
    pub(super) fn clear(&mut self) {
        self.rows = 0;
        self.statuses.clear();
    }
}

/// Characters of a body of a tag and `blocks` payload blocks, filled up to whole groups of four.
pub(super) const fn stride(blocks: usize) -> usize {
    ((blocks + 1) * 16).div_ceil(3) * 4
}
