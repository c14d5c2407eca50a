//! Whatever body comes: the fast way and the reference, which is `serde_json`, accept the same and answer the same.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use shared::{
    identity::{
        ClientKeys, Direction, Kind, Packet, Scopes,
        packet::{DomainKeys, KeyVersion},
        rpc::{Body, Csv, Error, Ids, reference},
        translate::{Batch, Usage},
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

/// What a control character stands for, so that bodies that come by chance have ids and entries.
static WORDS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let id = |kind: Kind| ROOM.0.mint(kind, "1005".parse().unwrap(), &[7; 32][..kind.payload_len()], 1).unwrap().to_string();
    let (xy, xi) = (id(Kind::Maintained), id(Kind::Derived));
    let entry = format!(r#"{{"value":"{xy}","target":"1006"}}"#);
    let words = [&xy, &xi, &entry, r#"{"target":"1006","values":["#, r#""value":"#, r#""target":"1006""#, r#"{"transcode_data":["#, "]}"];
    words.map(str::to_owned).into()
});

fn begin() -> Batch<'static> {
    Batch::new(&ROOM.0, &ROOM.1, 1)
}

type Outcome = Result<(Vec<u8>, Usage), Error>;

fn fast(ids: Ids<'_>) -> Outcome {
    let mut out = Vec::new();
    let usage = ids.transcode(begin, &mut out)?;
    Ok((out, usage))
}

fn slow(transcode: impl FnOnce(&mut Batch<'_>, &mut Vec<u8>) -> Result<(), Error>) -> Outcome {
    let (mut batch, mut out) = (begin(), Vec::new());
    transcode(&mut batch, &mut out)?;
    Ok((out, batch.finish()?))
}

fuzz_target!(|bytes: &[u8]| {
    let text: Vec<u8> = bytes
        .iter()
        .flat_map(|byte| byte.checked_sub(1).and_then(|word| WORDS.get(usize::from(word))).map_or(vec![*byte], |word| word.clone().into()))
        .collect();
    let whole = Body::parse(&text);
    if let Some(data) = whole.as_ref().ok().and_then(|body| body.transcode_data) {
        assert_eq!(fast(Ids::Array(data)), slow(|batch, out| reference::transcode(data, batch, out)));
    }
    if let Some((head, ids)) = Body::begin(&text)
        && let Ok(answer) = fast(ids)
    {
        let whole = whole.expect("what is read in one go is a body");
        assert_eq!((head.rpc, head.smart_token, head.init_token), (whole.rpc, whole.smart_token, whole.init_token));
        assert_eq!(Ok(answer), slow(|batch, out| reference::transcode(whole.transcode_data.unwrap(), batch, out)));
    }
    assert_eq!(fast(Ids::Lines(&text)), slow(|batch, out| reference::transcode_lines(&text, batch, out)));
    for target in [None, Some("1006".parse().unwrap())] {
        if let Ok(csv) = Csv::parse(&text, target) {
            assert_eq!(fast(Ids::Csv(csv)), slow(|batch, out| reference::transcode_csv(csv, batch, out)));
        }
    }
});
