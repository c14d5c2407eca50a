//! For any body, the results are JSON, one for each entry, or a documented error.
#![no_main]

#[path = "../../tests/differential/keys.rs"]
mod keys;

use libfuzzer_sys::fuzz_target;
use shared::identity::{
    rpc::{Body, Ids},
    translate::Batch,
};

use keys::KEYS;

fuzz_target!(|bytes: &[u8]| {
    let (keys, scopes) = &*KEYS;
    let transcode = |ids: Ids<'_>| {
        let mut out = Vec::new();
        ids.transcode(|| Batch::new(keys, scopes, 1), &mut out).map(|_| out)
    };
    if let Ok(out) = transcode(Ids::Lines(bytes)) {
        assert!(
            out.split_inclusive(|byte| *byte == b'\n').all(|line| serde_json::from_slice::<serde_json::Value>(line).unwrap().is_object())
        );
    }
    let Ok(body) = Body::parse(bytes) else { return };
    let Some(data) = body.transcode_data else { return };
    if let Ok(out) = transcode(Ids::Array(data)) {
        let entries: Vec<serde_json::Value> = serde_json::from_str(data.get()).unwrap();
        let results: Vec<serde_json::Value> = serde_json::from_slice(&out).unwrap();
        assert_eq!(entries.len(), results.len());
    }
});
