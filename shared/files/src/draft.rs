//! The draft of a local file: written beside its final path, and renamed when it is complete.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::{input::READ_BYTES, paths::draft_path};

/// A locked draft. It is removed on drop, unless it was renamed or kept for a later run.
#[derive(Debug)]
pub(crate) struct Draft {
    file: File,
    path: PathBuf,
    final_path: PathBuf,
    kept: bool,
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.kept {
            // A draft that cannot be removed is a hidden file, which the next run overwrites.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Draft {
    /// Opens the draft of `final_path`, with the contents of an earlier one.
    pub(crate) fn open(final_path: &Path) -> io::Result<Self> {
        if final_path.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let path = draft_path(final_path, "partial")?;
        // The umask gives the permissions, as for any new file.
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(io::Error::other("another run is writing it")),
            Err(TryLockError::Error(cause)) if cause.kind() == io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(cause)) => return Err(cause),
        }
        Ok(Self { file, path, final_path: final_path.into(), kept: false })
    }

    /// The draft's path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path that the file gets when it is complete.
    pub(crate) fn final_path(&self) -> &Path {
        &self.final_path
    }

    /// Truncates the draft to its first `bytes`, which update `hasher`. Writes are appended there.
    pub(crate) fn truncate(&mut self, bytes: u64, hasher: &mut Sha256) -> io::Result<()> {
        let mut unread = bytes;
        let mut buf = vec![0; READ_BYTES];
        while unread > 0 {
            let most = buf.len().min(usize::try_from(unread).unwrap_or(usize::MAX));
            match self.file.read(&mut buf[..most])? {
                0 => {
                    let message = "the earlier run's draft is shorter than its journal states: remove it to start over";
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message));
                }
                read => {
                    hasher.update(&buf[..read]);
                    unread -= read as u64;
                }
            }
        }
        self.file.set_len(bytes)?;
        self.file.seek(SeekFrom::Start(bytes))?;
        Ok(())
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    /// Flushes the draft's contents to the disk.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Keeps the draft for a later run when it is dropped.
    pub(crate) const fn keep(&mut self) {
        self.kept = true;
    }

    /// Flushes the draft to the disk and renames it to its final path.
    pub(crate) fn publish(&mut self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, &self.final_path)?;
        self.kept = true;
        Ok(())
    }
}
