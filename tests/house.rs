//! The architecture and the template, where no linter looks.

mod commands;
mod deployment;
mod documents;
mod permissions;
mod routes;
mod tables;
mod template;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const NOUNS: [&str; 5] = ["identity", "upload", "packaging", "keys", "playback"];

/// What stands in for AWS.
const ENGINES: [&str; 3] = ["dynoxide-rs", "s3s", "s3s-fs"];

/// Files stay short enough to be read at one sitting.
const MAX_LINES: usize = 400;

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("tests/ lies in the workspace")
}

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file that is, or may be, committed, from the workspace's root.
pub(crate) fn files() -> Vec<String> {
    let said = output(Command::new("git").args(["ls-files", "--cached", "--others", "--exclude-standard"]));
    let files: Vec<String> = said.lines().filter(|path| root().join(path).is_file()).map(str::to_owned).collect();
    assert!(files.len() > 100, "git names only {} files", files.len());
    files
}

/// Every Rust source under one of some folders, with its text. There must be some.
pub(crate) fn sources(folders: &[&str]) -> Vec<(String, String)> {
    let within = |path: &str| folders.iter().any(|folder| path.starts_with(folder));
    let paths = files().into_iter().filter(|path| Path::new(path).extension().is_some_and(|extension| extension == "rs") && within(path));
    let sources: Vec<_> = paths.map(|path| (path.clone(), read(&path))).collect();
    assert!(!sources.is_empty(), "there is no source under {folders:?}");
    sources
}

fn output(command: &mut Command) -> String {
    let done = command.current_dir(root()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("paths and names are text")
}

/// A source without its tests, which stand last.
fn shipped(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text)
}

/// The names of all crates that a package is built with.
fn tree(package: &str) -> BTreeSet<String> {
    let said =
        output(Command::new(env!("CARGO")).args(["tree", "--locked", "--edges", "normal", "--prefix", "none", "--package", package]));
    let names: BTreeSet<String> = said.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    assert!(names.contains(package), "cargo tree says nothing of {package}");
    names
}

fn built_with(package: &str, unwanted: impl Fn(&str) -> bool) -> Vec<String> {
    tree(package).into_iter().filter(|name| unwanted(name)).collect()
}

/// AWS's SDK and its runtime. aws-lc is cryptography and calls nobody.
fn is_aws(name: &str) -> bool {
    (name.starts_with("aws-") && !name.starts_with("aws-lc-")) || name.starts_with("lambda_")
}

#[test]
fn shared_touches_no_world() {
    let worlds = ["tokio", "mio", "socket2", "hyper", "reqwest", "rustls", "axum", "dynoxide-rs", "getrandom"];
    assert_eq!(built_with("shared", |name| is_aws(name) || worlds.contains(&name)), [""; 0]);
    for (path, text) in sources(&["shared/src"]) {
        for world in ["std::fs", "std::net", "std::env", "std::process", "SystemTime", "Instant::now"] {
            assert!(!shipped(&text).contains(world), "{path} reaches for {world}");
        }
    }
}

#[test]
fn the_sealed_room_has_no_way_to_call_out() {
    let clients = ["reqwest", "rustls", "native-tls", "ureq", "hyper-rustls", "cloud"];
    assert_eq!(built_with("transcoder", |name| is_aws(name) || clients.contains(&name)), [""; 0]);
}

#[test]
fn aws_is_under_cloud_and_engines_are_under_local() {
    let manifests: Vec<String> = files().into_iter().filter(|path| path.ends_with("Cargo.toml") && path != "Cargo.toml").collect();
    assert!(manifests.len() >= 9, "there are only {manifests:?}");
    for path in manifests {
        for name in read(&path).lines().filter_map(|line| line.split(['.', ' ', '=']).next()) {
            assert!(!is_aws(name) || path == "shared/cloud/Cargo.toml", "{path} depends on {name}");
        }
        for (section, names) in sections(&read(&path)) {
            // An engine is what a test of the handlers talks to, and what the local cloud starts.
            let may = path == "shared/local/Cargo.toml" || (path == "shared/cloud/Cargo.toml" && section == "dev-dependencies");
            let engines = names.iter().filter(|name| ENGINES.contains(&name.as_str())).count();
            assert!(engines == 0 || may, "{path} has an engine among its {section}");
        }
    }
}

/// The sections of a manifest with the names that begin their lines.
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

#[test]
fn nouns_do_not_lean_on_each_other() {
    let mut looked_at = 0;
    for noun in NOUNS {
        for (path, text) in sources(&["shared/src/", "shared/cloud/src/"]) {
            if !path.contains(&format!("/src/{noun}/")) && !path.ends_with(&format!("/src/{noun}.rs")) {
                continue;
            }
            looked_at += 1;
            let others: Vec<_> = imported(shipped(&text)).into_iter().filter(|name| NOUNS.contains(name) && *name != noun).collect();
            assert!(others.is_empty(), "{path} leans on {others:?}");
        }
    }
    assert!(looked_at > 5, "only {looked_at} files belong to a noun");
}

/// The modules of `crate` and `shared` that a source names, in `use` trees or in place.
fn imported(text: &str) -> Vec<&str> {
    let word = |text: &str| text.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(text.len());
    let mut names = Vec::new();
    for rest in ["crate::", "shared::"].into_iter().flat_map(|krate| text.split(krate).skip(1)) {
        let Some(tree) = rest.strip_prefix('{') else {
            names.push(&rest[..word(rest)]);
            continue;
        };
        let (mut depth, mut branch) = (0, 0);
        for (at, letter) in tree.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' if depth > 0 => depth -= 1,
                ',' | '}' if depth == 0 => {
                    let name = tree[branch..at].trim();
                    names.push(&name[..word(name)]);
                    branch = at + 1;
                }
                _ => {}
            }
            if letter == '}' && branch > at {
                break;
            }
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

#[test]
fn use_trees_are_read() {
    let text = "use crate::{\n    gateway::{keys, Reply},\n    upload::Policy,\n    vault,\n};\nuse shared::identity::Id;\nlet x = crate::playback::now();";
    assert_eq!(imported(text), ["gateway", "upload", "vault", "playback", "identity"]);
}

#[test]
fn the_environment_is_read_in_settings_alone() {
    let mut settings = 0;
    for (path, text) in sources(&["shared/", "functions/"]) {
        if path.ends_with("/setting.rs") {
            settings += 1;
        }
        if path.ends_with("/setting.rs") || path.contains("/tests/") {
            continue;
        }
        for reading in ["env::var", "env::set_var", "env::remove_var"] {
            assert!(!shipped(&text).contains(reading), "{path} reads the environment: {reading}");
        }
    }
    assert!(settings >= 2, "there are only {settings} settings");
}

#[test]
fn sources_are_safe_finished_and_short() {
    // In two parts, so that this file does not accuse itself.
    let unfinished =
        [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("to", "do!("), concat!("unimpl", "emented!("), concat!("dbg", "!(")];
    for (path, text) in sources(&["shared/", "functions/", "tests/"]) {
        assert!(text.lines().count() <= MAX_LINES, "{path} has more than {MAX_LINES} lines");
        let dispatch = path == "shared/src/identity/translate/fused/mod.rs";
        let calls = text.matches(concat!("uns", "afe {")).count();
        assert!(calls == usize::from(dispatch) && !text.contains(concat!("uns", "afe fn")), "{path} is unsafe");
        for word in unfinished {
            assert!(!text.contains(word), "{path} says {word}");
        }
        let tests = path.ends_with("/tests.rs")
            || path.contains("/tests/")
            || path.starts_with("tests/")
            || path.contains("/fuzz/")
            || path.contains("/benches/");
        assert!(tests || !shipped(&text).contains(".unwrap()"), "{path} unwraps");
    }
}

#[test]
fn the_top_level_is_the_given_one() {
    let given = [
        "Cargo.toml",
        "Cargo.lock",
        "functions",
        "shared",
        "template.yaml",
        "samconfig.toml",
        "events",
        "tests",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "examples",
    ];
    let top: BTreeSet<String> = files().iter().filter_map(|path| path.split('/').next()).map(str::to_owned).collect();
    for name in &top {
        assert!(name.starts_with('.') || given.contains(&name.as_str()), "{name} is not of the top level");
    }
    for name in given.iter().filter(|name| **name != "examples") {
        assert!(top.contains(*name), "{name} is missing from the top level");
    }
}

#[test]
fn nothing_names_a_registry_or_a_folder_of_one_machine() {
    let names = [
        concat!("crates", ".io"),
        concat!("py", "pi.org"),
        concat!("python", "hosted.org"),
        concat!("npm", "js.org"),
        concat!("npm", "js.com"),
        concat!("deb", ".debian.org"),
        concat!("\"/ro", "ot/"),
        concat!(" /ro", "ot/"),
        concat!("/wo", "rk/"),
        concat!("/ho", "me/"),
        concat!("/Us", "ers/"),
    ];
    // The lock file is cargo's, and names the registry of every crate.
    for path in files().iter().filter(|path| !path.ends_with("Cargo.lock")) {
        let Ok(text) = fs::read_to_string(root().join(path)) else { continue };
        for name in names {
            assert!(!text.contains(name), "{path} names {name}");
        }
    }
}

#[test]
fn sam_builds_what_deploy_is() {
    let profile = |path: &str, name: &str| -> BTreeSet<String> {
        let (mut within, mut lines) = (String::new(), BTreeSet::new());
        for line in read(path).lines().map(str::trim) {
            if let Some(rest) = line.strip_prefix("[profile.") {
                within = rest.strip_prefix(name).filter(|rest| rest.starts_with([']', '.'])).unwrap_or_default().to_owned();
            } else if line.starts_with('[') {
                within.clear();
            } else if !within.is_empty() && line.contains('=') && !line.starts_with("inherits") {
                lines.insert(format!("{within} {line}"));
            }
        }
        assert!(!lines.is_empty(), "{path} has no profile {name}");
        lines
    };
    assert_eq!(profile("functions/.cargo/config.toml", "release"), profile("Cargo.toml", "deploy"));
}
