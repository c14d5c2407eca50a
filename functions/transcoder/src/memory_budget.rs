//! Memory of the requests in flight: one byte count with an upper bound, and a pool of buffers.
//!
//! The process's memory is bounded by the sum of
//! - `MAX_BYTES_IN_FLIGHT` (512 MiB) for request bodies while they arrive and for responses until
//!   they are sent, and an eighth more for bodies of up to 128 KiB. A growing buffer may reserve
//!   twice its length; the operating system commits those pages only when they are written;
//! - responses that are being written: two per core, counted once they are complete, of at most
//!   250,000 ids and 30 MB;
//! - 128 KiB for each of at most 512 connections, and eight pooled buffers of up to 4 MiB;
//! - the keys of 64 clients, two packets each, and 1,024 verified tokens.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

/// The maximum length of a small body, in bytes.
const MAX_SMALL_BODY_BYTES: usize = 128 << 10;
/// Small bodies may exceed the budget by `budget / SMALL_BODY_RESERVE`, so that large ones cannot
/// starve them.
const SMALL_BODY_RESERVE: usize = 8;
/// The maximum capacity of a pooled buffer, in bytes.
const MAX_POOLED_BUFFER_BYTES: usize = 4 << 20;
/// The maximum number of pooled buffers.
const MAX_POOLED_BUFFERS: usize = 8;

/// The memory that all requests share.
pub(crate) struct MemoryBudget {
    max_bytes: usize,
    used_bytes: AtomicUsize,
    pool: Mutex<Vec<Vec<u8>>>,
}

/// The requests in flight use the whole budget.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BudgetExceeded;

/// A buffer for a request or a response. Its bytes count against the budget until it is dropped.
pub(crate) struct BudgetedBuf {
    bytes: Vec<u8>,
    counted: usize,
    budget: Arc<MemoryBudget>,
}

impl MemoryBudget {
    /// Creates a budget of `max_bytes`, plus an eighth of it for small bodies.
    pub(crate) fn new(max_bytes: usize) -> Arc<Self> {
        Arc::new(Self { max_bytes, used_bytes: AtomicUsize::new(0), pool: Mutex::default() })
    }

    /// An empty buffer, from the pool if it has one.
    pub(crate) fn buffer(self: &Arc<Self>) -> BudgetedBuf {
        BudgetedBuf { bytes: self.pool().pop().unwrap_or_default(), counted: 0, budget: self.clone() }
    }

    fn pool(&self) -> std::sync::MutexGuard<'_, Vec<Vec<u8>>> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BudgetedBuf {
    /// Appends a frame of a body.
    ///
    /// Returns [`BudgetExceeded`] and appends nothing if the budget does not allow it.
    pub(crate) fn extend(&mut self, frame: &[u8]) -> Result<(), BudgetExceeded> {
        let total = self.counted + frame.len();
        let max_bytes = self.budget.max_bytes;
        let max_bytes = if total > MAX_SMALL_BODY_BYTES { max_bytes } else { max_bytes + max_bytes / SMALL_BODY_RESERVE };
        let before = self.budget.used_bytes.fetch_add(frame.len(), Relaxed);
        self.counted = total;
        if before + frame.len() > max_bytes {
            return Err(BudgetExceeded);
        }
        self.bytes.extend_from_slice(frame);
        Ok(())
    }

    /// Writes a response. It is counted once complete and never refused, as the work is done by
    /// then.
    pub(crate) fn write<T>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        let result = write(&mut self.bytes);
        let added = self.bytes.len().saturating_sub(self.counted);
        self.budget.used_bytes.fetch_add(added, Relaxed);
        self.counted += added;
        result
    }
}

impl AsRef<[u8]> for BudgetedBuf {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for BudgetedBuf {
    fn drop(&mut self) {
        self.budget.used_bytes.fetch_sub(self.counted, Relaxed);
        let mut bytes = std::mem::take(&mut self.bytes);
        let mut pool = self.budget.pool();
        if bytes.capacity() > 0 && bytes.capacity() <= MAX_POOLED_BUFFER_BYTES && pool.len() < MAX_POOLED_BUFFERS {
            bytes.clear();
            pool.push(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_bodies_leave_memory_for_small_ones() {
        let budget = MemoryBudget::new(1 << 20);
        let mut large = budget.buffer();
        large.extend(&vec![0; 1 << 20]).unwrap();
        assert!(matches!(budget.buffer().extend(&vec![0; MAX_SMALL_BODY_BYTES + 1]), Err(BudgetExceeded)));
        assert!(budget.buffer().extend(&vec![0; MAX_SMALL_BODY_BYTES]).is_ok());
        drop(large);
        assert!(budget.buffer().extend(&vec![0; MAX_SMALL_BODY_BYTES + 1]).is_ok());
        assert_eq!(budget.used_bytes.load(Relaxed), 0);
    }

    #[test]
    fn a_response_is_counted_until_it_is_dropped() {
        let budget = MemoryBudget::new(1000);
        let mut response = budget.buffer();
        response.write(|out| out.extend_from_slice(&[0; 2000]));
        assert_eq!(budget.used_bytes.load(Relaxed), 2000);
        assert!(matches!(budget.buffer().extend(b"x"), Err(BudgetExceeded)));
        drop(response);
        let reused = budget.buffer();
        assert!(reused.as_ref().is_empty() && reused.bytes.capacity() >= 2000);
    }
}
