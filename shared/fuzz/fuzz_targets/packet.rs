//! No text opens that is not sealed to the recipient's key.
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
    assert!(matches!(packet::open(text, &TRANSCODER), Err(packet::Error::Form | packet::Error::Recipient)));
    assert!(matches!(jwe::open(&Secret::new([1; 64]), "item", text), Err(jwe::Error::Malformed | jwe::Error::Content)));
});
