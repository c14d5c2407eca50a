//! The state directory: tables, keys, uploads and the environment file.

use std::{
    collections::BTreeMap,
    fmt::Display,
    fs::{self, File, TryLockError},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use shared::{crypto::system_rng, secret::Secret};
use tempfile::{NamedTempFile, TempDir};

use crate::error::Error;

/// Where a local cloud stores its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// In memory and in a temporary directory, which is removed when the local cloud stops.
    Ephemeral,
    /// In this directory, where the next start finds it.
    Directory(PathBuf),
}

/// An open state directory, locked against other local clouds.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    /// Removes the directory when it is dropped.
    temporary: Option<TempDir>,
    _lock: File,
}

const MASTER_KEY_BYTES: usize = 32;

impl StateDir {
    pub(crate) fn open(state: &State) -> Result<Self, Error> {
        match state {
            State::Ephemeral => {
                let temporary = tempfile::Builder::new().prefix("rampway-").tempdir();
                let temporary = temporary.map_err(|error| Error::Machine(format!("a temporary directory ({error})")))?;
                Ok(Self { path: temporary.path().to_owned(), _lock: lock(temporary.path())?, temporary: Some(temporary) })
            }
            State::Directory(path) => {
                fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(state_error(path))?;
                let path = fs::canonicalize(path).map_err(state_error(path))?;
                Ok(Self { _lock: lock(&path)?, path, temporary: None })
            }
        }
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file of the database; `None` is in memory.
    pub(crate) fn database(&self) -> Option<PathBuf> {
        self.temporary.is_none().then(|| self.path.join("dynamodb.sqlite"))
    }

    /// The directory of the S3 buckets and of open multipart uploads.
    pub(crate) fn buckets(&self) -> PathBuf {
        self.path.join("bucket")
    }

    /// The state of the Brightcove stand-in when it was last stopped.
    pub(crate) fn brightcove(&self) -> Result<Option<Vec<u8>>, Error> {
        match fs::read(self.path.join("brightcove.json")) {
            Ok(stored) => Ok(Some(stored)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.problem(error)),
        }
    }

    /// Stores the state of the Brightcove stand-in.
    pub(crate) fn store_brightcove(&self, state: &[u8]) -> Result<(), Error> {
        self.write(&self.path.join("brightcove.json"), state)
    }

    /// The file that stands in for the KMS key.
    pub(crate) fn master_key(&self) -> PathBuf {
        self.path.join("master.key")
    }

    /// The directory that is `/opt/ml/model` in a container.
    pub(crate) fn model(&self) -> Result<PathBuf, Error> {
        let path = self.path.join("model");
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(state_error(&self.path))?;
        Ok(path)
    }

    /// Creates the master key unless there is one.
    pub(crate) fn create_master_key(&self) -> Result<(), Error> {
        let path = self.master_key();
        match fs::metadata(&path) {
            Ok(found) if found.len() != MASTER_KEY_BYTES as u64 => Err(self.problem("master.key is not 32 bytes long")),
            Ok(found) if found.permissions().mode() & 0o077 != 0 => Err(self.problem("other users may read master.key")),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key: Secret<MASTER_KEY_BYTES> = Secret::generate(&mut system_rng());
                self.write(&path, key.expose())
            }
            Err(error) => Err(self.problem(error)),
        }
    }

    /// Writes the environment file of `rampway admin`.
    pub(crate) fn write_environment(&self, environment: &BTreeMap<String, String>) -> Result<PathBuf, Error> {
        let lines = environment.iter().fold(String::new(), |lines, (name, value)| lines + name + "=" + value + "\n");
        let file = self.path.join("env");
        self.write(&file, lines.as_bytes())?;
        Ok(file)
    }

    /// Removes the environment file: its URLs are no longer served.
    pub(crate) fn remove_environment(&self) {
        let _ = fs::remove_file(self.path.join("env"));
    }

    /// An error of this directory.
    pub fn problem(&self, problem: impl Display) -> Error {
        Error::State { path: self.path.clone(), problem: problem.to_string() }
    }

    /// Writes a file atomically, readable by its owner alone.
    pub fn write(&self, file: &Path, content: &[u8]) -> Result<(), Error> {
        let write = || -> io::Result<()> {
            let mut partial = NamedTempFile::new_in(&self.path)?;
            partial.write_all(content)?;
            partial.as_file().sync_all()?;
            partial.persist(file)?;
            Ok(())
        };
        write().map_err(state_error(&self.path))
    }
}

fn lock(path: &Path) -> Result<File, Error> {
    let file = File::create(path.join("lock")).map_err(state_error(path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::StateInUse(path.into())),
        Err(TryLockError::Error(error)) => Err(state_error(path)(error)),
    }
}

fn state_error(path: &Path) -> impl Fn(io::Error) -> Error + '_ {
    move |error| Error::State { path: path.into(), problem: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_master_key_is_created_once_and_readable_by_its_owner_alone() {
        let directory = TempDir::new().unwrap();
        let state = State::Directory(directory.path().join("state"));
        let state_dir = StateDir::open(&state).unwrap();
        state_dir.create_master_key().unwrap();
        let key = fs::read(state_dir.master_key()).unwrap();
        state_dir.create_master_key().unwrap();
        assert_eq!(fs::read(state_dir.master_key()).unwrap(), key);
        assert_eq!(fs::metadata(state_dir.master_key()).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(StateDir::open(&state), Err(Error::StateInUse(_))));
        fs::write(state_dir.master_key(), "short").unwrap();
        assert!(state_dir.create_master_key().unwrap_err().to_string().contains("not 32 bytes long"));
    }
}
