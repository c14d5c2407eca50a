//! The directory in which a suite keeps what it knows.

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

use crate::Error;

/// Where a suite keeps what it knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nowhere: it is gone when the suite stops.
    Ephemeral,
    /// In a directory, from one start to the next.
    Directory(PathBuf),
}

/// An open state directory, locked against other suites.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    /// Removes the directory in the end.
    temporary: Option<TempDir>,
    _lock: File,
}

const KEY_BYTES: usize = 32;

impl StateDir {
    pub(crate) fn open(state: &State) -> Result<Self, Error> {
        match state {
            State::Ephemeral => {
                let temporary = tempfile::Builder::new().prefix("rampway-").tempdir();
                let temporary = temporary.map_err(|error| Error::Machine(format!("a temporary directory ({error})")))?;
                Ok(Self { path: temporary.path().to_owned(), _lock: lock(temporary.path())?, temporary: Some(temporary) })
            }
            State::Directory(path) => {
                fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(broken(path))?;
                let path = fs::canonicalize(path).map_err(broken(path))?;
                Ok(Self { _lock: lock(&path)?, path, temporary: None })
            }
        }
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The database's file; what is ephemeral is in memory.
    pub(crate) fn database(&self) -> Option<PathBuf> {
        self.temporary.is_none().then(|| self.path.join("dynamodb.sqlite"))
    }

    /// The directory of the bucket and of what is uploaded into it.
    pub(crate) fn bucket(&self) -> PathBuf {
        self.path.join("bucket")
    }

    /// What Brightcove's stand-in knew when it was stopped.
    pub(crate) fn brightcove(&self) -> Result<Option<Vec<u8>>, Error> {
        match fs::read(self.path.join("brightcove.json")) {
            Ok(kept) => Ok(Some(kept)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.problem(error)),
        }
    }

    /// Keeps what Brightcove's stand-in knows.
    pub(crate) fn keep_brightcove(&self, known: &[u8]) -> Result<(), Error> {
        self.write(&self.path.join("brightcove.json"), known)
    }

    /// The file that stands for the KMS key.
    pub(crate) fn master_key(&self) -> PathBuf {
        self.path.join("master.key")
    }

    /// The directory that is `/opt/ml/model` in a container.
    pub(crate) fn model(&self) -> Result<PathBuf, Error> {
        let path = self.path.join("model");
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(broken(&self.path))?;
        Ok(path)
    }

    /// Makes the master key if there is none, whole or not at all.
    pub(crate) fn make_master_key(&self) -> Result<(), Error> {
        let path = self.master_key();
        match fs::metadata(&path) {
            Ok(found) if found.len() != KEY_BYTES as u64 => Err(self.problem("master.key is not 32 bytes long")),
            Ok(found) if found.permissions().mode() & 0o077 != 0 => Err(self.problem("others may read master.key")),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key: Secret<KEY_BYTES> = Secret::generate(&mut system_rng());
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

    /// Takes it away: nothing answers at its addresses any more.
    pub(crate) fn remove_environment(&self) {
        let _ = fs::remove_file(self.path.join("env"));
    }

    /// An error about this directory.
    pub fn problem(&self, problem: impl Display) -> Error {
        Error::State { path: self.path.clone(), problem: problem.to_string() }
    }

    /// Writes a file that only its owner reads, whole or not at all.
    pub fn write(&self, file: &Path, content: &[u8]) -> Result<(), Error> {
        let write = || -> io::Result<()> {
            let mut partial = NamedTempFile::new_in(&self.path)?;
            partial.write_all(content)?;
            partial.as_file().sync_all()?;
            partial.persist(file)?;
            Ok(())
        };
        write().map_err(broken(&self.path))
    }
}

fn lock(path: &Path) -> Result<File, Error> {
    let file = File::create(path.join("lock")).map_err(broken(path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::StateInUse(path.into())),
        Err(TryLockError::Error(error)) => Err(broken(path)(error)),
    }
}

fn broken(path: &Path) -> impl Fn(io::Error) -> Error + '_ {
    move |error| Error::State { path: path.into(), problem: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_master_key_is_made_once_and_for_its_owner_alone() {
        let directory = TempDir::new().unwrap();
        let state = State::Directory(directory.path().join("state"));
        let home = StateDir::open(&state).unwrap();
        home.make_master_key().unwrap();
        let key = fs::read(home.master_key()).unwrap();
        home.make_master_key().unwrap();
        assert_eq!(fs::read(home.master_key()).unwrap(), key);
        assert_eq!(fs::metadata(home.master_key()).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(StateDir::open(&state), Err(Error::StateInUse(_))));
        fs::write(home.master_key(), "short").unwrap();
        assert!(home.make_master_key().unwrap_err().to_string().contains("not 32 bytes long"));
    }
}
