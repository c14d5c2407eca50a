//! The fast path and the reference give the same outcome for every body.

mod differential;

use std::sync::LazyLock;

use proptest::prelude::*;
use shared::identity::Kind;

use differential::{compare, compare_csv, compare_lines, keys::KEYS};

static ID: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mint = |kind: Kind, domain: &str| {
        KEYS.0.mint(kind, domain.parse().expect("a domain"), &[7; 32][..kind.payload_len()], 1).expect("a key").to_string()
    };
    vec![mint(Kind::Maintained, "1005"), mint(Kind::Derived, "1005"), mint(Kind::Household, "1006"), mint(Kind::Maintained, "1006")]
});

fn body(entries: &str) -> String {
    format!(r#"{{"smart_token":"a.b.c","transcode_data":[{entries}]}}"#)
}

#[test]
fn plain_bodies_are_parsed_on_the_fast_path() {
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
fn unusual_entries_have_the_reference_s_outcome() {
    let id = &ID[0];
    let unusual = [
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
    let usual = format!(r#"{{"value":"{id}","target":"1006"}}"#);
    for entry in unusual.map(|entry| entry.replace("ID", id)) {
        for entries in [entry.clone(), format!("{usual},{usual},{entry},{usual},{usual}")] {
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

/// Pieces of bodies, which together almost make a body.
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

/// Bytes with a meaning in some format.
const SYNTAX: &[u8] = b"\"\\,:{}[]# \n\r\tnul01-eE.\x00\x1F\x7F\x80\xC3\xFF";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_body_has_the_reference_s_outcome(
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
