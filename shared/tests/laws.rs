//! Properties that hold for every value.

use aes_siv::{KeyInit, siv::Aes256Siv};
use proptest::prelude::*;
use serde_json::json;
use shared::{
    crypto::{jwe, jws::KeySet, jws::SigningKey, siv::Key, system_rng},
    identity::{
        ClientKeys, Code, Direction, Domain, Id, Kind, Packet, Scopes,
        packet::{self, DomainKeys, KeyVersion},
        rpc::{Body, Ids},
        token::{self, Access, Claims, RegisteredClaims},
        translate::{Batch, IdError},
    },
    secret::Secret,
};

const NOW: u64 = 1_000_000;

fn domain(text: &str) -> Domain {
    text.parse().expect("a domain")
}

fn version(kid: &str, not_before: u64, key: [u8; 64]) -> KeyVersion {
    KeyVersion { kid: kid.into(), not_before, not_after: None, key: Secret::new(key) }
}

fn client_keys(domains: Vec<(&str, Vec<KeyVersion>)>) -> ClientKeys {
    let domains = domains.into_iter().map(|(name, keys)| DomainKeys { domain: domain(name), keys }).collect();
    ClientKeys::new(Packet { id: "p".into(), client_id: "c".into(), expires: NOW + 10, domains })
}

fn direction(from: &str, to: &str) -> Direction {
    Direction { from: domain(from), to: domain(to) }
}

/// Translates one id. Returns the translated id, and whether its key was a previous one.
fn translate(keys: &ClientKeys, from: &str, to: &str, id: &Id) -> Result<(Id, bool), Code> {
    let scopes: Scopes = [direction(from, to)].into_iter().collect();
    let mut batch = Batch::new(keys, &scopes, NOW);
    batch.push(id.to_string().as_bytes(), Some(domain(to))).expect("one id");
    let outcome = batch.drain().next().expect("one outcome").map(|text| Id::parse(text).expect("an id")).map_err(IdError::code);
    let previous = batch.finish().is_ok_and(|usage| usage.previous > 0);
    outcome.map(|id| (id, previous))
}

fn kind() -> impl Strategy<Value = Kind> {
    prop::sample::select(Kind::ALL.to_vec())
}

fn bytes<const N: usize>() -> impl Strategy<Value = [u8; N]> {
    prop::collection::vec(any::<u8>(), N).prop_map(|bytes| bytes.try_into().expect("N bytes"))
}

proptest! {
    #[test]
    fn translation_round_trips(kind in kind(), payload in bytes::<32>(), a in bytes::<64>(), b in bytes::<64>()) {
        let keys = client_keys(vec![("1005", vec![version("a", 0, a)]), ("1006", vec![version("b", 0, b)])]);
        let id = keys.mint(kind, domain("1005"), &payload[..kind.payload_len()], NOW).unwrap();
        let there = translate(&keys, "1005", "1006", &id).unwrap().0;
        prop_assert_eq!(there.domain, domain("1006"));
        prop_assert_eq!(translate(&keys, "1006", "1005", &there), Ok((id, false)));
        prop_assert_eq!(Id::parse(there.to_string()), Ok(there));
    }

    #[test]
    fn any_flipped_bit_is_refused(kind in kind(), payload in bytes::<32>(), a in bytes::<64>(), bit in any::<prop::sample::Index>()) {
        let keys = client_keys(vec![("1005", vec![version("a", 0, a)]), ("1006", vec![version("b", 0, [7; 64])])]);
        let id = keys.mint(kind, domain("1005"), &payload[..kind.payload_len()], NOW).unwrap();
        let mut body = [&id.tag()[..], id.payload()].concat();
        let bit = bit.index(body.len() * 8);
        body[bit / 8] ^= 1 << (bit % 8);
        let (tag, payload) = body.split_first_chunk::<16>().unwrap();
        let flipped = Id::new(kind, id.domain, *tag, payload);
        prop_assert_eq!(translate(&keys, "1005", "1006", &flipped), Err(Code::E002));
    }

    #[test]
    fn a_relabelled_id_is_refused(payload in bytes::<32>(), key in bytes::<64>()) {
        // Kind and domain are authenticated, even if two domains have the same key.
        let keys = client_keys(vec![("1005", vec![version("a", 0, key)]), ("1007", vec![version("a", 0, key)]), ("1006", vec![version("b", 0, [7; 64])])]);
        let id = keys.mint(Kind::Derived, domain("1005"), &payload, NOW).unwrap();
        let cookie = Id::new(Kind::Cookie, id.domain, id.tag(), id.payload());
        let moved = Id::new(id.kind, domain("1007"), id.tag(), id.payload());
        prop_assert_eq!(translate(&keys, "1005", "1006", &cookie), Err(Code::E002));
        prop_assert_eq!(translate(&keys, "1007", "1006", &moved), Err(Code::E002));
    }

    #[test]
    fn siv_matches_the_oracle(kind in kind(), payload in bytes::<32>(), key in bytes::<64>(), code in "[0-9A-Za-z]{4}") {
        let (payload, label) = (&payload[..kind.payload_len()], kind.label(domain(&code)));
        let ours = Key::new(&Secret::new(key));
        let mut sealed = payload.to_vec();
        let tag = ours.seal(ours.mask(&label), &mut sealed);
        let oracle = Aes256Siv::new_from_slice(&key).unwrap().encrypt([label], payload).unwrap();
        prop_assert_eq!([&tag[..], &sealed].concat(), oracle);
        prop_assert!(ours.open(ours.mask(&label), tag, &mut sealed));
        prop_assert_eq!(sealed, payload);
    }

    #[test]
    fn an_id_is_written_as_it_was_parsed(text in "\\PC{0,80}") {
        if let Ok(id) = Id::parse(&text) {
            let first_spelling = if text.starts_with("HY") { text.replacen("HY", "hY", 1) } else { text.clone() };
            prop_assert_eq!(id.to_string(), first_spelling);
        }
    }

    #[test]
    fn a_sealed_text_opens_under_its_label_only(content in prop::collection::vec(any::<u8>(), 0..200), key in bytes::<64>(), flip in any::<prop::sample::Index>()) {
        let key = Secret::new(key);
        let sealed = jwe::seal(&key, "item", &content, &mut system_rng());
        prop_assert_eq!(&*jwe::open(&key, "item", &sealed).unwrap(), &content);
        prop_assert_eq!(jwe::open(&key, "another item", &sealed), Err(jwe::Error::Content));
        let mut altered = sealed.into_bytes();
        let at = flip.index(altered.len());
        altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        let opened = jwe::open(&key, "item", str::from_utf8(&altered).unwrap());
        prop_assert!(matches!(opened, Err(jwe::Error::Malformed | jwe::Error::Content)), "{opened:?}");
    }

    #[test]
    fn answers_are_in_order(good in prop::collection::vec(any::<bool>(), 1..40), grouped in any::<bool>()) {
        let keys = client_keys(vec![("1005", vec![version("a", 0, [1; 64])]), ("1006", vec![version("b", 0, [2; 64])])]);
        let scopes: Scopes = [direction("1005", "1006")].into_iter().collect();
        let ids: Vec<String> = good.iter().enumerate().map(|(index, good)| {
            let payload = (index as u128).to_be_bytes();
            if *good { keys.mint(Kind::Maintained, domain("1005"), &payload, NOW).unwrap().to_string() } else { format!("not an id {index}") }
        }).collect();
        let data = if grouped {
            json!([{"target": "1006", "values": ids}])
        } else {
            ids.iter().map(|id| json!({"value": id, "target": "1006"})).collect()
        };
        let body = json!({"transcode_data": data}).to_string();
        let body = Body::parse(body.as_bytes()).unwrap();
        let mut out = Vec::new();
        let usage = Ids::Array(body.transcode_data.unwrap()).transcode(|| Batch::new(&keys, &scopes, NOW), &mut out).unwrap();
        let count: u64 = usage.translated.iter().map(|(_, count)| count).sum();
        prop_assert_eq!(count, good.iter().filter(|good| **good).count() as u64);
        let answer: serde_json::Value = serde_json::from_slice(&out).unwrap();
        for (index, good) in good.iter().enumerate() {
            let value = if grouped { &answer[0]["values"][index] } else { &answer[index]["value"] };
            prop_assert_eq!(value.is_string(), *good);
            if *good {
                let id = Id::parse(value.as_str().unwrap()).unwrap();
                let back = translate(&keys, "1006", "1005", &id).unwrap().0;
                prop_assert_eq!(&back.to_string(), &ids[index]);
            } else if grouped {
                let error = answer[0]["errors"].as_array().unwrap().iter().find(|error| error["index"] == index).unwrap();
                prop_assert_eq!(&error["code"], "I001");
            } else {
                prop_assert_eq!(&answer[index]["error"]["code"], "I001");
            }
        }
    }
}

#[test]
fn a_rotated_key_encodes_from_not_before_on_and_the_previous_key_still_decodes() {
    let old = client_keys(vec![("1005", vec![version("old", 0, [1; 64])]), ("1006", vec![version("t", 0, [9; 64])])]);
    let both = |not_before| {
        client_keys(vec![
            ("1005", vec![version("old", 0, [1; 64]), version("new", not_before, [2; 64])]),
            ("1006", vec![version("t", 0, [9; 64])]),
        ])
    };
    let payload = [5; 16];
    let under_old = old.mint(Kind::Maintained, domain("1005"), &payload, NOW).unwrap();
    let (published, rotated) = (both(NOW + 1), both(NOW));
    // Before `not_before` the new key only decodes: transcoders whose clocks are ahead already
    // encode under it.
    assert_eq!(published.mint(Kind::Maintained, domain("1005"), &payload, NOW).unwrap(), under_old);
    let under_new = rotated.mint(Kind::Maintained, domain("1005"), &payload, NOW).unwrap();
    assert_ne!(under_new, under_old);
    let translate = |keys: &ClientKeys, id| translate(keys, "1005", "1006", id).unwrap();
    assert!(!translate(&published, &under_old).1);
    assert!(translate(&published, &under_new).1);
    assert!(translate(&rotated, &under_old).1);
    assert!(!translate(&rotated, &under_new).1);
    assert_eq!(translate(&rotated, &under_old).0, translate(&rotated, &under_new).0);
}

#[test]
fn a_key_packet_opens_for_its_transcoder_only() {
    let (ours, another) = (jwe::PrivateKey::generate().unwrap(), jwe::PrivateKey::generate().unwrap());
    let keys = vec![DomainKeys { domain: domain("1005"), keys: vec![version("a", 0, [1; 64])] }];
    let packet = Packet { id: "p".into(), client_id: "c".into(), expires: 7, domains: keys };
    let sealed = packet::seal(&packet, &ours.public().unwrap(), &mut system_rng());
    let reread = jwe::PrivateKey::from_pem(&ours.to_pem()).unwrap();
    let opened = packet::open(&sealed, &reread).unwrap();
    assert_eq!((opened.id.as_str(), opened.domains.len()), ("p", 1));
    assert_eq!(opened.domains[0].keys[0].key, Secret::new([1; 64]));
    assert_eq!(packet::open(&sealed, &another).unwrap_err().code(), Code::S004);
    let (head, tag) = sealed.rsplit_once('.').unwrap();
    let other = if tag.starts_with('A') { 'B' } else { 'A' };
    assert_eq!(packet::open(&format!("{head}.{other}{}", &tag[1..]), &ours).unwrap_err().code(), Code::S005);
    let no_packet = jwe::seal_to(&ours.public().unwrap(), b"{}", &mut system_rng());
    assert_eq!(packet::open(&no_packet, &ours).unwrap_err().code(), Code::S006);
}

#[test]
fn a_token_is_bound_to_key_issuer_audience_and_time() {
    let (key, another) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let keys = |key: &SigningKey| KeySet::from_json(&json!({"keys": [key.public()]}).to_string()).unwrap();
    let access = |aud: &str| Access {
        registered: RegisteredClaims {
            iss: "us".into(),
            aud: aud.into(),
            sub: "c".into(),
            iat: NOW,
            nbf: NOW,
            exp: NOW + 100,
            jti: "j".into(),
        },
        authority: false,
    };
    let token = token::sign(&access(Access::AUDIENCE), &key);
    let verify =
        |keys: &KeySet, issuer: &str, now| token::verify::<Access>(&token, keys, issuer, now).map(|_| ()).map_err(token::Error::code);
    assert_eq!(verify(&keys(&key), "us", NOW), Ok(()));
    assert_eq!(verify(&keys(&another), "us", NOW), Err(Code::S012));
    assert_eq!(verify(&keys(&key), "them", NOW), Err(Code::S012));
    // Clocks may differ by 30 seconds.
    assert_eq!(verify(&keys(&key), "us", NOW - 30), Ok(()));
    assert_eq!(verify(&keys(&key), "us", NOW - 31), Err(Code::S012));
    assert_eq!(verify(&keys(&key), "us", NOW + 129), Ok(()));
    assert_eq!(token::verify::<Access>(&token, &keys(&key), "us", NOW + 130).unwrap_err().message(), "Refresh Required");
    let other_audience = token::sign(&access("transcoder"), &key);
    assert_eq!(token::verify::<Access>(&other_audience, &keys(&key), "us", NOW).unwrap_err().code(), Code::S001);
}
