//! Whatever text comes: an id or a refusal, and an id is written as it was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::identity::Id;

fuzz_target!(|text: &str| {
    if let Ok(id) = Id::parse(text) {
        let first_spelling = if text.starts_with("HY") { text.replacen("HY", "hY", 1) } else { text.into() };
        assert_eq!(id.to_string(), first_spelling);
    }
});
