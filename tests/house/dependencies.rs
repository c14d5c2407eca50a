//! The dependencies between crates and between modules, from cargo's tree and from the sources.

use std::{collections::BTreeSet, process::Command};

use super::{
    files,
    imports::{code, paths},
    output, read, sections, shipped, sources,
};

const NOUNS: [&str; 5] = ["identity", "upload", "packaging", "keys", "playback"];

/// The crates that emulate AWS.
const ENGINES: [&str; 3] = ["dynoxide-rs", "s3s", "s3s-fs"];

/// The names of all crates in the dependency tree of a package.
fn tree(package: &str) -> BTreeSet<String> {
    let listed =
        output(Command::new(env!("CARGO")).args(["tree", "--locked", "--edges", "normal", "--prefix", "none", "--package", package]));
    let names: BTreeSet<String> = listed.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    assert!(names.contains(package), "cargo tree does not list {package}");
    names
}

/// The unwanted crates in the dependency tree of a package.
fn unwanted(package: &str, is_unwanted: impl Fn(&str) -> bool) -> Vec<String> {
    tree(package).into_iter().filter(|name| is_unwanted(name)).collect()
}

/// Whether a crate belongs to AWS's SDK or the Lambda runtime. aws-lc is cryptography without
/// network.
fn is_aws(name: &str) -> bool {
    (name.starts_with("aws-") && !name.starts_with("aws-lc-")) || name.starts_with("lambda_")
}

#[test]
fn shared_has_no_io_clock_or_environment() {
    let io = ["tokio", "mio", "socket2", "hyper", "reqwest", "rustls", "axum", "dynoxide-rs", "getrandom"];
    assert_eq!(unwanted("shared", |name| is_aws(name) || io.contains(&name)), [""; 0]);
    for (path, text) in sources(&["shared/src"]) {
        for path_of_io in ["std::fs", "std::net", "std::env", "std::process", "SystemTime", "Instant::now"] {
            assert!(!shipped(&text).contains(path_of_io), "{path} uses {path_of_io}");
        }
    }
}

#[test]
fn the_transcoder_links_no_network_client() {
    let clients = ["reqwest", "rustls", "native-tls", "ureq", "hyper-rustls", "cloud"];
    assert_eq!(unwanted("transcoder", |name| is_aws(name) || clients.contains(&name)), [""; 0]);
}

#[test]
fn only_cloud_depends_on_aws_and_only_local_on_engines() {
    let manifests: Vec<String> = files().into_iter().filter(|path| path.ends_with("Cargo.toml") && path != "Cargo.toml").collect();
    assert!(manifests.len() >= 9, "the workspace has only {manifests:?}");
    for path in manifests {
        for name in read(&path).lines().filter_map(|line| line.split(['.', ' ', '=']).next()) {
            assert!(!is_aws(name) || path == "shared/cloud/Cargo.toml", "{path} depends on {name}");
        }
        for (section, names) in sections(&read(&path)) {
            let engines = names.iter().filter(|name| ENGINES.contains(&name.as_str())).count();
            assert!(engines == 0 || path == "shared/local/Cargo.toml", "{path} has an engine in its {section}");
        }
    }
}

#[test]
fn nouns_do_not_import_each_other() {
    let mut checked = 0;
    for noun in NOUNS {
        for (path, text) in sources(&["shared/src/", "shared/cloud/src/"]) {
            if !path.contains(&format!("/src/{noun}/")) && !path.ends_with(&format!("/src/{noun}.rs")) {
                continue;
            }
            checked += 1;
            let others: Vec<_> =
                imported(shipped(&text)).into_iter().filter(|name| NOUNS.contains(&name.as_str()) && name != noun).collect();
            assert!(others.is_empty(), "{path} imports {others:?}");
        }
    }
    assert!(checked > 5, "only {checked} files belong to a noun");
}

/// The modules of `crate` and `shared` that a source names, in `use` trees or in expressions.
fn imported(text: &str) -> Vec<String> {
    let modules = paths(&code(text)).into_iter().map(|named| named.path).filter(|path| ["crate", "shared"].contains(&path[0].as_str()));
    modules.filter_map(|path| path.into_iter().nth(1)).collect()
}

#[test]
fn use_trees_are_parsed() {
    let text = "use crate::{\n    gateway::{keys, Reply},\n    upload::Policy,\n    vault,\n};\nuse shared::identity::Id;\nlet x = crate::playback::now();";
    assert_eq!(imported(text), ["gateway", "gateway", "upload", "vault", "identity", "playback"]);
}

#[test]
fn sam_builds_with_the_deploy_profile() {
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
