//! What requests under way hold: one count of bytes for all of them, with a bound, and buffers that are used again.
//!
//! So the room's memory is bounded, by the sum of
//! - `MAX_BYTES_IN_FLIGHT` (512 MiB) for bodies as they come and answers until they are read, and an eighth more for bodies up to 128 KiB; a
//!   buffer that grows may have room for twice what it holds, which the system gives only when it is written to;
//! - what is being translated: two answers a core, counted when they are there, of at most 250,000 ids and 30 MB;
//! - 128 KiB for each of at most 512 connections, and eight buffers of up to 4 MiB for the next requests;
//! - keys of 64 clients and two packets each, and 1,024 verified tokens.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

/// A body up to this, in bytes, is small.
const SMALL: usize = 128 << 10;
/// The part of the bound, on top of it, that is kept for small bodies: large ones leave them room.
const KEPT: usize = 8;
/// The longest buffer that is kept for another request, in bytes.
const MAX_KEPT: usize = 4 << 20;
/// How many buffers are kept.
const MAX_BUFFERS: usize = 8;

/// What all requests hold together.
pub(crate) struct Holding {
    bound: usize,
    bytes: AtomicUsize,
    buffers: Mutex<Vec<Vec<u8>>>,
}

/// More is under way than the bound allows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Full;

/// A request's or an answer's bytes, counted while they are held.
pub(crate) struct Held {
    bytes: Vec<u8>,
    counted: usize,
    by: Arc<Holding>,
}

impl Holding {
    /// Holds up to `bound` bytes of bodies and answers, and an eighth more of small bodies.
    pub(crate) fn new(bound: usize) -> Arc<Self> {
        Arc::new(Self { bound, bytes: AtomicUsize::new(0), buffers: Mutex::default() })
    }

    /// An empty buffer.
    pub(crate) fn buffer(self: &Arc<Self>) -> Held {
        Held { bytes: self.buffers().pop().unwrap_or_default(), counted: 0, by: self.clone() }
    }

    fn buffers(&self) -> std::sync::MutexGuard<'_, Vec<Vec<u8>>> {
        self.buffers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Adds a part of a body as it comes.
    pub(crate) fn extend(&mut self, part: &[u8]) -> Result<(), Full> {
        let total = self.counted + part.len();
        let bound = if total > SMALL { self.by.bound } else { self.by.bound + self.by.bound / KEPT };
        let before = self.by.bytes.fetch_add(part.len(), Relaxed);
        self.counted = total;
        if before + part.len() > bound {
            return Err(Full);
        }
        self.bytes.extend_from_slice(part);
        Ok(())
    }

    /// Writes an answer. It is counted when it is there: the work is done, so it is not refused.
    pub(crate) fn write<T>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        let written = write(&mut self.bytes);
        let more = self.bytes.len().saturating_sub(self.counted);
        self.by.bytes.fetch_add(more, Relaxed);
        self.counted += more;
        written
    }
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.by.bytes.fetch_sub(self.counted, Relaxed);
        let mut bytes = std::mem::take(&mut self.bytes);
        let mut buffers = self.by.buffers();
        if bytes.capacity() > 0 && bytes.capacity() <= MAX_KEPT && buffers.len() < MAX_BUFFERS {
            bytes.clear();
            buffers.push(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_bodies_leave_room_for_small_ones() {
        let holding = Holding::new(1 << 20);
        let mut large = holding.buffer();
        large.extend(&vec![0; 1 << 20]).unwrap();
        assert!(holding.buffer().extend(&vec![0; SMALL + 1]).is_err());
        assert!(holding.buffer().extend(&vec![0; SMALL]).is_ok());
        drop(large);
        assert!(holding.buffer().extend(&vec![0; SMALL + 1]).is_ok());
        assert_eq!(holding.bytes.load(Relaxed), 0);
    }

    #[test]
    fn an_answer_is_counted_until_it_is_gone() {
        let holding = Holding::new(1000);
        let mut answer = holding.buffer();
        answer.write(|out| out.extend_from_slice(&[0; 2000]));
        assert_eq!(holding.bytes.load(Relaxed), 2000);
        assert!(holding.buffer().extend(b"x").is_err());
        drop(answer);
        let again = holding.buffer();
        assert!(again.as_ref().is_empty() && again.bytes.capacity() >= 2000);
    }
}
