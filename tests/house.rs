//! House tests: the architecture, the template and the documents, compared with the code.

mod commands;
mod contents;
mod dependencies;
mod deployment;
mod documents;
mod imports;
mod permissions;
mod routes;
mod tables;
mod template;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("tests/ is in the workspace")
}

/// The text of a file, by its path from the workspace's root.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The paths of all files that git tracks or does not ignore, from the workspace's root.
pub(crate) fn files() -> Vec<String> {
    let listed = output(Command::new("git").args(["ls-files", "--cached", "--others", "--exclude-standard"]));
    let files: Vec<String> = listed.lines().filter(|path| root().join(path).is_file()).map(str::to_owned).collect();
    assert!(files.len() > 100, "git lists only {} files", files.len());
    files
}

/// The paths and texts of all Rust sources under some folders. There is at least one.
pub(crate) fn sources(folders: &[&str]) -> Vec<(String, String)> {
    let within = |path: &str| folders.iter().any(|folder| path.starts_with(folder));
    let paths = files().into_iter().filter(|path| Path::new(path).extension().is_some_and(|extension| extension == "rs") && within(path));
    let sources: Vec<_> = paths.map(|path| (path.clone(), read(&path))).collect();
    assert!(!sources.is_empty(), "{folders:?} have no sources");
    sources
}

/// The standard output of a command, run in the workspace's root.
fn output(command: &mut Command) -> String {
    let output = command.current_dir(root()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("the output is UTF-8")
}

/// A source without its tests, which are its last module.
fn shipped(text: &str) -> &str {
    ["mod tests", "pub(crate) mod tests"].into_iter().fold(text, |text, tests| {
        let start = format!("#[cfg(test)]\n{tests}");
        text.find(&start).map_or(text, |end| &text[..end])
    })
}

/// The sections of a manifest, each with the first names of its lines.
fn sections(manifest: &str) -> Vec<(String, Vec<String>)> {
    let mut sections = Vec::new();
    for line in manifest.lines() {
        if let Some(section) = line.strip_prefix('[') {
            sections.push((section.trim_end_matches(']').to_owned(), Vec::new()));
        } else if let (Some((_, names)), Some(name)) = (sections.last_mut(), line.split(['.', ' ', '=']).next()) {
            names.push(name.to_owned());
        }
    }
    sections
}
