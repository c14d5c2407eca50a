//! README, changelog, contributing guide and manual: short, linked, and in the field's words.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{files, read, root};

/// The front page takes five minutes to read.
const MAX_README_WORDS: usize = 1500;
const MAX_README_LINES: usize = 180;

/// The folder of the manual, from the workspace's root.
const MANUAL: &str = "shared/src/manual/";
/// The pages' links for rustdoc. No page itself.
const RUSTDOC_LINKS: &str = "shared/src/manual/rustdoc_links.md";

/// Every document for readers, by path from the workspace's root, with its text.
pub(crate) fn documents() -> BTreeMap<String, String> {
    let is_document = |path: &String| {
        let document = ["README.md", "CHANGELOG.md", ".github/CONTRIBUTING.md"].contains(&path.as_str());
        let is_page = Path::new(path).extension().is_some_and(|extension| extension == "md");
        document || (is_page && path.starts_with(MANUAL) && path != RUSTDOC_LINKS)
    };
    files().into_iter().filter(is_document).map(|path| (path.clone(), read(&path))).collect()
}

/// A page of the manual.
pub(crate) fn page(name: &str) -> String {
    read(&format!("{MANUAL}{name}.md"))
}

/// The blocks of code of a document, each with its language.
pub(crate) fn blocks(text: &str) -> Vec<(&str, &str)> {
    let mut fences = text.split("\n```");
    let _before = fences.next();
    fences.step_by(2).map(|block| block.split_once('\n').unwrap_or((block, ""))).collect()
}

#[test]
fn the_readme_takes_five_minutes() {
    let text = read("README.md");
    let (words, lines) = (text.split_whitespace().count(), text.lines().count());
    assert!(words <= MAX_README_WORDS, "the README has {words} words");
    assert!(lines <= MAX_README_LINES, "the README has {lines} lines");
}

#[test]
fn every_block_of_code_has_a_language() {
    for (path, text) in documents() {
        for (language, block) in blocks(&text) {
            let known = ["sh", "text", "json", "rust", "toml", "yaml"].contains(&language);
            assert!(known, "{path}: rustdoc would run this block as a test: {block}");
        }
    }
}

/// The references that a document uses, and the targets that it defines.
fn links(text: &str) -> (BTreeSet<String>, BTreeMap<String, String>) {
    let (mut used, mut targets) = (BTreeSet::new(), BTreeMap::new());
    for line in text.lines() {
        if let Some((name, target)) = line.strip_prefix('[').and_then(|line| line.split_once("]: ")) {
            targets.insert(name.to_owned(), target.to_owned());
        }
        let references = line.split("][").skip(1).filter_map(|rest| rest.split_once(']'));
        used.extend(references.map(|(name, _)| name.to_owned()));
        for target in line.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target)) {
            used.insert(target.to_owned());
            targets.insert(target.to_owned(), target.to_owned());
        }
    }
    (used, targets)
}

#[test]
fn every_link_leads_to_a_file_and_every_page_is_linked() {
    let mut linked = BTreeSet::new();
    let (_, rustdoc) = links(&read(RUSTDOC_LINKS));
    for (path, text) in documents() {
        let (used, targets) = links(&text);
        assert_eq!(used, targets.keys().cloned().collect(), "{path}: the references used, and those defined");
        for (name, target) in targets.iter().filter(|(_, target)| !target.contains("://")) {
            let folder = root().join(&path).parent().expect("a document has a folder").to_owned();
            let file = folder.join(target);
            assert!(file.exists(), "{path} links to {target}, which does not exist");
            let file = file.canonicalize().expect("the file exists");
            let file = file.strip_prefix(root()).expect("it lies in the workspace").to_string_lossy().into_owned();
            let included = path == "README.md" || path.starts_with(MANUAL);
            assert!(!included || !file.starts_with(MANUAL) || rustdoc.contains_key(name), "{path}: {RUSTDOC_LINKS} does not define {name}");
            linked.insert(file);
        }
    }
    for path in documents().keys() {
        assert!(path == "README.md" || linked.contains(path), "no document links to {path}");
    }
}

#[test]
fn rustdoc_includes_every_page() {
    let modules = read(&format!("{MANUAL}mod.rs"));
    let modules: BTreeSet<&str> = modules.lines().map(str::trim).collect();
    for path in documents().keys().filter(|path| path.starts_with(MANUAL)) {
        let name = Path::new(path).file_stem().and_then(|name| name.to_str()).expect("a page has a name");
        assert!(modules.contains(name), "{MANUAL}mod.rs does not include {path}");
    }
}

#[test]
fn every_path_in_the_contributing_guide_exists() {
    let text = read(".github/CONTRIBUTING.md");
    let spans = text.split('`').skip(1).step_by(2);
    // Of the example's function and of placeholders there is no file.
    let paths = spans.filter(|span| span.contains(['/', '.']) && !span.contains([' ', '<', '(', ':', '*', '[', '\n']));
    let paths: Vec<_> = paths.filter(|span| !span.contains("upload_report")).collect();
    assert!(paths.len() > 20, "the guide names only {paths:?}");
    let all = files();
    for path in paths {
        // A bare file name, such as `setting.rs`, is the name of several.
        let exists = root().join(path).exists() || (!path.contains('/') && all.iter().any(|file| file.ends_with(&format!("/{path}"))));
        assert!(exists, "the guide names {path}, which does not exist");
    }
    for constant in ["CALLS", "SEALS", "FUNCTIONS", "SET_ELSEWHERE", "EXPIRING", "NOUNS", "ENGINES"] {
        let declared = ["tests/house/dependencies.rs", "tests/events.rs", "tests/house/permissions.rs", "tests/house/deployment.rs"];
        let declared = declared.iter().any(|path| read(path).contains(&format!("const {constant}: ")));
        assert!(text.contains(&format!("`{constant}`")) && declared, "the guide and the house tests differ on {constant}");
    }
}
