//! Files that only their owner reads.

use std::{fs, io::Write, os::unix::fs::DirBuilderExt, path::Path};

use shared::{crypto::system_rng, secret::Secret};
use tempfile::NamedTempFile;

use super::Error;

/// Makes a folder that only its owner enters.
pub fn directory(path: &Path) -> Result<(), Error> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|cause| failed(path, &cause))
}

/// Writes a file that only its owner reads, whole or not at all.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let written = || {
        // Temporary files are made with mode 0600.
        let mut file = NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.persist(path)?;
        Ok(())
    };
    written().map_err(|cause| failed(path, &cause))
}

/// Makes the master key, if there is none.
pub fn master_key(path: &Path) -> Result<(), Error> {
    if path.exists() {
        return Ok(());
    }
    write(path, Secret::<32>::generate(&mut system_rng()).expose())
}

/// What is wrong with a file of the state.
pub fn failed(path: &Path, cause: &std::io::Error) -> Error {
    Error::State { what: path.display().to_string(), cause: cause.to_string() }
}
