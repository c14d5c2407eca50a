//! The fast way through a body and the reference: one outcome, whatever the body.

use std::sync::LazyLock;

use proptest::prelude::*;
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
        domain: domain.parse().expect("a domain"),
        keys: vec![KeyVersion { kid: "1".into(), not_before: 0, not_after: None, key: Secret::new([key; 64]) }],
    };
    let domains = vec![keys("1005", 1), keys("1006", 2), keys("1007", 3)];
    let direction = |from: &str, to: &str| Direction { from: from.parse().expect("a domain"), to: to.parse().expect("a domain") };
    let scopes = [direction("1005", "1006"), direction("1005", "1007"), direction("1006", "1007")];
    (ClientKeys::new(Packet { id: "p".into(), client_id: "c".into(), expires: 10, domains }), scopes.into_iter().collect())
});

static ID: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mint = |kind: Kind, domain: &str| {
        ROOM.0.mint(kind, domain.parse().expect("a domain"), &[7; 32][..kind.payload_len()], 1).expect("a key").to_string()
    };
    vec![mint(Kind::Maintained, "1005"), mint(Kind::Derived, "1005"), mint(Kind::Household, "1006"), mint(Kind::Maintained, "1006")]
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

/// Reads a JSON body both ways, and says whether the fast one went to the end.
fn compare(text: &[u8]) -> bool {
    let whole = Body::parse(text);
    if let Ok(Some(data)) = whole.as_ref().map(|body| body.transcode_data) {
        assert_eq!(fast(Ids::Array(data)), slow(|batch, out| reference::transcode(data, batch, out)));
    }
    let Some((head, ids)) = Body::begin(text) else { return false };
    let Ok(answer) = fast(ids) else { return false };
    let whole = whole.expect("what is read in one go is a body");
    let fields = |body: &Body<'_>| (body.rpc.clone(), body.client_id.clone(), body.smart_token.clone(), body.init_token.clone());
    assert_eq!(fields(&head), fields(&whole));
    assert_eq!(Ok(answer), slow(|batch, out| reference::transcode(whole.transcode_data.expect("it has ids"), batch, out)));
    true
}

fn compare_lines(text: &[u8]) {
    assert_eq!(fast(Ids::Lines(text)), slow(|batch, out| reference::transcode_lines(text, batch, out)));
}

fn compare_csv(text: &[u8]) {
    for target in [None, Some("1006".parse().expect("a domain"))] {
        if let Ok(csv) = Csv::parse(text, target) {
            assert_eq!(fast(Ids::Csv(csv)), slow(|batch, out| reference::transcode_csv(csv, batch, out)));
        }
    }
}

fn body(entries: &str) -> String {
    format!(r#"{{"smart_token":"a.b.c","transcode_data":[{entries}]}}"#)
}

#[test]
fn plain_bodies_are_read_in_one_go() {
    let entry = |id: &str| format!(r#"{{"value":"{id}","target":"1006"}}"#);
    let group = |ids: &[&str]| format!(r#"{{"target":"1006","values":["{}"]}}"#, ids.join(r#"",""#));
    let singles = vec![entry(&ID[0]); 3000].join(",");
    let (mixed, bad) = ([entry(&ID[1]), group(&[&ID[0], "bad"]), entry("")].join(" ,\n\t"), entry("bad"));
    let every = [&singles, &mixed, &bad, &group(&vec![ID[0].as_str(); 3000]), &[&*singles, &bad, &singles].join(", ")];
    for entries in every {
        assert!(compare(body(entries).as_bytes()), "{}", &entries[..entries.len().min(200)]);
    }
    assert!(compare(format!("{{\"transcode_data\" : [ {singles} ]\r\n }}\n").as_bytes()));
    compare_lines(vec![entry(&ID[0]); 3000].join("\r\n").as_bytes());
    compare_csv(format!("{},1006\n", ID[0]).repeat(3000).as_bytes());
}

#[test]
fn odd_entries_come_out_as_by_the_reference() {
    let id = &ID[0];
    let odd = [
        r#"{"value":"ID","target":"1006","target":"1006"}"#,
        r#"{"value":"ID","target":"1006","value":null}"#,
        r#"{"value":null,"target":"1006","values":["ID"]}"#,
        r#"{"values":["ID",null,"\u0058Y"],"target":"1006"}"#,
        r#"{"v\u0061lue":"ID","target":"1006"}"#,
        r#"{"value":"ID","target":"10\u00306"}"#,
        r#"{"row":[{"a":-1.5e3}],"value":"ID","target":"1006","x":"é\ud800"}"#,
        r#"{"row":01,"value":"ID","target":"1006"}"#,
        r#"["ID","1006"]"#,
        r#"{"value":"ID","target":"1006"},"#,
        r#"{"value":"ID","target":"1006"}{"value":"ID","target":"1006"}"#,
        r#"{"value":"ID","target":7}"#,
        r#"{"value":"ID"}"#,
        r#"{"value":"ID","target":null}"#,
        r#"{"target":"1006","values":["ID",]}"#,
        r#"{"target":"1006","values":["ID"],"values":["ID"]}"#,
        r#"{"target":"1006","values":["ID"],"value":"ID"}"#,
        r#"{"target":"1006","values":"ID"}"#,
        r#"{"target":"1006","values":[],}"#,
        "{}",
        "null",
        "{\"value\":\"ID\u{1}\",\"target\":\"1006\"}",
        "{\"value\":\"I\u{7f}D\",\"target\":\"1006\"}",
    ];
    let good = format!(r#"{{"value":"{id}","target":"1006"}}"#);
    for odd in odd.map(|odd| odd.replace("ID", id)) {
        for entries in [odd.clone(), format!("{good},{good},{odd},{good},{good}")] {
            compare(body(&entries).as_bytes());
            compare_lines(entries.replace(",{", "\n{").as_bytes());
        }
    }
    for text in [r#"{"transcode_data":[],"rpc":"metrics","x":[]}"#, r#"{"x":{"transcode_data":[]}}"#, r#"{"transcode_data":[]]}"#] {
        assert!(!compare(text.as_bytes()));
    }
    for text in ["", "\n", "\n\n", ",", "\"ID\",1006\n", " ID , 1006 \r\nID", "ID\nID,\n\"ID\"\nID,1006,7\n", "ID,\"1006\"\nID,10067\n"] {
        compare_csv(text.replace("ID", id).as_bytes());
        compare_csv(text.replace("ID", id).repeat(9).as_bytes());
    }
    compare_csv(b"#smart_token=a\n#init_token=b\n#x=c\n\xFF\n");
}

/// Pieces of bodies, so that what is put together is almost one.
fn piece() -> impl Strategy<Value = String> {
    let id = prop::sample::select(vec![0, 1, 2, 3]).prop_map(|index: usize| ID[index].clone());
    let target = prop::sample::select(vec!["1006", "1007", "10", "1\\u003006", "é"]);
    let space = prop::sample::select(vec!["", "", "", " ", "\n", "\t "]);
    prop_oneof![
        8 => (id.clone(), target.clone(), space.clone()).prop_map(|(id, target, s)| format!("{{{s}\"value\":{s}\"{id}\"{s},\"target\":\"{target}\"{s}}}")),
        4 => (prop::collection::vec(id.clone(), 0..6), target.clone(), space.clone())
            .prop_map(|(ids, target, s)| format!("{{\"target\":\"{target}\",{s}\"values\":[{s}\"{}\"]}}", ids.join(&format!("\",{s}\"")))),
        2 => (id.clone(), target.clone()).prop_map(|(id, target)| format!("{{\"values\":[\"{id}\",null],\"target\":\"{target}\"}}")),
        2 => (id.clone(), target, any::<i32>()).prop_map(|(id, target, row)| format!("{{\"row\":{row},\"target\":\"{target}\",\"value\":\"{id}\"}}")),
        1 => (id, any::<String>()).prop_map(|(id, any)| format!("{{\"{any}\":\"{any}\",\"value\":\"{id}\"}}")),
    ]
}

/// Bytes that mean something in some format.
const SYNTAX: &[u8] = b"\"\\,:{}[]# \n\r\tnul01-eE.\x00\x1F\x7F\x80\xC3\xFF";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_body_is_read_in_two_ways(
        pieces in prop::collection::vec(piece(), 0..12),
        repeat in 1..4_usize,
        separator in prop::sample::select(vec![",", ", ", "\n", ",\n  ", "\r\n"]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(SYNTAX.to_vec()), 0..3_u8), 0..3),
    ) {
        let entries = vec![pieces.join(separator); repeat].join(separator);
        let csv = entries.replace(['{', '}', '[', ']'], "").replace("\"value\":", "").replace("\"target\":", "");
        for text in [body(&entries), entries, csv.replace('"', ""), csv] {
            let mut text = text.into_bytes();
            for (index, byte, change) in &changes {
                let at = index.index(text.len() + 1);
                match change {
                    0 => text.insert(at, *byte),
                    _ if at == text.len() => {}
                    1 => text[at] = *byte,
                    _ => drop(text.remove(at)),
                }
            }
            compare(&text);
            compare_lines(&text);
            compare_csv(&text);
        }
    }
}
