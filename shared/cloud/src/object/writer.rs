//! Writes an object in parts, which become one when all are there. Until then there is nothing under its name, and if it never comes to that
//! nothing is left.

use std::{
    collections::VecDeque,
    io::{self, Write},
    mem,
    sync::mpsc,
    thread,
    time::Duration,
};

use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use tokio::task::JoinHandle;

use super::{Address, Error, Store, refusal};

/// The first parts' size. S3 takes 10,000 of them, so later ones are larger: 8 MiB make 20 GB, 64 MiB 300 GB.
const PART: usize = 8 << 20;
const STEP: usize = 2_500;
const MOST_PARTS: usize = 10_000;

/// How many bytes may be on their way at once.
const UNDER_WAY: usize = 64 << 20;

/// How long calling an upload off may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// An object that is being written. It blocks, so it belongs on a thread that is not the runtime's own. Dropped before
/// [`finish`](Self::finish), it leaves nothing behind.
#[derive(Debug)]
pub struct Writer {
    store: Store,
    address: Address,
    part: Vec<u8>,
    parts: usize,
    /// The upload, once there is more than one part.
    upload: Option<String>,
    under_way: VecDeque<JoinHandle<Result<CompletedPart, Error>>>,
    completed: Vec<CompletedPart>,
}

impl Writer {
    pub(super) const fn new(store: Store, address: Address) -> Self {
        Self { store, address, part: Vec::new(), parts: 0, upload: None, under_way: VecDeque::new(), completed: Vec::new() }
    }

    /// Makes the object: from now on it is there, whole.
    pub fn finish(mut self) -> Result<(), Error> {
        if self.upload.is_none() {
            let part = mem::take(&mut self.part);
            return self.store.runtime.block_on(self.store.put(&self.address, part));
        }
        if !self.part.is_empty() {
            self.send()?;
        }
        while let Some(part) = self.under_way.pop_front() {
            self.land(part)?;
        }
        let parts = mem::take(&mut self.completed);
        let upload = self.upload.as_deref().unwrap_or_default();
        self.store.runtime.block_on(self.store.complete(&self.address, upload, parts))?;
        // Nothing is left to call off.
        self.upload = None;
        Ok(())
    }

    const fn part_size(&self) -> usize {
        PART << (self.parts / STEP)
    }

    /// Sends the part that is full.
    fn send(&mut self) -> Result<(), Error> {
        if self.parts == MOST_PARTS {
            return Err(Error::TooLarge(self.address.clone()));
        }
        let upload = if let Some(upload) = &self.upload {
            upload.clone()
        } else {
            let begun = self.store.runtime.block_on(self.store.begin(&self.address))?;
            self.upload.insert(begun).clone()
        };
        let size = self.part_size();
        while self.under_way.len() >= (UNDER_WAY / size).max(1)
            && let Some(part) = self.under_way.pop_front()
        {
            self.land(part)?;
        }
        self.parts += 1;
        let (store, address, number) = (self.store.clone(), self.address.clone(), self.parts);
        let part = mem::take(&mut self.part);
        self.under_way.push_back(self.store.runtime.spawn(async move { store.send(&address, &upload, number, part).await }));
        Ok(())
    }

    fn land(&mut self, part: JoinHandle<Result<CompletedPart, Error>>) -> Result<(), Error> {
        let failed = |error: tokio::task::JoinError| Error::Failed { address: self.address.clone(), said: error.to_string() };
        let landed = self.store.runtime.block_on(part).map_err(failed)??;
        self.completed.push(landed);
        Ok(())
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let size = self.part_size();
        if self.part.len() == size {
            self.send()?;
        }
        if self.part.is_empty() {
            // Small objects do not take a part's room.
            self.part.reserve_exact(if self.parts == 0 { bytes.len().min(size) } else { size });
        }
        let taken = bytes.len().min(size - self.part.len());
        self.part.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    /// Parts are sent when they are full: a flush could only make them small.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let Some(upload) = self.upload.take() else { return };
        self.under_way.iter().for_each(JoinHandle::abort);
        let (store, address) = (self.store.clone(), self.address.clone());
        let (say, said) = mpsc::channel();
        // On a thread of its own, as whoever drops may be the runtime. S3 keeps, and bills, what nobody calls off.
        thread::spawn(move || {
            let runtime = store.runtime.clone();
            let _ = say.send(runtime.block_on(store.call_off(&address, &upload)));
        });
        let _ = said.recv_timeout(PATIENCE);
    }
}

impl Store {
    async fn put(&self, address: &Address, bytes: Vec<u8>) -> Result<(), Error> {
        let put = self.s3().put_object().bucket(&address.bucket).key(&address.key).body(bytes.into()).send().await;
        put.map(|_| ()).map_err(|error| refusal(address, &error))
    }

    async fn begin(&self, address: &Address) -> Result<String, Error> {
        let begun = self.s3().create_multipart_upload().bucket(&address.bucket).key(&address.key).send().await;
        let begun = begun.map_err(|error| refusal(address, &error))?;
        begun.upload_id.ok_or_else(|| Error::Failed { address: address.clone(), said: "the upload has no name".into() })
    }

    async fn send(&self, address: &Address, upload: &str, number: usize, part: Vec<u8>) -> Result<CompletedPart, Error> {
        let number = i32::try_from(number).unwrap_or(i32::MAX);
        let call = self.s3().upload_part().bucket(&address.bucket).key(&address.key).upload_id(upload).part_number(number);
        let sent = call.body(part.into()).send().await.map_err(|error| refusal(address, &error))?;
        let part = CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag);
        Ok(part.set_checksum_crc32(sent.checksum_crc32).build())
    }

    async fn complete(&self, address: &Address, upload: &str, parts: Vec<CompletedPart>) -> Result<(), Error> {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let call = self.s3().complete_multipart_upload().bucket(&address.bucket).key(&address.key).upload_id(upload);
        call.multipart_upload(parts).send().await.map(|_| ()).map_err(|error| refusal(address, &error))
    }

    async fn call_off(&self, address: &Address, upload: &str) -> Result<(), Error> {
        let call = self.s3().abort_multipart_upload().bucket(&address.bucket).key(&address.key).upload_id(upload);
        call.send().await.map(|_| ()).map_err(|error| refusal(address, &error))
    }
}
