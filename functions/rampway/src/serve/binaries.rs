//! The deployed binaries: where they lie, and how they come to lie there.

use std::{
    collections::BTreeSet,
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
};

use super::Error;
use crate::setting;

/// The folder of the binaries: this program's own. When cargo started us they are built first, in our profile.
pub fn directory(needed: &[&str]) -> Result<PathBuf, Error> {
    let own = env::current_exe().map_err(|cause| Error::Binary { binary: "rampway".into(), cause })?;
    // A test's own binary lies one folder deeper.
    let directory = own.parent().map(|folder| if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder });
    let directory = directory.unwrap_or(Path::new(".")).to_owned();
    if setting::started_by_cargo() {
        // Once in a process, however many suites it starts.
        static BUILT: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
        let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
        if !needed.iter().all(|binary| built.contains(*binary)) {
            build(&directory, needed)?;
            built.extend(needed.iter().map(|binary| (*binary).to_owned()));
        }
    }
    match needed.iter().find(|binary| !directory.join(binary).is_file()) {
        Some(missing) => Err(Error::NoBinary { binary: (*missing).into(), directory }),
        None => Ok(directory),
    }
}

fn build(directory: &Path, needed: &[&str]) -> Result<(), Error> {
    let mut cargo = Command::new(setting::cargo());
    cargo.arg("build");
    // The folder is named after the profile, but for the first of them.
    match directory.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => {}
        Some(profile) => drop(cargo.args(["--profile", profile])),
    }
    for binary in needed {
        cargo.args(["--package", binary]);
    }
    // Cargo's progress is the first minutes' only sign of life.
    let status = cargo.status().map_err(|cause| Error::Binary { binary: "cargo".into(), cause })?;
    if status.success() { Ok(()) } else { Err(Error::Build) }
}
