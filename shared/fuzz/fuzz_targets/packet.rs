//! Whatever sealed text comes: it was not sealed for us, so it does not open.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use shared::{
    crypto::jwe::{self, PrivateKey},
    identity::packet,
    secret::Secret,
};

static TRANSCODER: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate().unwrap());

fuzz_target!(|text: &str| {
    assert!(packet::open(text, &TRANSCODER).is_err());
    assert!(jwe::open(&Secret::new([1; 64]), "item", text).is_err());
});
