//! Files that only their owner reads.

use std::{
    fs,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use shared::{crypto::system_rng, secret::Secret};

use super::Error;

/// Makes a folder that only its owner enters.
pub fn directory(path: &Path) -> Result<(), Error> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|cause| failed(path, &cause))
}

/// Writes a file that only its owner reads, whole or not at all.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let partial = path.with_extension("partial");
    let written = || {
        let _ = fs::remove_file(&partial);
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&partial, path)
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

fn failed(path: &Path, cause: &std::io::Error) -> Error {
    Error::State { what: path.display().to_string(), cause: cause.to_string() }
}
