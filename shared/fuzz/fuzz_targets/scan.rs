//! For any body, the fast path and the reference, which is `serde_json`, give the same outcome.
#![no_main]

#[path = "../../tests/differential/mod.rs"]
mod differential;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use shared::identity::Kind;

use differential::{compare, compare_csv, compare_lines, keys::KEYS};

/// The words that control characters stand for, so that random bodies have ids and entries.
static WORDS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let id = |kind: Kind| KEYS.0.mint(kind, "1005".parse().unwrap(), &[7; 32][..kind.payload_len()], 1).unwrap().to_string();
    let (xy, xi) = (id(Kind::Maintained), id(Kind::Derived));
    let entry = format!(r#"{{"value":"{xy}","target":"1006"}}"#);
    let words = [&xy, &xi, &entry, r#"{"target":"1006","values":["#, r#""value":"#, r#""target":"1006""#, r#"{"transcode_data":["#, "]}"];
    words.map(str::to_owned).into()
});

fuzz_target!(|bytes: &[u8]| {
    let text: Vec<u8> = bytes
        .iter()
        .flat_map(|byte| byte.checked_sub(1).and_then(|word| WORDS.get(usize::from(word))).map_or(vec![*byte], |word| word.clone().into()))
        .collect();
    compare(&text);
    compare_lines(&text);
    compare_csv(&text);
});
