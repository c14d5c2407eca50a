//! No token is accepted without a signature.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use shared::{
    crypto::jws::{self, KeySet, SigningKey},
    identity::token::{self, Access, Claims, Init, Smart},
};

static KEYS: LazyLock<KeySet> = LazyLock::new(|| {
    let key = serde_json::to_string(SigningKey::generate().unwrap().public()).unwrap();
    KeySet::from_json(&format!(r#"{{"keys":[{key}]}}"#)).unwrap()
});

/// The signature is verified before the claims, so none of the errors is about a claim.
fn refuse<C: Claims>(text: &str) {
    use jws::Error::{Algorithm, Malformed, Signature, UnknownKey};
    let verified = token::verify::<C>(text, &KEYS, "rampway", 1);
    assert!(matches!(verified, Err(token::Error::Signature(Malformed | UnknownKey | Algorithm | Signature))));
}

fuzz_target!(|text: &str| {
    refuse::<Smart>(text);
    refuse::<Init>(text);
    refuse::<Access>(text);
});
