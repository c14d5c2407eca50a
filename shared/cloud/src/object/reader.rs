//! A reader of an object, which fetches some parts ahead.

use std::{
    collections::VecDeque,
    io::{self, Read},
};

use tokio::task::JoinHandle;

use super::{
    error::Error,
    store::{Object, Store},
    uri::S3Uri,
};

/// The size of one ranged request, in bytes.
const READ_PART_BYTES: u64 = 8 << 20;
/// The number of parts that are requested ahead: enough to hide the latency of S3.
const READ_AHEAD_PARTS: usize = 4;

/// An object that is being read. Reading blocks: do not read on the runtime's own threads.
#[derive(Debug)]
pub struct Reader {
    store: Store,
    object: Object,
    /// The first byte that has not been requested.
    next: u64,
    in_flight: VecDeque<JoinHandle<Result<Vec<u8>, Error>>>,
    part: Vec<u8>,
    used: usize,
}

impl Store {
    /// Finds an object and reads it from its start. This blocks: do not call it on the runtime's
    /// own threads.
    pub fn open(&self, uri: &S3Uri) -> Result<Reader, Error> {
        Ok(self.read(self.runtime.block_on(self.find(uri))?, 0))
    }

    /// Reads an object on the caller's thread, from a byte offset.
    #[must_use]
    pub fn read(&self, object: Object, from: u64) -> Reader {
        Reader { store: self.clone(), object, next: from, in_flight: VecDeque::new(), part: Vec::new(), used: 0 }
    }
}

impl Reader {
    /// Waits for the next part, if there is one.
    fn advance(&mut self) -> io::Result<()> {
        while self.in_flight.len() < READ_AHEAD_PARTS && self.next < self.object.bytes() {
            let range = self.next..(self.next + READ_PART_BYTES).min(self.object.bytes());
            self.next = range.end;
            let (store, object) = (self.store.clone(), self.object.clone());
            self.in_flight.push_back(self.store.runtime.spawn(async move { store.range(&object, range).await }));
        }
        if let Some(part) = self.in_flight.pop_front() {
            self.part = self.store.runtime.block_on(part).map_err(io::Error::other)??;
            self.used = 0;
        }
        Ok(())
    }
}

impl Read for Reader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.used == self.part.len() {
            self.advance()?;
        }
        let read = (&self.part[self.used..]).read(buf)?;
        self.used += read;
        Ok(read)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.in_flight.iter().for_each(JoinHandle::abort);
    }
}
