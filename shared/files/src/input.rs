//! Reads the input's bytes, decompresses them, and hashes them as they are in the file.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use flate2::bufread::MultiGzDecoder;
use sha2::{Digest, Sha256};
use shared::encoding::hex;
use tokio::sync::oneshot;

use crate::{
    file_digest::FileDigest,
    format::{Compression, Format},
    location::Location,
    options::Options,
};

/// How many bytes are read at once.
pub(crate) const READ_BYTES: usize = 1 << 18;

/// The digest and the length of what has been read of an input so far. Clones share both.
#[derive(Clone, Debug, Default)]
pub(crate) struct InputDigest(Arc<(Mutex<Sha256>, AtomicU64)>);

impl InputDigest {
    fn update(&self, bytes: &[u8]) {
        let (hasher, read) = &*self.0;
        hasher.lock().unwrap_or_else(PoisonError::into_inner).update(bytes);
        read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    }

    /// The number of bytes that have been read, before decompression.
    pub(crate) fn bytes(&self) -> u64 {
        self.0.1.load(Ordering::Relaxed)
    }

    /// The digest of those bytes, which were read from `input`.
    pub(crate) fn finish(&self, input: &Location) -> FileDigest {
        let hasher = self.0.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        FileDigest { location: input.to_string(), bytes: self.bytes(), sha256: hex(&hasher.finalize()) }
    }
}

/// A reader that updates an [`InputDigest`].
struct HashingReader<R> {
    input: R,
    digest: InputDigest,
}

impl<R: Read> Read for HashingReader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buf)?;
        self.digest.update(&buf[..read]);
        Ok(read)
    }
}

/// Opens a file. A directory, which can be opened too, is refused here and not at the first read.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(file)
}

/// Opens the input as it is, compressed or not.
fn open_raw(options: &Options) -> io::Result<Box<dyn Read + Send>> {
    Ok(match &options.input {
        Location::Local(path) => Box::new(open_file(path)?),
        Location::Object(address) => {
            let store = options.store.as_ref().ok_or_else(|| io::Error::other("no S3 client is configured"))?;
            Box::new(store.open(address).map_err(io::Error::other)?)
        }
        Location::Stdio => Box::new(io::stdin()),
    })
}

/// Opens the input's text. Its first bytes give the compression.
pub(crate) fn open_text(options: &Options, digest: &InputDigest) -> io::Result<Box<dyn Read + Send>> {
    let input = HashingReader { input: open_raw(options)?, digest: digest.clone() };
    let mut input = BufReader::with_capacity(READ_BYTES, input);
    Ok(match Compression::detect(input.fill_buf()?) {
        Compression::None => Box::new(input),
        Compression::Gzip => Box::new(MultiGzDecoder::new(input)),
        Compression::Zstd => Box::new(zstd::Decoder::with_buffer(input)?),
    })
}

/// Hashes a local Parquet file, which is not read from start to end otherwise, on a separate
/// thread. Ready at once for every other input.
pub(crate) fn hash_whole_file(options: &Options, digest: &InputDigest) -> impl Future<Output = io::Result<()>> + use<> {
    let (result_sender, result) = oneshot::channel();
    match &options.input {
        Location::Local(path) if options.input_format() == Format::Parquet => {
            let (path, digest) = (path.clone(), digest.clone());
            thread::spawn(move || {
                let hash = || {
                    let mut input = HashingReader { input: open_file(&path)?, digest };
                    let mut buf = vec![0; READ_BYTES];
                    while input.read(&mut buf)? > 0 {}
                    Ok(())
                };
                // A run that was stopped has dropped the receiver.
                let _ = result_sender.send(hash());
            });
        }
        _ => drop(result_sender.send(Ok(()))),
    }
    async { result.await.unwrap_or_else(|_| Err(io::Error::other("the reader panicked"))) }
}

/// Copies the input into an unnamed temporary file: a Parquet file is read from its end.
pub(crate) fn spool(options: &Options, digest: &InputDigest) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    let input = HashingReader { input: open_raw(options)?, digest: digest.clone() };
    io::copy(&mut BufReader::with_capacity(READ_BYTES, input), &mut file)?;
    Ok(file)
}

/// Reads up to `bytes` more to the end of `buf` and returns whether the input has ended. The bytes
/// are read into place: `read_to_end` starts with small reads into a buffer of its own.
pub(crate) fn read_more(input: &mut dyn Read, buf: &mut Vec<u8>, bytes: usize) -> io::Result<bool> {
    let mut end = buf.len();
    buf.resize(end + bytes, 0);
    let ended = loop {
        match input.read(&mut buf[end..]) {
            Ok(0) => break Ok(end < buf.len()),
            Ok(read) => end += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break Err(error),
        }
    };
    buf.truncate(end);
    ended
}

/// Removes and returns the first `bytes` of `buf`. The remaining buffer gets the capacity of the
/// old one, because the next chunk will be about as long.
pub(crate) fn take_front(buf: &mut Vec<u8>, bytes: usize) -> Vec<u8> {
    let mut remaining = Vec::with_capacity(buf.len() + READ_BYTES);
    remaining.extend_from_slice(&buf[bytes..]);
    buf.truncate(bytes);
    std::mem::replace(buf, remaining)
}

/// Skips `bytes` of an input, of which `buf` has been read already.
pub(crate) fn skip(buf: &mut Vec<u8>, input: &mut dyn Read, bytes: u64) -> io::Result<()> {
    let buffered = buf.len().min(usize::try_from(bytes).unwrap_or(usize::MAX));
    buf.drain(..buffered);
    let unread = bytes - buffered as u64;
    if io::copy(&mut input.take(unread), &mut io::sink())? < unread {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}
