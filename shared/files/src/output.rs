//! An output: a draft beside its final name, which it takes when all is written, an object that is there when it is whole, or
//! standard output.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use cloud::object::{Address, Store, Writer};
use sha2::{Digest, Sha256};
use shared::encoding::hex;

use super::{location::Location, report};

/// How much is written at once, in bytes.
const STEP: usize = 1 << 17;

/// What is being written.
#[derive(Debug)]
pub(super) struct Output {
    to: To,
    digest: Sha256,
    bytes: u64,
    /// How many bytes at the start are there already, and are written again for the digest alone.
    replayed: u64,
}

#[derive(Debug)]
enum To {
    Draft(Draft),
    Object { writer: Box<Writer>, address: Address },
    Standard,
}

/// A file in the making. Dropping it leaves nothing behind, unless it is to be kept for a later run.
#[derive(Debug)]
struct Draft {
    file: File,
    path: PathBuf,
    final_path: PathBuf,
    kept: bool,
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed is hidden, and the next run writes over it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Where the draft of `path` is: `.audience.1006.csv.partial`.
pub(super) fn draft_of(path: &Path, extension: &str) -> io::Result<PathBuf> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().ok_or(io::ErrorKind::InvalidFilename)?);
    name.push(".");
    name.push(extension);
    Ok(path.with_file_name(name))
}

impl Output {
    /// Starts an output; `kept` bytes of an earlier run's draft stay.
    pub(super) fn create(sink: &Location, store: Option<&Store>, kept: u64) -> io::Result<Self> {
        let to = match sink {
            Location::Standard => To::Standard,
            Location::Object(address) => {
                let store = store.ok_or_else(|| io::Error::other("nobody was told how to reach S3"))?;
                To::Object { writer: Box::new(store.write(address.clone())), address: address.clone() }
            }
            Location::Local(path) => To::Draft(Draft::create(path)?),
        };
        let mut output = Self { to, digest: Sha256::new(), bytes: 0, replayed: 0 };
        if let To::Draft(draft) = &mut output.to {
            output.bytes = draft.keep(kept, &mut output.digest)?;
        }
        Ok(output)
    }

    /// Starts an output whose first `kept` bytes an earlier run's draft has, and which are written again all the same.
    pub(super) fn replay(sink: &Location, store: Option<&Store>, kept: u64) -> io::Result<Self> {
        let output = Self::create(sink, store, kept)?;
        Ok(Self { digest: Sha256::new(), bytes: 0, replayed: kept, ..output })
    }

    /// How many bytes it has.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Where the draft is.
    pub(super) fn draft(&self) -> Option<&Path> {
        match &self.to {
            To::Draft(draft) => Some(&draft.path),
            To::Object { .. } | To::Standard => None,
        }
    }

    /// Makes sure that what is written outlasts this machine's power.
    pub(super) fn sync(&self) -> io::Result<()> {
        match &self.to {
            To::Draft(draft) => draft.file.sync_data(),
            To::Object { .. } | To::Standard => Ok(()),
        }
    }

    /// Leaves the draft for a later run to go on with.
    pub(super) const fn keep(&mut self) {
        if let To::Draft(draft) = &mut self.to {
            draft.kept = true;
        }
    }

    /// Gives the file its name, once all of it is on the disk, and says what it is.
    pub(super) fn finish(self) -> io::Result<report::File> {
        let place = match self.to {
            To::Standard => {
                io::stdout().flush()?;
                Location::Standard.to_string()
            }
            To::Object { writer, address } => {
                writer.finish().map_err(io::Error::other)?;
                address.to_string()
            }
            To::Draft(mut draft) => {
                draft.file.sync_all()?;
                fs::rename(&draft.path, &draft.final_path)?;
                draft.kept = true;
                draft.final_path.display().to_string()
            }
        };
        Ok(report::File { place, bytes: self.bytes, sha256: hex(&self.digest.finalize()) })
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // So much that its digest finds it in the cache.
        let bytes = &bytes[..bytes.len().min(STEP)];
        let again = usize::try_from(self.replayed.saturating_sub(self.bytes)).unwrap_or(usize::MAX);
        let written = match &mut self.to {
            _ if again > 0 => again.min(bytes.len()),
            To::Draft(draft) => draft.file.write(bytes)?,
            To::Object { writer, .. } => writer.write(bytes)?,
            To::Standard => io::stdout().lock().write(bytes)?,
        };
        self.digest.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            To::Draft(_) | To::Object { .. } => Ok(()),
            To::Standard => io::stdout().flush(),
        }
    }
}

impl Draft {
    fn create(final_path: &Path) -> io::Result<Self> {
        if final_path.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let path = draft_of(final_path, "partial")?;
        // As for any new file, the umask decides who may read the result.
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(io::Error::other("another run is writing it")),
            Err(TryLockError::Error(cause)) if cause.kind() == io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(cause)) => return Err(cause),
        }
        Ok(Self { file, path, final_path: final_path.into(), kept: false })
    }

    /// Cuts the draft after its first `kept` bytes, which are read for their digest.
    fn keep(&mut self, kept: u64, digest: &mut Sha256) -> io::Result<u64> {
        let mut left = kept;
        let mut room = vec![0; 1 << 18];
        while left > 0 {
            let most = room.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            match self.file.read(&mut room[..most])? {
                0 => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the earlier run's draft is shorter than its journal says")),
                read => {
                    digest.update(&room[..read]);
                    left -= read as u64;
                }
            }
        }
        self.file.set_len(kept)?;
        self.file.seek(SeekFrom::Start(kept))?;
        Ok(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_there_before_the_end_and_nothing_is_left_without_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("out.csv");
        let sink = Location::Local(file.clone());
        let mut output = Output::create(&sink, None, 0).unwrap();
        output.write_all(b"half").unwrap();
        assert!(!file.exists());
        assert!(Output::create(&sink, None, 0).unwrap_err().to_string().contains("another run is writing it"));
        drop(output);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

        let mut output = Output::create(&sink, None, 0).unwrap();
        output.write_all(b"whole").unwrap();
        let told = output.finish().unwrap();
        assert_eq!((fs::read(&file).unwrap(), told.bytes, &told.sha256[..8]), (b"whole".to_vec(), 5, "5d5766cf"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_kept_draft_goes_on_where_it_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let sink = Location::Local(folder.path().join("out.csv"));
        let mut output = Output::create(&sink, None, 0).unwrap();
        output.write_all(b"whole-and-half").unwrap();
        output.keep();
        drop(output);
        let mut output = Output::create(&sink, None, 5).unwrap();
        output.write_all(b"some").unwrap();
        let told = output.finish().unwrap();
        assert_eq!(fs::read(folder.path().join("out.csv")).unwrap(), b"wholesome");
        assert_eq!(told.sha256, hex(&Sha256::digest(b"wholesome")));
        let mut output = Output::create(&sink, None, 0).unwrap();
        output.keep();
        drop(output);
        assert!(Output::create(&sink, None, 5).unwrap_err().to_string().contains("shorter"));
    }

    #[test]
    fn an_impossible_output_is_told_before_anything_is_done() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Output::create(&Location::Local(folder.path().into()), None, 0).unwrap_err().to_string().contains("directory"));
        assert!(Output::create(&Location::Local(folder.path().join("no").join("out.csv")), None, 0).is_err());
    }
}
