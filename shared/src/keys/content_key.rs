//! Content keys, derived from one master secret: every Region, version of SPEKE and job of a content
//! has the same keys, and none is stored.
//!
//! HKDF with SHA-256 (RFC 5869). The salt of the extraction is `media-keys/v1`. The info of an
//! expansion is a label, a zero byte, and the parts that follow, separated by zero bytes: neither a
//! site's id nor XML text can contain one.

use std::fmt;

use aws_lc_rs::hkdf::{self, HKDF_SHA256, KeyType, Prk, Salt};

use super::key_id::KeyId;
use crate::secret::Secret;

const SALT: &[u8] = b"media-keys/v1";

/// The length of keys, IVs and key ids, in bytes.
const LEN: usize = 16;

/// A content key with its id and its IV.
#[derive(Clone, Debug)]
pub struct ContentKey {
    /// The key's id.
    pub kid: KeyId,
    /// The key: AES-128.
    pub key: Secret<LEN>,
    /// The IV for the schemes that have one a key.
    pub iv: [u8; LEN],
}

/// Derives keys, IVs and key ids from one generation of the master secret.
pub struct KeyDerivation(Prk);

impl KeyDerivation {
    /// Extracts the pseudorandom key. The master secret is needed no more.
    #[must_use]
    pub fn new(master: &Secret<32>) -> Self {
        Self(Salt::new(HKDF_SHA256, SALT).extract(master.expose()))
    }

    /// The key of a content under a key id.
    #[must_use]
    pub fn content_key(&self, site: &str, content_id: &str, kid: KeyId) -> ContentKey {
        let of = |label| self.expand(&[label, site.as_bytes(), content_id.as_bytes(), kid.as_bytes()]);
        ContentKey { kid, key: Secret::new(of(b"key")), iv: of(b"iv") }
    }

    /// The key id of a track in a period, for requests whose ids the server chooses: a UUID of
    /// version 8. The period is empty where there is none.
    #[must_use]
    pub fn key_id(&self, site: &str, content_id: &str, track: &str, period: &str) -> KeyId {
        KeyId::v8(self.expand(&[b"kid", site.as_bytes(), content_id.as_bytes(), track.as_bytes(), period.as_bytes()]))
    }

    fn expand(&self, parts: &[&[u8]]) -> [u8; LEN] {
        struct Length;
        impl KeyType for Length {
            fn len(&self) -> usize {
                LEN
            }
        }
        let info = parts.join(&0);
        let mut bytes = [0; LEN];
        let filled = self.0.expand(&[&info], Length).and_then(|okm: hkdf::Okm<'_, Length>| okm.fill(&mut bytes));
        filled.expect("16 bytes are within HKDF's limit");
        bytes
    }
}

impl fmt::Debug for KeyDerivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyDerivation")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::hex;

    fn derivation() -> KeyDerivation {
        KeyDerivation::new(&Secret::new(std::array::from_fn(|index| u8::try_from(index).unwrap())))
    }

    #[test]
    fn keys_and_ivs_are_the_documented_ones() {
        let kid = "98ee5596-cd3e-a20d-163a-e382420c6eff".parse().unwrap();
        let key = derivation().content_key("TUTO", "abc123", kid);
        assert_eq!(hex(key.key.expose()), "d9d81a76e343b28f56b7157102aea5d4");
        assert_eq!(hex(&key.iv), "324460a49cf5f678eff0e97957e9d93d");
    }

    #[test]
    fn key_ids_are_the_documented_ones() {
        let of = |period| derivation().key_id("TUTO", "abc123", "HD", period).to_string();
        assert_eq!(of("128"), "79d47f19-974c-843d-8529-e6d44e0caefa");
        assert_eq!(of(""), "02509c87-c4b6-8420-9cc5-f141971de7ad");
    }

    #[test]
    fn each_part_changes_the_key() {
        let (kid, other) = (KeyId::from_bytes([1; 16]), KeyId::from_bytes([2; 16]));
        let key = |site, content, kid| *derivation().content_key(site, content, kid).key.expose();
        let keys = [key("SITE", "a", kid), key("SITF", "a", kid), key("SITE", "b", kid), key("SITE", "a", other)];
        for (index, key) in keys.iter().enumerate() {
            assert!(!keys[..index].contains(key), "key {index} is an earlier one");
        }
    }
}
