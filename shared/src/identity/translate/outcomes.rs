//! The outcomes of a drained batch, in the order of the pushes.

use std::slice;

use super::{
    error::IdError,
    partition::{Partition, PartitionOutcomes},
};

/// The place of the outcomes of ids that were pushed one after another: rows of a partition, or of
/// the errors if no partition has the index.
#[derive(Clone, Copy)]
pub(super) struct RowRange {
    pub(super) partition: u8,
    pub(super) from: u32,
    pub(super) to: u32,
}

/// The outcomes of the drained ids, in the order of the pushes: the text of the translated id,
/// which is ASCII, or the error.
pub struct Outcomes<'a> {
    ranges: slice::Iter<'a, RowRange>,
    partitions: &'a [Partition],
    errors: &'a [IdError],
    remaining: usize,
    /// The rest of the current range, if it is of a partition.
    partition_rows: PartitionOutcomes<'a>,
    /// The rest of the current range, if it is of the errors.
    error_rows: slice::Iter<'a, IdError>,
}

impl<'a> Outcomes<'a> {
    pub(super) fn new(ranges: &'a [RowRange], partitions: &'a [Partition], errors: &'a [IdError], remaining: usize) -> Self {
        Self { ranges: ranges.iter(), partitions, errors, remaining, partition_rows: PartitionOutcomes::empty(), error_rows: [].iter() }
    }
}

impl<'a> Iterator for Outcomes<'a> {
    type Item = Result<&'a [u8], IdError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let outcome = self.partition_rows.next().or_else(|| self.error_rows.next().map(|error| Err(*error)));
            if outcome.is_some() {
                self.remaining -= 1;
                return outcome;
            }
            let RowRange { partition, from, to } = *self.ranges.next()?;
            let rows = from as usize..to as usize;
            match self.partitions.get(usize::from(partition)) {
                Some(partition) => self.partition_rows = partition.outcomes(rows),
                None => self.error_rows = self.errors[rows].iter(),
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.remaining, Some(self.remaining))
    }
}

impl ExactSizeIterator for Outcomes<'_> {}
