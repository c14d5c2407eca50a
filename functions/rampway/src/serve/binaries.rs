//! The deployed binaries: where they lie, and how they come to lie there.

use std::{env, path::{Path, PathBuf}, process::Command};

use super::Error;

/// The folder of the binaries: this program's own. When cargo started us they are built first, in our profile.
pub fn directory(needed: &[&str]) -> Result<PathBuf, Error> {
    let own = env::current_exe().map_err(|cause| Error::Binary { binary: "rampway".into(), cause })?;
    // A test's own binary lies one folder deeper.
    let directory = own.parent().map(|folder| if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder });
    let directory = directory.unwrap_or(Path::new(".")).to_owned();
    if crate::setting::started_by_cargo() {
        build(&directory, needed)?;
    }
    match needed.iter().find(|binary| !directory.join(binary).is_file()) {
        Some(missing) => Err(Error::NoBinary { binary: (*missing).into(), directory }),
        None => Ok(directory),
    }
}

fn build(directory: &Path, needed: &[&str]) -> Result<(), Error> {
    let mut cargo = Command::new(crate::setting::cargo());
    cargo.arg("build");
    if directory.ends_with("release") {
        cargo.arg("--release");
    }
    for binary in needed {
        cargo.args(["--package", binary]);
    }
    // Cargo's progress is the first minutes' only sign of life.
    let status = cargo.status().map_err(|cause| Error::Binary { binary: "cargo".into(), cause })?;
    if status.success() { Ok(()) } else { Err(Error::Build) }
}
