//! PlayReady objects (PRO) with one `WRMHEADER` record.
//!
//! Microsoft's "PlayReady Header Specification". Numbers and text are little-endian; a key id is
//! the base64 of its GUID bytes.

use aes::{
    Aes128,
    cipher::{BlockCipherEncrypt, KeyInit},
};

use super::{content_key::ContentKey, key_id::KeyId, scheme::Scheme};
use crate::{encoding::base64, secret::Secret};

/// A header, of which the scheme decides the version: 4.0.0.0 with a checksum for CTR, 4.3.0.0
/// without for CBC.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    /// The one key that the header names.
    pub key: &'a ContentKey,
    /// The protection scheme.
    pub scheme: Scheme,
    /// The URL of the licence server; empty leaves it out.
    pub licence_url: &'a str,
    /// The index of the crypto period, as a custom attribute.
    pub period_index: Option<u32>,
}

const RECORD_TYPE_HEADER: u16 = 1;

impl Header<'_> {
    /// The header's XML, without white space.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let kid = base64(&self.key.kid.to_guid());
        let (version, protection) = if self.scheme.is_ctr() {
            let checksum = base64(&checksum(self.key.kid, &self.key.key));
            let protection = format!(
                "<PROTECTINFO><KEYLEN>16</KEYLEN><ALGID>AESCTR</ALGID></PROTECTINFO><KID>{kid}</KID><CHECKSUM>{checksum}</CHECKSUM>"
            );
            ("4.0.0.0", protection)
        } else {
            ("4.3.0.0", format!("<PROTECTINFO><KIDS><KID ALGID=\"AESCBC\" VALUE=\"{kid}\"></KID></KIDS></PROTECTINFO>"))
        };
        let licence = match self.licence_url {
            "" => String::new(),
            url => format!("<LA_URL>{}</LA_URL>", escape(url)),
        };
        let attributes =
            self.period_index.map(|index| format!("<CUSTOMATTRIBUTES><PERIOD_INDEX>{index}</PERIOD_INDEX></CUSTOMATTRIBUTES>"));
        format!(
            "<WRMHEADER xmlns=\"http://schemas.microsoft.com/DRM/2007/03/PlayReadyHeader\" version=\"{version}\"><DATA>{protection}{licence}{}</DATA></WRMHEADER>",
            attributes.unwrap_or_default()
        )
    }

    /// The object: its length, the number of records, and the header as the only record.
    ///
    /// # Panics
    /// When the header has 64 KiB or more.
    #[must_use]
    pub fn to_object(&self) -> Vec<u8> {
        let header: Vec<u8> = self.to_xml().encode_utf16().flat_map(u16::to_le_bytes).collect();
        let length = u16::try_from(header.len()).expect("a header is shorter than 64 KiB");
        let mut object = Vec::with_capacity(10 + header.len());
        object.extend((u32::from(length) + 10).to_le_bytes());
        object.extend(1_u16.to_le_bytes());
        object.extend(RECORD_TYPE_HEADER.to_le_bytes());
        object.extend(length.to_le_bytes());
        object.extend(header);
        object
    }
}

/// The checksum by which a client knows that it has the right key: the first 8 bytes of the key
/// id's GUID bytes under AES-128-ECB.
#[must_use]
pub fn checksum(kid: KeyId, key: &Secret<16>) -> [u8; 8] {
    let mut block = kid.to_guid().into();
    Aes128::new(key.expose().into()).encrypt_block(&mut block);
    let (checksum, _) = block.split_first_chunk().expect("a block has 16 bytes");
    *checksum
}

/// Text as the content of an XML element.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::from_hex;

    fn key(kid: &str, key: &str) -> ContentKey {
        ContentKey { kid: kid.parse().unwrap(), key: Secret::from_slice(&from_hex(key).unwrap()).unwrap(), iv: [0; 16] }
    }

    #[test]
    fn checksums_are_those_of_genuine_headers() {
        for (kid, of, checksum) in [
            ("6bac8ec3-0ee3-379f-3d21-290b3a2bc9c3", "3a54452ba2d2cad16bd879cdd47ab05b", "6ibP40uTOZ0="),
            ("12ea753c-23e7-bc02-4474-b2b976c43beb", "4b30b5a9cd5c129c8553ab7f94bec1cb", "/F7B1fH2e0c="),
            ("cbc2eedd-4284-fd94-c17b-0d6fb56c146b", "74b96b78ba931dd44e4f11a7c3fdc6ee", "TXkYr0dvHHc="),
            ("cbbc38b6-b50d-ab53-f826-3e06b7382aa3", "959dbd673980e1d1bdf2d36209495f4e", "HEsvlXUxnWw="),
        ] {
            let key = key(kid, of);
            assert_eq!(base64(&super::checksum(key.kid, &key.key)), checksum, "{kid}");
        }
    }

    #[test]
    fn a_ctr_header_is_of_version_4_0_and_a_cbc_header_of_4_3() {
        let key = key("6bac8ec3-0ee3-379f-3d21-290b3a2bc9c3", "3a54452ba2d2cad16bd879cdd47ab05b");
        let header = |scheme, licence_url, period_index| Header { key: &key, scheme, licence_url, period_index }.to_xml();
        let opening = "<WRMHEADER xmlns=\"http://schemas.microsoft.com/DRM/2007/03/PlayReadyHeader\" version=";
        assert_eq!(
            header(Scheme::Cenc, "https://a.test/?a=1&b=2", Some(128)),
            format!(
                "{opening}\"4.0.0.0\"><DATA><PROTECTINFO><KEYLEN>16</KEYLEN><ALGID>AESCTR</ALGID></PROTECTINFO>\
                 <KID>w46sa+MOnzc9ISkLOivJww==</KID><CHECKSUM>6ibP40uTOZ0=</CHECKSUM><LA_URL>https://a.test/?a=1&amp;b=2</LA_URL>\
                 <CUSTOMATTRIBUTES><PERIOD_INDEX>128</PERIOD_INDEX></CUSTOMATTRIBUTES></DATA></WRMHEADER>"
            )
        );
        assert_eq!(
            header(Scheme::Cbcs, "", None),
            format!(
                "{opening}\"4.3.0.0\"><DATA><PROTECTINFO><KIDS><KID ALGID=\"AESCBC\" VALUE=\"w46sa+MOnzc9ISkLOivJww==\"></KID></KIDS>\
                 </PROTECTINFO></DATA></WRMHEADER>"
            )
        );
    }
}
