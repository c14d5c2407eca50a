//! What manifests say of a key: `ContentProtection` elements of DASH and key tags of HLS.

use super::{drm_system::DrmSystem, key_id::KeyId, scheme::Scheme};
use crate::encoding::{base64, hex};

/// Where in HLS a tag stands; the attributes are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Playlist {
    /// A media playlist: `#EXT-X-KEY`.
    Media,
    /// The multivariant playlist: `#EXT-X-SESSION-KEY`.
    Master,
}

/// What a key tag of HLS (RFC 8216, 4.3.2.4) says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyTag {
    attributes: String,
}

impl KeyTag {
    /// Widevine: the whole `pssh` box in a `data:` URI. HLS itself knows `SAMPLE-AES` alone;
    /// players take `SAMPLE-AES-CTR` for CTR.
    #[must_use]
    pub fn widevine(scheme: Scheme, pssh: &[u8]) -> Self {
        let method = sample_aes(scheme);
        let (pssh, system) = (base64(pssh), DrmSystem::Widevine.id());
        Self {
            attributes: format!(
                "METHOD={method},URI=\"data:text/plain;base64,{pssh}\",KEYFORMAT=\"urn:uuid:{system}\",KEYFORMATVERSIONS=\"1\""
            ),
        }
    }

    /// PlayReady: the PlayReady object in a `data:` URI.
    #[must_use]
    pub fn playready(scheme: Scheme, object: &[u8]) -> Self {
        let (method, object) = (sample_aes(scheme), base64(object));
        let uri = format!("data:text/plain;charset=UTF-16;base64,{object}");
        Self { attributes: format!("METHOD={method},KEYFORMAT=\"com.microsoft.playready\",KEYFORMATVERSIONS=\"1\",URI=\"{uri}\"") }
    }

    /// FairPlay: an `skd:` URI, and never an IV.
    #[must_use]
    pub fn fairplay(uri: &str) -> Self {
        Self { attributes: format!("METHOD=SAMPLE-AES,URI=\"{uri}\",KEYFORMAT=\"com.apple.streamingkeydelivery\",KEYFORMATVERSIONS=\"1\"") }
    }

    /// AES-128 over whole segments: the URL of the key, and its IV where it is not the sequence
    /// number.
    #[must_use]
    pub fn aes_128(url: &str, iv: Option<[u8; 16]>) -> Self {
        let iv = iv.map(|iv| format!(",IV=0x{}", hex(&iv))).unwrap_or_default();
        Self { attributes: format!("METHOD=AES-128,URI=\"{url}\"{iv},KEYFORMAT=\"identity\",KEYFORMATVERSIONS=\"1\"") }
    }

    /// Adds the attribute `KEYID`, which some players of Widevine read.
    #[must_use]
    pub fn with_key_id(self, kid: KeyId) -> Self {
        Self { attributes: format!("{},KEYID=0x{}", self.attributes, hex(kid.as_bytes())) }
    }

    /// The tag's line, without an end.
    #[must_use]
    pub fn line(&self, playlist: Playlist) -> String {
        let tag = match playlist {
            Playlist::Media => "#EXT-X-KEY:",
            Playlist::Master => "#EXT-X-SESSION-KEY:",
        };
        format!("{tag}{}", self.attributes)
    }
}

const fn sample_aes(scheme: Scheme) -> &'static str {
    if scheme.is_ctr() { "SAMPLE-AES-CTR" } else { "SAMPLE-AES" }
}

/// The children of a `ContentProtection` element: the box, and behind it the PlayReady object where
/// there is one.
#[must_use]
pub fn content_protection(pssh: &[u8], playready: Option<&[u8]>) -> String {
    let object = playready
        .map(|object| format!("<mspr:pro xmlns:mspr=\"urn:microsoft:playready\">{}</mspr:pro>", base64(object)))
        .unwrap_or_default();
    format!("<cenc:pssh xmlns:cenc=\"urn:mpeg:cenc:2013\">{}</cenc:pssh>{object}", base64(pssh))
}

/// FairPlay's URI in the form of MediaPackage: `skd://` and the base64 of a JSON object that names
/// content, key and IV.
#[must_use]
pub fn fairplay_uri(content_id: &str, kid: KeyId, iv: &[u8; 16]) -> String {
    let id = serde_json::Value::from(content_id);
    format!("skd://{}", base64(format!("{{\"ContentId\":{id},\"KeyId\":\"{kid}\",\"IV\":\"{}\"}}", base64(iv)).as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::from_base64;

    #[test]
    fn tags_are_the_documented_lines() {
        assert_eq!(
            KeyTag::widevine(Scheme::Cbcs, b"box").line(Playlist::Media),
            "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"data:text/plain;base64,Ym94\",KEYFORMAT=\"urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed\",KEYFORMATVERSIONS=\"1\""
        );
        assert_eq!(
            KeyTag::playready(Scheme::Cenc, b"pro").line(Playlist::Master),
            "#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES-CTR,KEYFORMAT=\"com.microsoft.playready\",KEYFORMATVERSIONS=\"1\",URI=\"data:text/plain;charset=UTF-16;base64,cHJv\""
        );
        assert_eq!(
            KeyTag::fairplay("skd://x").line(Playlist::Media),
            "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://x\",KEYFORMAT=\"com.apple.streamingkeydelivery\",KEYFORMATVERSIONS=\"1\""
        );
        assert_eq!(
            KeyTag::aes_128("https://keys.test/k", Some([0xA; 16])).line(Playlist::Media),
            "#EXT-X-KEY:METHOD=AES-128,URI=\"https://keys.test/k\",IV=0x0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a,KEYFORMAT=\"identity\",KEYFORMATVERSIONS=\"1\""
        );
    }

    #[test]
    fn content_protection_repeats_the_box() {
        assert_eq!(content_protection(b"box", None), "<cenc:pssh xmlns:cenc=\"urn:mpeg:cenc:2013\">Ym94</cenc:pssh>");
        assert!(
            content_protection(b"box", Some(b"pro"))
                .ends_with("</cenc:pssh><mspr:pro xmlns:mspr=\"urn:microsoft:playready\">cHJv</mspr:pro>")
        );
    }

    #[test]
    fn a_content_id_is_quoted_in_fairplays_uri() {
        let uri = fairplay_uri("a\"b", KeyId::from_bytes([0; 16]), &[0; 16]);
        let json: serde_json::Value = serde_json::from_slice(&from_base64(uri.strip_prefix("skd://").unwrap()).unwrap()).unwrap();
        assert_eq!(json["ContentId"], "a\"b");
        assert_eq!(json["KeyId"], "00000000-0000-0000-0000-000000000000");
    }
}
