//! Any bytes are a key or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::crypto::{
    jwe::{PrivateKey, PublicKey},
    jws::{KeySet, SigningKey},
};

fuzz_target!(|bytes: &[u8]| {
    let _ = SigningKey::from_pkcs8(bytes);
    let Ok(text) = str::from_utf8(bytes) else { return };
    let _ = KeySet::from_json(text);
    let _ = KeySet::from_pem(text);
    if let Ok(key) = PublicKey::from_pem(text) {
        assert_eq!(PublicKey::from_pem(key.to_pem()).unwrap().kid(), key.kid());
    }
    let _ = PrivateKey::from_pem(text);
});
