//! Any text is an id or an error, and an id is formatted as it was parsed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::identity::Id;

fuzz_target!(|text: &str| {
    if let Ok(id) = Id::parse(text) {
        let canonical = if text.starts_with("HY") { text.replacen("HY", "hY", 1) } else { text.into() };
        assert_eq!(id.to_string(), canonical);
    }
});
