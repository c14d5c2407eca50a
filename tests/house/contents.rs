//! Rules for the contents of files, and for the top level of the repository.

use std::{collections::BTreeSet, fs};

use super::{files, root, shipped, sources};

/// A file of this length can be read in one sitting.
const MAX_LINES: usize = 300;

/// Words for persons, where a text names a party, and words that the field does not use. In two
/// parts, so that this file does not contain them.
const FORBIDDEN_WORDS: [&str; 19] = [
    concat!("wh", "oever"),
    concat!("wh", "o"),
    concat!("wh", "om"),
    concat!("no", "body"),
    concat!("some", "body"),
    concat!("any", "body"),
    concat!("every", "body"),
    concat!("some", "one"),
    concat!("any", "one"),
    concat!("every", "one"),
    concat!("h", "e"),
    concat!("sh", "e"),
    concat!("h", "is"),
    concat!("h", "im"),
    concat!("h", "er"),
    concat!("de", "ed"),
    concat!("de", "eds"),
    concat!("rel", "ent"),
    concat!("fa", "te"),
];

/// Files that others write: the license, and what package managers generate.
const WRITTEN_BY_OTHERS: [&str; 3] = ["LICENSE", "Cargo.lock", "package-lock.json"];

#[test]
fn only_settings_read_the_environment() {
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
    assert!(settings >= 2, "the workspace has only {settings} setting.rs files");
}

#[test]
fn sources_are_safe_finished_and_short() {
    // In two parts, so that this file does not contain them.
    let unfinished =
        [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("to", "do!("), concat!("unimpl", "emented!("), concat!("dbg", "!(")];
    for (path, text) in sources(&["shared/", "functions/", "tests/"]) {
        assert!(text.lines().count() <= MAX_LINES, "{path} has more than {MAX_LINES} lines");
        let dispatch = path == "shared/src/identity/translate/fused/mod.rs";
        let calls = text.matches(concat!("uns", "afe {")).count();
        assert!(calls == usize::from(dispatch) && !text.contains(concat!("uns", "afe fn")), "{path} has unsafe code");
        for word in unfinished {
            assert!(!text.contains(word), "{path} contains {word}");
        }
        let tests = path.ends_with("/tests.rs")
            || path.contains("/tests/")
            || path.starts_with("tests/")
            || path.contains("/fuzz/")
            || path.contains("/benches/");
        assert!(tests || !shipped(&text).contains(".unwrap()"), "{path} calls unwrap()");
    }
}

#[test]
fn the_top_level_is_fixed() {
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
        assert!(name.starts_with('.') || given.contains(&name.as_str()), "{name} must not be at the top level");
    }
    for name in given.iter().filter(|name| **name != "examples") {
        assert!(top.contains(*name), "{name} is missing from the top level");
    }
}

#[test]
fn no_file_names_a_registry_or_a_local_path() {
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
    // Cargo writes the registry of every crate to the lock file.
    for path in files().iter().filter(|path| !path.ends_with("Cargo.lock")) {
        let Ok(text) = fs::read_to_string(root().join(path)) else { continue };
        for name in names {
            assert!(!text.contains(name), "{path} names {name}");
        }
    }
}

#[test]
fn every_file_names_parties_not_persons() {
    for path in files() {
        let name = path.rsplit('/').next().unwrap_or(&path);
        let Ok(text) = fs::read_to_string(root().join(&path)) else { continue };
        if WRITTEN_BY_OTHERS.contains(&name) {
            continue;
        }
        for (index, line) in text.lines().enumerate() {
            // Identifiers are split at their underscores.
            let mut words = line.split(|letter: char| !letter.is_alphanumeric());
            let found = words.find(|word| FORBIDDEN_WORDS.iter().any(|forbidden| word.eq_ignore_ascii_case(forbidden)));
            assert_eq!(found, None, "{path}:{}: name the party, such as the client or the caller", index + 1);
        }
    }
}
