//! Imports between the files of one crate go down only.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{files, shipped, sources};

#[test]
fn no_files_of_a_crate_import_each_other_in_a_circle() {
    let files = files();
    let roots = files.iter().filter_map(|path| path.strip_suffix("lib.rs").or_else(|| path.strip_suffix("main.rs")));
    let (mut looked_at, mut circles) = (0, Vec::new());
    for folder in roots.filter(|folder| folder.ends_with('/') && *folder != "tests/").collect::<BTreeSet<_>>() {
        let texts: Vec<_> = sources(&[folder]).into_iter().filter(|(path, _)| !is_test(path)).collect();
        looked_at += texts.len();
        circles.extend(circle(&CrateFiles::new(folder, &texts).imports()).map(|circle| circle.join(" -> ")));
    }
    assert_eq!(circles, [""; 0], "files import each other in circles");
    assert!(looked_at > 150, "only {looked_at} files were looked at");
}

fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

/// The source files of a crate, by the paths of their modules.
struct CrateFiles<'a> {
    modules: BTreeMap<Vec<String>, SourceFile<'a>>,
}

/// A source file, and the paths in it with the name that each gives to what it names.
struct SourceFile<'a> {
    path: &'a str,
    named: Vec<Named>,
}

/// A path, and the name by which the source has what it names.
pub(crate) struct Named {
    name: String,
    pub(crate) path: Vec<String>,
}

impl<'a> CrateFiles<'a> {
    fn new(folder: &str, texts: &'a [(String, String)]) -> Self {
        let file = |(path, text): &'a (String, String)| (module(folder, path), SourceFile { path, named: paths(&code(shipped(text))) });
        Self { modules: texts.iter().map(file).collect() }
    }

    /// Each file with the files that it imports from.
    fn imports(&self) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
        let imports = |(module, file): (&Vec<String>, &SourceFile<'a>)| {
            let targets = file.named.iter().filter_map(|named| self.file_of(module, &named.path, 8));
            (file.path, targets.filter(|target| *target != file.path).collect())
        };
        self.modules.iter().map(imports).collect()
    }

    /// The file that defines what a path in a module names, if it is one of this crate's. A name that a
    /// file has from elsewhere is followed to where it comes from, over at most so many files.
    fn file_of(&self, module: &[String], path: &[String], follow: usize) -> Option<&'a str> {
        let mut at = module.to_vec();
        match path[0].as_str() {
            "crate" => at.clear(),
            "self" => {}
            "super" => drop(at.pop()),
            child => {
                at.push(child.to_owned());
                // A name that is no module of this file is another crate's, or an item's.
                self.modules.get(&at)?;
            }
        }
        let mut rest = path[1..].iter();
        let item = loop {
            match rest.next() {
                Some(name) if name == "super" => drop(at.pop()),
                Some(name) => {
                    at.push(name.clone());
                    if !self.modules.contains_key(&at) {
                        at.pop();
                        break Some(name);
                    }
                }
                None => break None,
            }
        };
        let file = self.modules.get(&at)?;
        let imported = item.and_then(|item| file.named.iter().find(|named| named.name == *item && at != module));
        let origin = imported.filter(|_| follow > 0).and_then(|named| self.file_of(&at, &named.path, follow - 1));
        Some(origin.unwrap_or(file.path))
    }
}

/// `["identity", "translate"]` of `src/identity/translate/mod.rs` and of `src/identity/translate.rs`.
fn module(folder: &str, path: &str) -> Vec<String> {
    let path = Path::new(path.strip_prefix(folder).expect("it lies in the folder")).with_extension("");
    let mut names: Vec<_> = path.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    if names.last().is_some_and(|name| ["lib", "main", "mod"].contains(&name.as_str())) {
        names.pop();
    }
    names
}

/// A source without comments and without what stands between quotes.
pub(crate) fn code(text: &str) -> String {
    let mut code = String::new();
    for line in text.lines() {
        let mut quoted = false;
        let mut letters = line.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' if quoted => drop(letters.next()),
                '"' => quoted = !quoted,
                '/' if !quoted && letters.peek() == Some(&'/') => break,
                _ if !quoted => code.push(letter),
                _ => {}
            }
        }
        code.push('\n');
    }
    code
}

/// Every path with at least two names in a source, the branches of `use` trees one by one.
pub(crate) fn paths(code: &str) -> Vec<Named> {
    let mut paths = Vec::new();
    let mut rest = code;
    while let Some(start) = rest.find(|letter: char| is_of_names(letter)) {
        // What follows a dot is a method, and what follows `::` belongs to an outer path.
        let within = rest[..start].ends_with(['.', ':']);
        rest = &rest[start..];
        let end = name_len(rest);
        rest = if !within && rest[end..].starts_with("::") {
            // With its branches, which are no paths of their own.
            branches(&mut Vec::new(), rest, &mut paths)
        } else {
            &rest[end..]
        };
    }
    paths
}

/// Reads one tree, such as `a::{b, c::d as e}`, and gives what follows it.
fn branches<'a>(prefix: &mut Vec<String>, tree: &'a str, paths: &mut Vec<Named>) -> &'a str {
    let tree = tree.trim_start();
    if let Some(mut list) = tree.strip_prefix('{') {
        loop {
            list = branches(prefix, list, paths).trim_start();
            match list.chars().next() {
                Some(',') => list = &list[1..],
                Some('}') => return &list[1..],
                _ => return list,
            }
        }
    }
    let end = name_len(tree);
    if end == 0 {
        return tree;
    }
    prefix.push(tree[..end].to_owned());
    let rest = if let Some(rest) = tree[end..].strip_prefix("::") {
        branches(prefix, rest, paths)
    } else {
        let rest = &tree[end..];
        let alias = rest.trim_start().strip_prefix("as ").map(str::trim_start);
        let path: Vec<_> = prefix.iter().filter(|name| *name != "self" || prefix[0] == **name).cloned().collect();
        let name = alias.map_or_else(|| path[path.len() - 1].clone(), |alias| alias[..name_len(alias)].to_owned());
        paths.push(Named { name, path });
        alias.map_or(rest, |alias| &alias[name_len(alias)..])
    };
    prefix.pop();
    rest
}

fn is_of_names(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn name_len(text: &str) -> usize {
    text.find(|letter: char| !is_of_names(letter)).unwrap_or(text.len())
}

/// A circle of files, if there is one: the first is named again at the end.
fn circle<'a>(imports: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> Option<Vec<&'a str>> {
    let mut left: BTreeSet<&str> = imports.keys().copied().collect();
    // What imports nothing that is left is in no circle.
    while let Some(end) = left.iter().copied().find(|file| imports[file].is_disjoint(&left)) {
        left.remove(end);
    }
    let mut way = vec![*left.first()?];
    loop {
        let next = *imports[way[way.len() - 1]].intersection(&left).next()?;
        if let Some(start) = way.iter().position(|file| *file == next) {
            way.push(next);
            return Some(way.split_off(start));
        }
        way.push(next);
    }
}

#[test]
fn a_circle_is_found_wherever_it_is_closed() {
    let files = |lib: &str, a: &str, b: &str| {
        let texts = [("src/lib.rs", lib), ("src/a/mod.rs", a), ("src/a/b.rs", b)].map(|(path, text)| (path.to_owned(), text.to_owned()));
        circle(&CrateFiles::new("src/", &texts).imports()).map(|circle| circle.join(" "))
    };
    assert_eq!(files("mod a;\npub use a::{A, b::B};", "pub mod b;\nuse std::fmt;", "use serde::a::A; // super::A"), None);
    assert_eq!(
        files("use a::A;", "use self::b::B;", "fn f() -> crate::X {}").as_deref(),
        Some("src/a/b.rs src/lib.rs src/a/mod.rs src/a/b.rs")
    );
    assert_eq!(files("", "use b::B;", "use super::{\n    fmt::{C, D},\n    A,\n};").as_deref(), Some("src/a/b.rs src/a/mod.rs src/a/b.rs"));
    assert_eq!(files("", "fn f() { b::call() }", "use super::super::a::b::B;"), None);
    assert_eq!(files("", "use b::B;", "use super::{super::fmt::B};"), None);
    // What a file only passes on comes from where it is defined.
    assert_eq!(files("mod a;\npub use a::Error;", "mod b;\npub use b::B as Error;", "use crate::Error;"), None);
}
