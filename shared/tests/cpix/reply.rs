//! Reads a reply with its literal names, and checks it against values that are computed here.

use aes::{
    Aes128,
    cipher::{BlockCipherEncrypt, KeyInit as _},
};
use hmac::{Hmac, Mac};
use quick_xml::{Reader, XmlVersion, events::Event};
use sha2::Sha256;
use shared::encoding::{base64, from_base64, hex};

/// An element: its name and those of its ancestors, its attributes and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    pub path: String,
    pub attributes: Vec<(String, String)>,
    pub text: String,
}

impl Element {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The elements of a document, in the order of their start tags.
pub fn elements(document: &str) -> Vec<Element> {
    let mut reader = Reader::from_str(document);
    reader.config_mut().expand_empty_elements = true;
    let (mut elements, mut open): (Vec<Element>, Vec<usize>) = (Vec::new(), Vec::new());
    loop {
        match reader.read_event().expect("a reply is well-formed") {
            Event::Start(start) => {
                let name = String::from_utf8(start.name().into_inner().to_vec()).unwrap();
                let path = open.last().map_or_else(|| name.clone(), |parent| format!("{}/{name}", elements[*parent].path));
                let attributes = start.attributes().map(|attribute| {
                    let attribute = attribute.unwrap();
                    let value = attribute.normalized_value(XmlVersion::Implicit1_0).unwrap().into_owned();
                    (String::from_utf8(attribute.key.into_inner().to_vec()).unwrap(), value)
                });
                open.push(elements.len());
                elements.push(Element { path, attributes: attributes.collect(), text: String::new() });
            }
            Event::Text(text) => {
                if let Some(element) = open.last() {
                    elements[*element].text += text.decode().unwrap().trim();
                }
            }
            Event::End(_) => drop(open.pop()),
            Event::Eof => return elements,
            _ => {}
        }
    }
}

/// The decoded text of the children of one `DRMSystem`: names, `playlist`, and bytes.
pub fn children(elements: &[Element], kid: &str, system: &str) -> Vec<(String, Option<String>, Vec<u8>)> {
    let is_system = |element: &Element| element.get("kid") == Some(kid) && element.get("systemId") == Some(system);
    let at = elements.iter().position(is_system).expect("the system is in the reply");
    let children = elements[at + 1..].iter().take_while(|element| element.path.starts_with(&format!("{}/", elements[at].path)));
    let children = children.map(|element| {
        let name = element.path.rsplit('/').next().unwrap().to_owned();
        (name, element.get("playlist").map(str::to_owned), from_base64(&element.text).expect("values are base64"))
    });
    children.collect()
}

/// HKDF with SHA-256 of one block, by RFC 5869's formulas, over the contract's master secret.
pub fn derived(label: &str, content_id: &str, kid: &[u8]) -> Vec<u8> {
    let hmac = |key: &[u8], text: &[u8]| {
        let mut hmac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        hmac.update(text);
        hmac.finalize().into_bytes().to_vec()
    };
    let master: Vec<u8> = (0..32).collect();
    let info = [label.as_bytes(), b"TUTO", content_id.as_bytes(), kid].join(&0);
    hmac(&hmac(b"media-keys/v1", &master), &[&info[..], &[1]].concat())[..16].to_vec()
}

pub fn uuid(text: &str) -> Vec<u8> {
    shared::encoding::from_hex(&text.replace('-', "")).unwrap()
}

fn guid(text: &str) -> Vec<u8> {
    let bytes = uuid(text);
    [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].map(|index: usize| bytes[index]).to_vec()
}

/// A `pssh` box of version 0.
fn pssh(system: &str, data: &[u8]) -> Vec<u8> {
    let number = |number: usize| u32::try_from(number).unwrap().to_be_bytes();
    [&number(32 + data.len())[..], b"pssh", &[0; 4], &uuid(system), &number(data.len()), data].concat()
}

/// Widevine's box under `cenc` or `cbcs`.
pub fn widevine(kid: &str, scheme: &str) -> Vec<u8> {
    let scheme: &[u8] = if scheme == "cenc" { &[0x48, 0xE3, 0xDC, 0x95, 0x9B, 0x06] } else { &[0x48, 0xF3, 0xC6, 0x89, 0x9B, 0x06] };
    let data = [&[0x12, 16][..], &uuid(kid), &[0x1A, 13], b"widevine_test", &[0x22, 6], b"abc123", scheme].concat();
    pssh(super::WIDEVINE, &data)
}

/// The PlayReady object of a key under `cenc` or `cbcs`.
pub fn playready_object(kid: &str, key: &[u8], scheme: &str) -> Vec<u8> {
    let id = base64(&guid(kid));
    let mut block = aes::Block::try_from(&guid(kid)[..]).unwrap();
    Aes128::new_from_slice(key).unwrap().encrypt_block(&mut block);
    let checksum = base64(&block[..8]);
    let (version, protection) = if scheme == "cenc" {
        let info = "<PROTECTINFO><KEYLEN>16</KEYLEN><ALGID>AESCTR</ALGID></PROTECTINFO>";
        ("4.0.0.0", format!("{info}<KID>{id}</KID><CHECKSUM>{checksum}</CHECKSUM>"))
    } else {
        ("4.3.0.0", format!("<PROTECTINFO><KIDS><KID ALGID=\"AESCBC\" VALUE=\"{id}\"></KID></KIDS></PROTECTINFO>"))
    };
    let header = format!(
        "<WRMHEADER xmlns=\"http://schemas.microsoft.com/DRM/2007/03/PlayReadyHeader\" version=\"{version}\"><DATA>{protection}\
         <LA_URL>https://licence.test/?a=1&amp;b=2</LA_URL></DATA></WRMHEADER>"
    );
    let header: Vec<u8> = header.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let length = u16::try_from(header.len()).unwrap();
    let total = (u32::from(length) + 10).to_le_bytes();
    [&total[..], &[1, 0, 1, 0], &length.to_le_bytes(), &header].concat()
}

pub fn playready(object: &[u8]) -> Vec<u8> {
    pssh(super::PLAYREADY, object)
}

/// Checks keys and boxes of a reply for Widevine and PlayReady, track by track.
pub fn verify(reply: &str, scheme: &str, tracks: &[(&str, &str)]) -> Result<(), String> {
    let elements = elements(reply);
    let of = |suffix: &str| elements.iter().filter(|element| element.path.ends_with(suffix)).cloned().collect::<Vec<_>>();
    let (keys, values, rules) = (of("/cpix:ContentKey"), of("/pskc:PlainValue"), of("/cpix:ContentKeyUsageRule"));
    if [keys.len(), values.len(), rules.len()] != [tracks.len(); 3] {
        return Err("a track is missing".into());
    }
    for (index, (kid, track)) in tracks.iter().enumerate() {
        let check = |is_right: bool, what: &str| if is_right { Ok(()) } else { Err(format!("{what} of {track}")) };
        let key = derived("key", "abc123", &uuid(kid));
        check(keys[index].get("kid") == Some(kid), "key id")?;
        check(rules[index].get("kid") == Some(kid) && rules[index].get("intendedTrackType") == Some(track), "rule")?;
        check(values[index].text == base64(&key), "key")?;
        let object = playready_object(kid, &key, scheme);
        for (system, expected) in [(super::WIDEVINE, widevine(kid, scheme)), (super::PLAYREADY, playready(&object))] {
            let children = children(&elements, kid, system);
            let boxes: Vec<_> = children.iter().filter(|(name, ..)| name == "cpix:PSSH").map(|(.., bytes)| hex(bytes)).collect();
            check(boxes == [hex(&expected)], "box")?;
            let data = children.iter().find(|(name, ..)| name == "cpix:ContentProtectionData").ok_or("no protection data")?;
            let data = String::from_utf8(data.2.clone()).map_err(|_| "no text")?;
            let element = format!("<cenc:pssh xmlns:cenc=\"urn:mpeg:cenc:2013\">{}</cenc:pssh>", base64(&expected));
            let pro = format!("<mspr:pro xmlns:mspr=\"urn:microsoft:playready\">{}</mspr:pro>", base64(&object));
            let expected = if system == super::PLAYREADY { element + &pro } else { element };
            check(data == expected, "protection data")?;
        }
    }
    Ok(())
}
