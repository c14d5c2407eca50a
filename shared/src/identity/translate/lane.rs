//! A lane: the pending ids of one kind in one direction.

use std::{iter, ops::Range, slice};

use super::{
    Refused,
    kernel::{Columns, Kernel, SLOT, Verdict},
    number,
};
use crate::identity::{
    Code, Direction, Domain, Kind,
    id::{HEAD, Malformed},
    session::Pair,
};

/// The pending ids of one kind in one direction.
pub(super) struct Lane {
    route: usize,
    label: [u8; HEAD],
    length: usize,
    to: Domain,
    columns: Columns,
}

/// How many ids of a lane were translated, and how many of them came under a previous key.
pub(super) struct Counts {
    pub(super) translated: u64,
    pub(super) previous: u64,
}

/// Outcomes of a lane's rows, one after another.
pub(super) struct Outcomes<'a> {
    rows: iter::Zip<slice::Iter<'a, Verdict>, slice::Iter<'a, [u8; SLOT]>>,
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
        let (verdict, text) = self.rows.next()?;
        Some(match verdict {
            Verdict::Translated => Ok(&text[..self.length]),
            Verdict::Malformed => Err(Refused::Malformed(Malformed::Body)),
            Verdict::Foreign => Err(Refused::Code(Code::E002)),
        })
    }
}

impl Lane {
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

    /// Whether an id of this label and length, on its way to this domain, goes through this lane.
    #[inline]
    pub(super) fn takes(&self, label: [u8; HEAD], length: usize, to: Domain) -> bool {
        self.label == label && self.length == length && self.to == to
    }

    /// Adds the characters after an id's label and gives its row.
    #[inline]
    pub(super) fn push(&mut self, body: &[u8]) -> u32 {
        self.columns.push(body);
        number(self.columns.rows() - 1)
    }

    /// Translates what is pending: under the source's current key, and what is not under it, under the previous ones.
    pub(super) fn translate(&mut self, pair: &Pair<'_>, kernel: Kernel) -> Counts {
        let kind = self.kind();
        let count = |columns: &Columns| columns.verdicts.iter().filter(|verdict| **verdict == Verdict::Translated).count() as u64;
        let mut versions = pair.keys(kind);
        if let Some(keys) = versions.next().filter(|_| self.columns.rows() > 0) {
            kernel.run(&keys, &mut self.columns);
        }
        let current = count(&self.columns);
        for keys in versions {
            let foreign = |(row, verdict): (usize, &Verdict)| (*verdict == Verdict::Foreign).then_some(row);
            let rows: Vec<usize> = self.columns.verdicts.iter().enumerate().filter_map(foreign).collect();
            if rows.is_empty() {
                break;
            }
            let mut again = Columns::new(kind, self.to);
            for row in &rows {
                again.push(self.columns.body(*row));
            }
            kernel.run(&keys, &mut again);
            for (other, row) in rows.iter().enumerate() {
                self.columns.take(*row, &again, other);
            }
        }
        let translated = count(&self.columns);
        Counts { translated, previous: translated - current }
    }

    /// What became of some rows.
    pub(super) fn outcomes(&self, rows: Range<usize>) -> Outcomes<'_> {
        let (verdicts, texts, length) = self.columns.outcomes(rows);
        Outcomes { rows: verdicts.iter().zip(texts), length }
    }

    pub(super) fn clear(&mut self) {
        self.columns.clear();
    }
}
