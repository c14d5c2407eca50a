//! Any body is a request or an error, and a request has one reply, which is a request itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::{
    crypto::system_rng,
    keys::{
        KeyDerivation,
        cpix::{Form, KeyIds, ReplyOptions, Request, SpekeVersion},
    },
    secret::Secret,
};

fuzz_target!(|input: (u8, &[u8])| {
    let (choice, body) = input;
    let form = match choice % 4 {
        0 => Form::Speke(SpekeVersion::V1),
        1 => Form::Speke(SpekeVersion::V2_0),
        2 => Form::Speke(SpekeVersion::V2_1),
        _ => Form::Vendor,
    };
    let key_ids = if choice & 4 == 0 { KeyIds::Requested } else { KeyIds::Derived };
    let Ok(request) = Request::parse(body, form) else { return };
    let keys = request.derive_keys(&KeyDerivation::new(&Secret::new([7; 32])), "TUTO", key_ids);
    let options = ReplyOptions { key_url: "https://keys.test", ..ReplyOptions::default() };
    let reply = request.fill(&keys, &options, &mut system_rng());
    assert!(!request.recipients.is_empty() || request.fill(&keys, &options, &mut system_rng()).expose() == reply.expose());
    // Derived ids of two keys with one track are the same id.
    if key_ids == KeyIds::Requested && reply.expose().len() < 1 << 20 {
        match Request::parse(reply.expose().as_bytes(), form) {
            Ok(again) => assert_eq!(again.keys.len(), keys.len()),
            // A reply adds attributes.
            Err(error) => assert!(error.to_string().ends_with("too many attributes"), "{error}"),
        }
    }
});
