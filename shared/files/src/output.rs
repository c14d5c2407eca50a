//! An output: a local draft, an S3 object that exists when its upload is complete, or standard
//! output.

use std::{
    io::{self, Write},
    path::Path,
};

use cloud::object::{S3Uri, Store, Writer};
use sha2::{Digest, Sha256};
use shared::encoding::hex;

use crate::{draft::Draft, file_digest::FileDigest, location::Location};

/// Maximum number of bytes per write, so that they are still in the cache when they are hashed.
const MAX_WRITE_BYTES: usize = 1 << 17;

/// An output that is being written and hashed.
#[derive(Debug)]
pub(crate) struct Output {
    destination: Destination,
    hasher: Sha256,
    bytes: u64,
    /// The number of bytes at the start that the draft holds already. Writing them again only
    /// hashes them.
    replayed: u64,
}

#[derive(Debug)]
enum Destination {
    Draft(Draft),
    Object { writer: Box<Writer>, address: S3Uri },
    Stdout,
}

impl Output {
    /// Creates an output. The first `kept` bytes of an earlier run's draft stay.
    pub(crate) fn create(location: &Location, store: Option<&Store>, kept: u64) -> io::Result<Self> {
        let destination = match location {
            Location::Stdio => Destination::Stdout,
            Location::Object(address) => {
                let store = store.ok_or_else(|| io::Error::other("no S3 client is configured"))?;
                Destination::Object { writer: Box::new(store.write(address.clone())), address: address.clone() }
            }
            Location::Local(path) => Destination::Draft(Draft::open(path)?),
        };
        let mut output = Self { destination, hasher: Sha256::new(), bytes: 0, replayed: 0 };
        if let Destination::Draft(draft) = &mut output.destination {
            draft.truncate(kept, &mut output.hasher)?;
            output.bytes = kept;
        }
        Ok(output)
    }

    /// Creates an output whose first `kept` bytes are in an earlier run's draft and are written
    /// again.
    pub(crate) fn create_replayed(location: &Location, store: Option<&Store>, kept: u64) -> io::Result<Self> {
        let output = Self::create(location, store, kept)?;
        Ok(Self { hasher: Sha256::new(), bytes: 0, replayed: kept, ..output })
    }

    /// The number of bytes written.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The draft's path, of a local output.
    pub(crate) fn draft(&self) -> Option<&Path> {
        match &self.destination {
            Destination::Draft(draft) => Some(draft.path()),
            Destination::Object { .. } | Destination::Stdout => None,
        }
    }

    /// Flushes a draft to the disk.
    pub(crate) fn sync(&self) -> io::Result<()> {
        match &self.destination {
            Destination::Draft(draft) => draft.sync(),
            Destination::Object { .. } | Destination::Stdout => Ok(()),
        }
    }

    /// Keeps a draft for a later run.
    pub(crate) const fn keep(&mut self) {
        if let Destination::Draft(draft) = &mut self.destination {
            draft.keep();
        }
    }

    /// Completes the output: renames the draft, or completes the upload.
    pub(crate) fn finish(self) -> io::Result<FileDigest> {
        let location = match self.destination {
            Destination::Stdout => {
                io::stdout().flush()?;
                Location::Stdio.to_string()
            }
            Destination::Object { writer, address } => {
                writer.finish().map_err(io::Error::other)?;
                address.to_string()
            }
            Destination::Draft(mut draft) => {
                draft.publish()?;
                draft.final_path().display().to_string()
            }
        };
        Ok(FileDigest { location, bytes: self.bytes, sha256: hex(&self.hasher.finalize()) })
    }
}

impl Write for Output {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let buf = &buf[..buf.len().min(MAX_WRITE_BYTES)];
        let replayed = usize::try_from(self.replayed.saturating_sub(self.bytes)).unwrap_or(usize::MAX);
        let written = match &mut self.destination {
            _ if replayed > 0 => replayed.min(buf.len()),
            Destination::Draft(draft) => draft.write(buf)?,
            Destination::Object { writer, .. } => writer.write(buf)?,
            Destination::Stdout => io::stdout().lock().write(buf)?,
        };
        self.hasher.update(&buf[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.destination {
            Destination::Draft(_) | Destination::Object { .. } => Ok(()),
            Destination::Stdout => io::stdout().flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_exists_only_after_finish_and_a_dropped_draft_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("out.csv");
        let location = Location::Local(file.clone());
        let mut output = Output::create(&location, None, 0).unwrap();
        output.write_all(b"half").unwrap();
        assert!(!file.exists());
        assert!(Output::create(&location, None, 0).unwrap_err().to_string().contains("another run is writing it"));
        drop(output);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);

        let mut output = Output::create(&location, None, 0).unwrap();
        output.write_all(b"whole").unwrap();
        let finished = output.finish().unwrap();
        assert_eq!((fs::read(&file).unwrap(), finished.bytes, &finished.sha256[..8]), (b"whole".to_vec(), 5, "5d5766cf"));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_kept_draft_is_truncated_and_continued() {
        let dir = tempfile::tempdir().unwrap();
        let location = Location::Local(dir.path().join("out.csv"));
        let mut output = Output::create(&location, None, 0).unwrap();
        output.write_all(b"whole-and-half").unwrap();
        output.keep();
        drop(output);
        let mut output = Output::create(&location, None, 5).unwrap();
        output.write_all(b"some").unwrap();
        let finished = output.finish().unwrap();
        assert_eq!(fs::read(dir.path().join("out.csv")).unwrap(), b"wholesome");
        assert_eq!(finished.sha256, hex(&Sha256::digest(b"wholesome")));
        let mut output = Output::create(&location, None, 0).unwrap();
        output.keep();
        drop(output);
        assert!(Output::create(&location, None, 5).unwrap_err().to_string().contains("shorter"));
    }

    #[test]
    fn an_unwritable_output_is_reported_on_creation() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Output::create(&Location::Local(dir.path().into()), None, 0).unwrap_err().to_string().contains("directory"));
        let missing = Location::Local(dir.path().join("no").join("out.csv"));
        assert_eq!(Output::create(&missing, None, 0).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
