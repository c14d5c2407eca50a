//! Reads an input as it is, decompressed, while its digest is taken.

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

use super::{
    Options,
    format::{Compression, Format},
    location::Location,
};

const BUFFER: usize = 1 << 18;

/// What has been read of an input so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Reading(Arc<(Mutex<Sha256>, AtomicU64)>);

impl Reading {
    fn add(&self, bytes: &[u8]) {
        let (digest, read) = &*self.0;
        digest.lock().unwrap_or_else(PoisonError::into_inner).update(bytes);
        read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    }

    /// How many bytes have been read, as they are in the file.
    pub(super) fn bytes(&self) -> u64 {
        self.0.1.load(Ordering::Relaxed)
    }

    /// The SHA-256 digest of what has been read.
    pub(super) fn digest(&self) -> String {
        hex(&self.0.0.lock().unwrap_or_else(PoisonError::into_inner).clone().finalize())
    }
}

/// A reader that keeps account of what it read.
struct Accounted<R> {
    input: R,
    reading: Reading,
}

impl<R: Read> Read for Accounted<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(room)?;
        self.reading.add(&room[..read]);
        Ok(read)
    }
}

/// Opens a file; a folder can be opened too, and is refused here rather than at the first read.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(file)
}

/// The bytes of a source, from its start.
fn bytes(options: &Options) -> io::Result<Box<dyn Read + Send>> {
    Ok(match &options.input {
        Location::Local(path) => Box::new(open(path)?),
        Location::Object(address) => {
            let store = options.store.as_ref().ok_or_else(|| io::Error::other("nobody was told how to reach S3"))?;
            Box::new(store.open(address).map_err(io::Error::other)?)
        }
        Location::Standard => Box::new(io::stdin()),
    })
}

/// The text of the input, whatever it is compressed with.
pub(super) fn text(options: &Options, reading: &Reading) -> io::Result<Box<dyn Read + Send>> {
    let input = bytes(options)?;
    let mut input = BufReader::with_capacity(BUFFER, Accounted { input, reading: reading.clone() });
    Ok(match Compression::recognise(input.fill_buf()?) {
        Compression::None => Box::new(input),
        Compression::Gzip => Box::new(MultiGzDecoder::new(input)),
        Compression::Zstd => Box::new(zstd::Decoder::with_buffer(input)?),
    })
}

/// Reads all of an input that is not read from its start to its end for its digest alone, on a thread of its own.
pub(super) fn accounted(options: &Options, reading: &Reading) -> impl Future<Output = io::Result<()>> + use<> {
    let (say, said) = oneshot::channel();
    match &options.input {
        Location::Local(path) if options.input_format() == Format::Parquet => {
            let (path, reading) = (path.clone(), reading.clone());
            thread::spawn(move || {
                let all = || {
                    let mut input = Accounted { input: open(&path)?, reading };
                    let mut room = vec![0; BUFFER];
                    while input.read(&mut room)? > 0 {}
                    Ok(())
                };
                // Whoever stopped the run does not listen.
                let _ = say.send(all());
            });
        }
        _ => drop(say.send(Ok(()))),
    }
    async { said.await.unwrap_or_else(|_| Err(io::Error::other("the reader failed"))) }
}

/// Keeps the input in a file without a name, where its end can be read before its start.
pub(super) fn spooled(options: &Options, reading: &Reading) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut BufReader::with_capacity(BUFFER, Accounted { input: bytes(options)?, reading: reading.clone() }), &mut file)?;
    Ok(file)
}

/// Reads up to `step` bytes more, and says whether the input is over. They are read to where they stay: `read_to_end` begins with small pieces,
/// which go through a buffer.
pub(super) fn read_on(input: &mut dyn Read, rest: &mut Vec<u8>, step: usize) -> io::Result<bool> {
    let mut end = rest.len();
    rest.resize(end + step, 0);
    let over = loop {
        match input.read(&mut rest[end..]) {
            Ok(0) => break Ok(end < rest.len()),
            Ok(read) => end += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break Err(error),
        }
    };
    rest.truncate(end);
    over
}

/// Takes the first `bytes` of what is read. There is room for as many after the others: the next part will hardly be shorter.
pub(super) fn split(rest: &mut Vec<u8>, bytes: usize) -> Vec<u8> {
    let mut others = Vec::with_capacity(rest.len() + BUFFER);
    others.extend_from_slice(&rest[bytes..]);
    rest.truncate(bytes);
    std::mem::replace(rest, others)
}

/// Passes over the next `bytes` of an input, of which `rest` is read already.
pub(super) fn skip(rest: &mut Vec<u8>, input: &mut dyn Read, bytes: u64) -> io::Result<()> {
    let there = rest.len().min(usize::try_from(bytes).unwrap_or(usize::MAX));
    rest.drain(..there);
    let left = bytes - there as u64;
    if io::copy(&mut input.take(left), &mut io::sink())? < left {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}
