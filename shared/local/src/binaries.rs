//! Where the programs are that a suite starts, and how they come there.

use std::{
    env,
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::{process::Command, sync::OnceCell};

use crate::Error;
use crate::setting;

/// The container's program.
pub(super) const TRANSCODER: &str = "transcoder";

/// The folder of the programs: this one's own. When cargo started this program, or it lies in a workspace's target
/// folder, they are built first; nothing happens when they are up to date.
pub async fn find(names: &[&str]) -> Result<PathBuf, Error> {
    // Tests start many suites at once, and one build is enough.
    static BUILT: OnceCell<()> = OnceCell::const_new();
    let directory = own_directory()?;
    if let Some(workspace) = workspace(&directory) {
        BUILT.get_or_try_init(|| build(&workspace, &directory)).await?;
    }
    check(&directory, names)?;
    Ok(directory)
}

/// Fails for the first program that is missing.
pub(super) fn check(directory: &Path, names: &[&str]) -> Result<(), Error> {
    match names.iter().find(|name| !directory.join(name).is_file()) {
        Some(name) => Err(Error::NoBinary { name: (*name).to_owned(), directory: directory.into() }),
        None => Ok(()),
    }
}

fn own_directory() -> Result<PathBuf, Error> {
    let own = env::current_exe().map_err(|error| Error::Machine(format!("this program's own path ({error})")))?;
    let mut directory = own.parent().unwrap_or(Path::new("/"));
    // Tests and examples are one folder deeper.
    if directory.ends_with("deps") || directory.ends_with("examples") {
        directory = directory.parent().unwrap_or(directory);
    }
    Ok(directory.into())
}

/// The workspace to build in: above the target folder, or where cargo says it is.
fn workspace(directory: &Path) -> Option<PathBuf> {
    let is_workspace = |folder: &&Path| folder.join("Cargo.toml").is_file() && folder.join("template.yaml").is_file();
    // Cargo tags the folder only when it makes it, and leaves the other file in any that it builds in.
    let built = |target: &&Path| ["CACHEDIR.TAG", ".rustc_info.json"].iter().any(|file| target.join(file).is_file());
    let target = directory.parent().filter(built)?;
    let told = setting::manifest_directory();
    let mut candidates = target.ancestors().chain(told.iter().flat_map(|told| told.ancestors()));
    candidates.find(is_workspace).map(Path::to_owned)
}

async fn build(workspace: &Path, directory: &Path) -> Result<(), Error> {
    let profile = match directory.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(profile) => profile,
    };
    let target = directory.parent().unwrap_or(directory);
    let mut cargo = Command::new(setting::cargo());
    // All of them, so that one build serves every suite, and dependencies have the features they already were built with.
    cargo.current_dir(workspace).args(["build", "--workspace", "--bins", "--profile", profile, "--target-dir"]).arg(target);
    // What cargo told this program about its own package is not for others.
    for name in setting::of_our_package() {
        cargo.env_remove(name);
    }
    cargo.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
    match cargo.status().await {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Error::Build(format!("`cargo build` ended with {status}"))),
        Err(error) => Err(Error::Build(format!("cargo does not start ({error})"))),
    }
}
