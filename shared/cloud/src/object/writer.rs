//! A writer of an object, by multipart upload: the object appears when all parts are complete. An
//! upload that is not completed is aborted.

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

use super::{
    error::{Error, sdk_error},
    store::Store,
    uri::S3Uri,
};

/// The size of the first parts, in bytes. It doubles after each [`PARTS_PER_SIZE`] parts, because
/// S3 limits their number: parts of 8 MiB make 20 GB, up to 64 MiB 300 GB.
const FIRST_PART_BYTES: usize = 8 << 20;
/// The number of parts of one size.
const PARTS_PER_SIZE: usize = 2_500;
/// The maximum number of parts, S3's.
const MAX_PARTS: usize = 10_000;

/// The maximum number of bytes in flight.
const MAX_IN_FLIGHT_BYTES: usize = 64 << 20;

/// The time limit of aborting an upload.
const ABORT_TIMEOUT: Duration = Duration::from_secs(10);

/// An object that is being written. Writing blocks: do not write on the runtime's own threads. If
/// it is dropped before [`finish`](Self::finish), no object is created and the upload is aborted.
#[derive(Debug)]
pub struct Writer {
    store: Store,
    uri: S3Uri,
    part: Vec<u8>,
    parts: usize,
    /// The id of the multipart upload, if there is more than one part.
    upload: Option<String>,
    in_flight: VecDeque<JoinHandle<Result<CompletedPart, Error>>>,
    completed: Vec<CompletedPart>,
}

impl Store {
    /// Writes an object on the caller's thread. It is visible once [`Writer::finish`] returns `Ok`.
    #[must_use]
    pub fn write(&self, uri: S3Uri) -> Writer {
        Writer { store: self.clone(), uri, part: Vec::new(), parts: 0, upload: None, in_flight: VecDeque::new(), completed: Vec::new() }
    }
}

impl Writer {
    /// Completes the object: from now on it is visible.
    pub fn finish(mut self) -> Result<(), Error> {
        if self.upload.is_none() {
            let part = mem::take(&mut self.part);
            return self.store.runtime.block_on(self.store.put(&self.uri, part));
        }
        if !self.part.is_empty() {
            self.send()?;
        }
        while let Some(part) = self.in_flight.pop_front() {
            self.finish_part(part)?;
        }
        let parts = mem::take(&mut self.completed);
        let upload = self.upload.as_deref().unwrap_or_default();
        self.store.runtime.block_on(self.store.complete_upload(&self.uri, upload, parts))?;
        // Nothing is left to abort.
        self.upload = None;
        Ok(())
    }

    const fn part_size(&self) -> usize {
        FIRST_PART_BYTES << (self.parts / PARTS_PER_SIZE)
    }

    /// Sends the part that is full or last.
    fn send(&mut self) -> Result<(), Error> {
        if self.parts == MAX_PARTS {
            return Err(Error::TooLarge(self.uri.clone()));
        }
        let upload = if let Some(upload) = &self.upload {
            upload.clone()
        } else {
            let created = self.store.runtime.block_on(self.store.create_upload(&self.uri))?;
            self.upload.insert(created).clone()
        };
        let size = self.part_size();
        while self.in_flight.len() >= (MAX_IN_FLIGHT_BYTES / size).max(1)
            && let Some(part) = self.in_flight.pop_front()
        {
            self.finish_part(part)?;
        }
        self.parts += 1;
        let (store, uri, number) = (self.store.clone(), self.uri.clone(), self.parts);
        let part = mem::take(&mut self.part);
        self.in_flight.push_back(self.store.runtime.spawn(async move { store.send_part(&uri, &upload, number, part).await }));
        Ok(())
    }

    fn finish_part(&mut self, part: JoinHandle<Result<CompletedPart, Error>>) -> Result<(), Error> {
        let failed = |error: tokio::task::JoinError| Error::Failed { uri: self.uri.clone(), message: error.to_string() };
        let part = self.store.runtime.block_on(part).map_err(failed)??;
        self.completed.push(part);
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
            // A small object does not need the memory of a part.
            self.part.reserve_exact(if self.parts == 0 { bytes.len().min(size) } else { size });
        }
        let taken = bytes.len().min(size - self.part.len());
        self.part.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    /// Does nothing: parts are sent when they are full, and a flush would only make them smaller.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let Some(upload) = self.upload.take() else { return };
        self.in_flight.iter().for_each(JoinHandle::abort);
        let (store, uri) = (self.store.clone(), self.uri.clone());
        let (sender, receiver) = mpsc::channel();
        // On a thread of its own: this may be the runtime's, which must not block on itself. S3
        // stores, and bills, the parts of an upload until it is aborted.
        thread::spawn(move || {
            let runtime = store.runtime.clone();
            let _ = sender.send(runtime.block_on(store.abort_upload(&uri, &upload)));
        });
        let _ = receiver.recv_timeout(ABORT_TIMEOUT);
    }
}

impl Store {
    async fn put(&self, uri: &S3Uri, bytes: Vec<u8>) -> Result<(), Error> {
        let put = self.s3().put_object().bucket(&uri.bucket).key(&uri.key).body(bytes.into()).send().await;
        put.map(|_| ()).map_err(|error| sdk_error(uri, &error))
    }

    async fn create_upload(&self, uri: &S3Uri) -> Result<String, Error> {
        let created = self.s3().create_multipart_upload().bucket(&uri.bucket).key(&uri.key).send().await;
        let created = created.map_err(|error| sdk_error(uri, &error))?;
        created.upload_id.ok_or_else(|| Error::Failed { uri: uri.clone(), message: "the upload has no id".into() })
    }

    async fn send_part(&self, uri: &S3Uri, upload: &str, number: usize, part: Vec<u8>) -> Result<CompletedPart, Error> {
        let number = i32::try_from(number).unwrap_or(i32::MAX);
        let call = self.s3().upload_part().bucket(&uri.bucket).key(&uri.key).upload_id(upload).part_number(number);
        let sent = call.body(part.into()).send().await.map_err(|error| sdk_error(uri, &error))?;
        let part = CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag);
        Ok(part.set_checksum_crc32(sent.checksum_crc32).build())
    }

    async fn complete_upload(&self, uri: &S3Uri, upload: &str, parts: Vec<CompletedPart>) -> Result<(), Error> {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let call = self.s3().complete_multipart_upload().bucket(&uri.bucket).key(&uri.key).upload_id(upload);
        call.multipart_upload(parts).send().await.map(|_| ()).map_err(|error| sdk_error(uri, &error))
    }

    async fn abort_upload(&self, uri: &S3Uri, upload: &str) -> Result<(), Error> {
        let call = self.s3().abort_multipart_upload().bucket(&uri.bucket).key(&uri.key).upload_id(upload);
        call.send().await.map(|_| ()).map_err(|error| sdk_error(uri, &error))
    }
}
