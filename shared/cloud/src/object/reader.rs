//! Reads an object as a file is read, some parts ahead.

use std::{
    collections::VecDeque,
    io::{self, Read},
};

use tokio::task::JoinHandle;

use super::{Error, Object, Store};

/// How much is asked for at once, and how many such parts are under way: enough to hide the way to S3 and back.
const PART: u64 = 8 << 20;
const AHEAD: usize = 4;

/// An object that is being read. It blocks, so it belongs on a thread that is not the runtime's own.
#[derive(Debug)]
pub struct Reader {
    store: Store,
    object: Object,
    /// The first byte that nobody has asked for yet.
    next: u64,
    under_way: VecDeque<JoinHandle<Result<Vec<u8>, Error>>>,
    part: Vec<u8>,
    used: usize,
}

impl Reader {
    pub(super) const fn new(store: Store, object: Object, from: u64) -> Self {
        Self { store, object, next: from, under_way: VecDeque::new(), part: Vec::new(), used: 0 }
    }

    /// Waits for the next part; there is none after the last.
    fn advance(&mut self) -> io::Result<()> {
        while self.under_way.len() < AHEAD && self.next < self.object.bytes {
            let range = self.next..(self.next + PART).min(self.object.bytes);
            self.next = range.end;
            let (store, object) = (self.store.clone(), self.object.clone());
            self.under_way.push_back(self.store.runtime.spawn(async move { store.range(&object, range).await }));
        }
        if let Some(part) = self.under_way.pop_front() {
            self.part = self.store.runtime.block_on(part).map_err(io::Error::other)??;
            self.used = 0;
        }
        Ok(())
    }
}

impl Read for Reader {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.used == self.part.len() {
            self.advance()?;
        }
        let read = (&self.part[self.used..]).read(room)?;
        self.used += read;
        Ok(read)
    }
}

impl Drop for Reader {
    /// What nobody will read is not fetched.
    fn drop(&mut self) {
        self.under_way.iter().for_each(JoinHandle::abort);
    }
}
