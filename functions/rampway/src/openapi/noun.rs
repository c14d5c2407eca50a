//! The nouns of the API: their files, and their tables of codes.

use serde_json::Value;
use shared::{identity, upload};

/// A noun's operations.
pub(super) struct Noun {
    /// The prefix of the schemas `…Error`, the body of an error, and `…Code`, its codes.
    pub(super) name: &'static str,
    /// The member of an error's body that holds the code.
    pub(super) error_key: &'static str,
    /// The codes and their messages.
    pub(super) codes: fn() -> Vec<(&'static str, &'static str)>,
    /// The files of its parts of the document.
    parts: &'static [&'static str],
}

impl Noun {
    /// Its parts of the document.
    pub(super) fn parts(&self) -> Vec<Value> {
        self.parts.iter().map(|part| serde_norway::from_str(part).expect("a test reads every part")).collect()
    }
}

/// The rows of a noun's tables of codes.
macro_rules! rows {
    ($($codes:ty),+) => {
        || [$(<$codes>::ALL.iter().map(|code| (code.code(), code.message())).collect::<Vec<_>>()),+].concat()
    };
}

const IDENTITY: &[&str] = &[include_str!("authority.yaml"), include_str!("proxy.yaml")];
const UPLOAD: &[&str] = &[include_str!("upload.yaml")];

pub(super) const NOUNS: [Noun; 2] = [
    Noun { name: "Identity", error_key: "code", codes: rows!(identity::Code), parts: IDENTITY },
    Noun { name: "Upload", error_key: "error", codes: rows!(upload::Code, upload::Refusal), parts: UPLOAD },
];
