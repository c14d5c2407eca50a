//! A partition: the pending ids of one kind in one direction.

use std::{iter, ops::Range, slice};

use super::{
    Refused,
    kernel::{Columns, Kernel, ROW_BYTES, RowStatus},
    row_index,
};
use crate::identity::{
    Code, Direction, Domain, Kind,
    client_keys::DirectionKeys,
    id::{LABEL_LEN, Malformed},
};

/// The pending ids of one kind in one direction.
pub(super) struct Partition {
    route: usize,
    label: [u8; LABEL_LEN],
    length: usize,
    to: Domain,
    columns: Columns,
}

/// How many ids of a partition were translated, and how many of them came under a previous key.
pub(super) struct Counts {
    pub(super) translated: u64,
    pub(super) previous: u64,
}

/// Outcomes of a partition's rows, one after another.
pub(super) struct Outcomes<'a> {
    rows: iter::Zip<slice::Iter<'a, RowStatus>, slice::Iter<'a, [u8; ROW_BYTES]>>,
    length: usize,
}

impl Outcomes<'_> {
    pub(super) fn none() -> Self {
        Self { rows: [].iter().zip(&[]), length: 0 }
    }
}

impl<'a> Iterator for Outcomes<'a> {
    type Item = Result<&'a [u8], Refused>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (status, text) = self.rows.next()?;
        Some(match status {
            RowStatus::Translated => Ok(&text[..self.length]),
            RowStatus::Malformed => Err(Refused::Malformed(Malformed::Body)),
            RowStatus::TagMismatch => Err(Refused::Code(Code::E002)),
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

    /// Whether an id of this label and length, on its way to this domain, goes through this partition.
    #[inline]
    pub(super) fn takes(&self, label: [u8; LABEL_LEN], length: usize, to: Domain) -> bool {
        self.label == label && self.length == length && self.to == to
    }

    /// Adds the characters after an id's label and gives its row.
    #[inline]
    pub(super) fn push(&mut self, body: &[u8]) -> u32 {
        self.columns.push(body);
        row_index(self.columns.rows() - 1)
    }

    /// Translates what is pending: under the source's current key, and what is not under it, under the previous ones.
    pub(super) fn translate(&mut self, pair: &DirectionKeys<'_>, kernel: Kernel) -> Counts {
        let kind = self.kind();
        let count = |columns: &Columns| columns.statuses.iter().filter(|status| **status == RowStatus::Translated).count() as u64;
        let mut versions = pair.keys(kind);
        if let Some(keys) = versions.next().filter(|_| self.columns.rows() > 0) {
            kernel.run(&keys, &mut self.columns);
        }
        let current = count(&self.columns);
        for keys in versions {
            let foreign = |(row, status): (usize, &RowStatus)| (*status == RowStatus::TagMismatch).then_some(row);
            let rows: Vec<usize> = self.columns.statuses.iter().enumerate().filter_map(foreign).collect();
            if rows.is_empty() {
                break;
            }
            let mut again = Columns::new(kind, self.to);
            for row in &rows {
                again.push(self.columns.body(*row));
            }
            kernel.run(&keys, &mut again);
            for (other, row) in rows.iter().enumerate() {
                self.columns.copy_row_from(*row, &again, other);
            }
        }
        let translated = count(&self.columns);
        Counts { translated, previous: translated - current }
    }

    /// What became of some rows.
    pub(super) fn outcomes(&self, rows: Range<usize>) -> Outcomes<'_> {
        let (statuses, texts, length) = self.columns.outcomes(rows);
        Outcomes { rows: statuses.iter().zip(texts), length }
    }

    pub(super) fn clear(&mut self) {
        self.columns.clear();
    }
}
