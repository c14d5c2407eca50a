//! Whatever body comes: answers that are JSON, one an entry, or a documented failure.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use shared::{
    identity::{
        ClientKeys, Direction, Packet, Scopes,
        packet::{DomainKeys, KeyVersion},
        rpc::{Body, Ids},
        translate::Batch,
    },
    secret::Secret,
};

static ROOM: LazyLock<(ClientKeys, Scopes)> = LazyLock::new(|| {
    let keys = |domain: &str, key| DomainKeys {
        domain: domain.parse().unwrap(),
        keys: vec![KeyVersion { kid: "1".into(), not_before: 0, not_after: None, key: Secret::new([key; 64]) }],
    };
    let domains = vec![keys("1005", 1), keys("1006", 2)];
    let direction = Direction { from: "1005".parse().unwrap(), to: "1006".parse().unwrap() };
    (ClientKeys::new(Packet { id: "p".into(), client_id: "c".into(), expires: 10, domains }), [direction].into_iter().collect())
});

fuzz_target!(|bytes: &[u8]| {
    let (session, scopes) = &*ROOM;
    let transcode = |ids: Ids<'_>| {
        let mut out = Vec::new();
        ids.transcode(|| Batch::new(session, scopes, 1), &mut out).map(|_| out)
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
        let answers: Vec<serde_json::Value> = serde_json::from_slice(&out).unwrap();
        assert_eq!(entries.len(), answers.len());
    }
});
