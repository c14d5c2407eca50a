//! The documents of the contract, read in place. They are not part of the repository.

use std::{fs, path::Path};

use serde_json::Value;

/// A file of vectors; `None`, with a line that says so, where the folder is missing.
pub fn vectors(name: &str) -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors").join(name);
    let text = fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("SKIPPED: {} does not exist", path.display());
    }
    text.map(|text| serde_json::from_str(&text).expect("vectors are JSON"))
}
