//! Whatever token comes: nobody has signed it, so none is accepted.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use shared::{
    crypto::jws::{KeySet, SigningKey},
    identity::token::{self, Access, Init, Smart},
};

static KEYS: LazyLock<KeySet> = LazyLock::new(|| {
    let key = serde_json::to_string(SigningKey::generate().unwrap().public()).unwrap();
    KeySet::from_json(&format!(r#"{{"keys":[{key}]}}"#)).unwrap()
});

fuzz_target!(|text: &str| {
    assert!(token::verify::<Smart>(text, &KEYS, "rampway", 1).is_err());
    assert!(token::verify::<Init>(text, &KEYS, "rampway", 1).is_err());
    assert!(token::verify::<Access>(text, &KEYS, "rampway", 1).is_err());
});
