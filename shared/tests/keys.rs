//! Genuine `pssh` boxes and PlayReady objects, read in place and written again byte for byte.

mod contract;

use contract::vectors;
use serde_json::Value;
use shared::{
    encoding::from_base64,
    keys::{ContentKey, DrmSystem, KeyId, Scheme, playready::Header, pssh::PsshBox, widevine::PsshData},
    secret::Secret,
};

fn boxes(document: &Value) -> impl Iterator<Item = (&Value, Vec<u8>)> {
    let boxes = document["boxes"].as_array().expect("the document lists boxes").iter();
    boxes.map(|listed| (listed, from_base64(text(&listed["pssh_box_base64"])).expect("a box is base64")))
}

fn text(value: &Value) -> &str {
    value.as_str().expect("the value is text")
}

#[test]
fn every_genuine_box_is_parsed_and_written_again() {
    let Some(document) = vectors("pssh_boxes.json") else { return };
    for (listed, bytes) in boxes(&document) {
        let pssh = PsshBox::parse(&bytes).unwrap_or_else(|error| panic!("{}: {error}", listed["id"]));
        assert_eq!(pssh.system_id.to_string(), text(&listed["system_id"]), "{}", listed["id"]);
        assert_eq!(pssh.data.len(), usize::try_from(listed["data_size"].as_u64().unwrap()).unwrap(), "{}", listed["id"]);
        assert_eq!(pssh.to_bytes(), bytes, "{}", listed["id"]);
    }
}

#[test]
fn genuine_widevine_data_is_rebuilt_from_its_fields() {
    let Some(document) = vectors("pssh_boxes.json") else { return };
    let mut rebuilt = 0;
    for (listed, bytes) in boxes(&document) {
        let Some(fields) = listed["widevine_fields"].as_array() else { continue };
        // Field 6 is a policy, which the key server does not write.
        if fields.iter().any(|field| field["field"] == 6) {
            continue;
        }
        let field = |number: u64| fields.iter().find(|field| field["field"] == number);
        let text_of = |number| field(number).map_or("", |field| text(&field["text"]));
        let kids: Vec<KeyId> = field(2).map(|field| text(&field["key_id"]).parse().expect("a key id")).into_iter().collect();
        let data = PsshData {
            algorithm: field(1).is_some(),
            kids: &kids,
            provider: text_of(3),
            content_id: text_of(4).as_bytes(),
            track_type: text_of(5),
            crypto_period_index: field(7).map(|field| u32::try_from(field["varint"].as_u64().unwrap()).unwrap()),
            scheme: None,
        };
        let pssh = PsshBox { system_id: DrmSystem::Widevine.id(), kids: None, data: data.to_bytes() };
        assert_eq!(pssh.to_bytes(), bytes, "{}", listed["id"]);
        rebuilt += 1;
    }
    assert!(rebuilt >= 5, "only {rebuilt} boxes were rebuilt");
}

#[test]
fn genuine_playready_objects_are_rebuilt_from_key_and_url() {
    let (Some(document), Some(checksums)) = (vectors("pssh_boxes.json"), vectors("playready_checksums.json")) else { return };
    let mut rebuilt = 0;
    for (listed, bytes) in boxes(&document) {
        let header = &listed["playready"];
        let kid = header["kids"][0]["guid"].as_str().unwrap_or_default();
        let known = checksums["vectors"].as_array().unwrap().iter().find(|known| known["kid"] == kid);
        let (Some(known), Some("4.0.0.0")) = (known, header["version"].as_str()) else { continue };
        let xml = text(&header["wrmheader"]);
        let between = |start: &str, end: &str| Some(xml.split_once(start)?.1.split_once(end)?.0);
        let key = Secret::from_slice(&from_base64(text(&known["key_base64"])).unwrap()).expect("a key has 16 bytes");
        let header = Header {
            key: &ContentKey { kid: kid.parse().unwrap(), key, iv: [0; 16] },
            scheme: Scheme::Cenc,
            licence_url: between("<LA_URL>", "</LA_URL>").unwrap(),
            period_index: between("<PERIOD_INDEX>", "</PERIOD_INDEX>").map(|index| index.parse().unwrap()),
        };
        let pssh = PsshBox { system_id: DrmSystem::PlayReady.id(), kids: None, data: header.to_object() };
        assert_eq!(header.to_xml(), xml, "{}", listed["id"]);
        assert_eq!(pssh.to_bytes(), bytes, "{}", listed["id"]);
        rebuilt += 1;
    }
    assert!(rebuilt >= 3, "only {rebuilt} objects were rebuilt");
}
