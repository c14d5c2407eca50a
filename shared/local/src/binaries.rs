//! The binaries that a local cloud starts: found, and built where they belong to a workspace.

use std::{
    env,
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::{process::Command, sync::OnceCell};

use crate::{error::Error, setting};

/// The binary of the SageMaker container.
pub(crate) const TRANSCODER: &str = "transcoder";

/// The folder of the binaries, which is that of this program. When cargo runs this program, or its
/// folder is a workspace's target folder, the binaries are built first; that does nothing when they
/// are up to date.
pub async fn find(names: &[&str]) -> Result<PathBuf, Error> {
    // Tests start many local clouds at once; one build is enough.
    static BUILT: OnceCell<()> = OnceCell::const_new();
    let directory = own_directory()?;
    if let Some(workspace) = workspace(&directory) {
        BUILT.get_or_try_init(|| build(&workspace, &directory)).await?;
    }
    check(&directory, names)?;
    Ok(directory)
}

/// Fails for the first binary that is missing.
pub(crate) fn check(directory: &Path, names: &[&str]) -> Result<(), Error> {
    match names.iter().find(|name| !directory.join(name).is_file()) {
        Some(name) => Err(Error::NoBinary { name: (*name).to_owned(), directory: directory.into() }),
        None => Ok(()),
    }
}

fn own_directory() -> Result<PathBuf, Error> {
    let own = env::current_exe().map_err(|error| Error::Machine(format!("the path of this program ({error})")))?;
    let mut directory = own.parent().unwrap_or(Path::new("/"));
    // Binaries of tests and examples are one folder deeper.
    if directory.ends_with("deps") || directory.ends_with("examples") {
        directory = directory.parent().unwrap_or(directory);
    }
    Ok(directory.into())
}

/// The workspace to build in: it contains the target folder, or the package that cargo runs.
fn workspace(directory: &Path) -> Option<PathBuf> {
    let is_workspace = |folder: &&Path| folder.join("Cargo.toml").is_file() && folder.join("template.yaml").is_file();
    // Cargo writes the tag only into a folder that it creates, and the other file into every folder
    // that it builds in.
    let is_target = |target: &&Path| ["CACHEDIR.TAG", ".rustc_info.json"].iter().any(|file| target.join(file).is_file());
    let target = directory.parent().filter(is_target)?;
    let package = setting::manifest_directory();
    let mut candidates = target.ancestors().chain(package.iter().flat_map(|package| package.ancestors()));
    candidates.find(is_workspace).map(Path::to_owned)
}

async fn build(workspace: &Path, directory: &Path) -> Result<(), Error> {
    let profile = match directory.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(profile) => profile,
    };
    let target = directory.parent().unwrap_or(directory);
    let mut cargo = Command::new(setting::cargo());
    // The whole workspace: one build serves every local cloud, and dependencies keep the features
    // of earlier builds.
    cargo.current_dir(workspace).args(["build", "--workspace", "--bins", "--profile", profile, "--target-dir"]).arg(target);
    // Cargo's variables about this program's package must not reach another build.
    for name in setting::package_variables() {
        cargo.env_remove(name);
    }
    cargo.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
    match cargo.status().await {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Error::Build(format!("`cargo build` failed with {status}"))),
        Err(error) => Err(Error::Build(format!("cargo cannot be started ({error})"))),
    }
}
