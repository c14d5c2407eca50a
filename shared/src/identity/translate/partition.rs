//! A partition of a batch: the pending ids of one kind in one direction.

use std::{iter, ops::Range, slice};

use super::{
    columns::{Columns, ROW_BYTES, RowStatus, row_index},
    error::IdError,
    kernel::Kernel,
};
use crate::identity::{
    client_keys::DirectionKeys,
    code::Code,
    domain::Domain,
    id::{Kind, LABEL_LEN, Malformed},
    scope::Direction,
};

/// The pending ids of one kind in one direction.
pub(super) struct Partition {
    /// The index of the direction among the batch's.
    route: usize,
    label: [u8; LABEL_LEN],
    /// Characters of an id of the kind.
    length: usize,
    to: Domain,
    columns: Columns,
}

/// How many ids of a partition were translated, and how many of them under a previous key.
pub(super) struct Counts {
    pub(super) translated: u64,
    pub(super) previous: u64,
}

/// The outcomes of a range of a partition's rows.
pub(super) struct PartitionOutcomes<'a> {
    rows: iter::Zip<slice::Iter<'a, RowStatus>, slice::Iter<'a, [u8; ROW_BYTES]>>,
    length: usize,
}

impl PartitionOutcomes<'_> {
    pub(super) fn empty() -> Self {
        Self { rows: [].iter().zip(&[]), length: 0 }
    }
}

impl<'a> Iterator for PartitionOutcomes<'a> {
    type Item = Result<&'a [u8], IdError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (status, text) = self.rows.next()?;
        Some(match status {
            RowStatus::Translated => Ok(&text[..self.length]),
            RowStatus::Malformed => Err(IdError::Malformed(Malformed::Body)),
            RowStatus::TagMismatch => Err(IdError::Code(Code::E002)),
        })
    }
}

impl Partition {
    pub(super) fn new(route: usize, kind: Kind, direction: Direction) -> Self {
        let Direction { from, to } = direction;
        Self { route, label: kind.label(from), length: kind.text_len(), to, columns: Columns::new(kind, to) }
    }

    pub(super) const fn route(&self) -> usize {
        self.route
    }

    pub(super) const fn kind(&self) -> Kind {
        self.columns.kind()
    }

    /// Whether an id of this label and length with this target belongs to the partition.
    #[inline]
    pub(super) fn accepts(&self, label: [u8; LABEL_LEN], length: usize, to: Domain) -> bool {
        self.label == label && self.length == length && self.to == to
    }

    /// Appends the characters after an id's label and returns the row.
    #[inline]
    pub(super) fn push(&mut self, body: &[u8]) -> u32 {
        self.columns.push(body);
        row_index(self.columns.rows() - 1)
    }

    /// Translates all pending ids under the source's current key. Those with a mismatched tag are
    /// translated again under each previous key.
    pub(super) fn translate(&mut self, keys: &DirectionKeys<'_>, kernel: Kernel) -> Counts {
        let kind = self.kind();
        let count = |columns: &Columns| columns.statuses.iter().filter(|status| **status == RowStatus::Translated).count() as u64;
        let mut versions = keys.versions(kind);
        if let Some(keys) = versions.next().filter(|_| self.columns.rows() > 0) {
            kernel.run(&keys, &mut self.columns);
        }
        let current = count(&self.columns);
        for keys in versions {
            let mismatched = |(row, status): (usize, &RowStatus)| (*status == RowStatus::TagMismatch).then_some(row);
            let rows: Vec<usize> = self.columns.statuses.iter().enumerate().filter_map(mismatched).collect();
            if rows.is_empty() {
                break;
            }
            let mut retried = Columns::new(kind, self.to);
            for row in &rows {
                retried.push(self.columns.body(*row));
            }
            kernel.run(&keys, &mut retried);
            for (retried_row, row) in rows.iter().enumerate() {
                self.columns.copy_row_from(*row, &retried, retried_row);
            }
        }
        let translated = count(&self.columns);
        Counts { translated, previous: translated - current }
    }

    /// The outcomes of some rows.
    pub(super) fn outcomes(&self, rows: Range<usize>) -> PartitionOutcomes<'_> {
        let (statuses, texts, length) = self.columns.outcomes(rows);
        PartitionOutcomes { rows: statuses.iter().zip(texts), length }
    }

    pub(super) fn clear(&mut self) {
        self.columns.clear();
    }
}
