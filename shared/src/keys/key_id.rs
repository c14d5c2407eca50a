//! Key ids: the UUIDs that name content keys, in the two byte orders in which systems write them.

use std::{fmt, str::FromStr};

/// The id of a content key (KID), a UUID.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId([u8; 16]);

/// The text is not a UUID of 32 hexadecimal digits with hyphens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key id is a UUID, such as 98ee5596-cd3e-a20d-163a-e382420c6eff")]
pub struct InvalidKeyId;

impl KeyId {
    /// Takes the bytes in the order in which the text has them (RFC 9562).
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Makes a UUID of version 8 (RFC 9562, 5.8) of 16 bytes, of which six bits become the version
    /// and the variant.
    #[must_use]
    pub const fn v8(mut bytes: [u8; 16]) -> Self {
        bytes[6] = bytes[6] & 0x0F | 0x80;
        bytes[8] = bytes[8] & 0x3F | 0x80;
        Self(bytes)
    }

    /// The bytes in the order of the text: MP4 boxes, Widevine, CPIX.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The bytes of the GUID: the first three groups in little-endian order, as PlayReady has them.
    #[must_use]
    pub const fn to_guid(self) -> [u8; 16] {
        let mut bytes = self.0;
        bytes.swap(0, 3);
        bytes.swap(1, 2);
        bytes.swap(4, 5);
        bytes.swap(6, 7);
        bytes
    }
}

impl FromStr for KeyId {
    type Err = InvalidKeyId;

    /// Reads the form with hyphens, in upper or lower case.
    fn from_str(text: &str) -> Result<Self, InvalidKeyId> {
        let text: &[u8; 36] = text.as_bytes().try_into().map_err(|_| InvalidKeyId)?;
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).ok_or(InvalidKeyId);
        let (mut bytes, mut at) = ([0; 16], 0);
        for byte in &mut bytes {
            if [8, 13, 18, 23].contains(&at) {
                if text[at] != b'-' {
                    return Err(InvalidKeyId);
                }
                at += 1;
            }
            *byte = digit(text[at])? << 4 | digit(text[at + 1])?;
            at += 2;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for KeyId {
    /// Writes lower case with hyphens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if [4, 6, 8, 10].contains(&index) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_either_case_is_parsed_and_written_in_lower_case() {
        let id: KeyId = "98EE5596-cd3e-A20D-163a-e382420C6EFF".parse().unwrap();
        assert_eq!(id.to_string(), "98ee5596-cd3e-a20d-163a-e382420c6eff");
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "",
            "98ee5596cd3ea20d163ae382420c6eff",
            "{98ee5596-cd3e-a20d-163a-e382420c6eff}",
            "98ee5596-cd3e-a20d-163a-e382420c6ef",
            "98ee5596-cd3e-a20d-163ae-382420c6eff",
            "98ee5596-cd3e-a20d-163a-e382420c6efg",
            "98ee5596-cd3e-a20d-163a-+382420c6eff",
        ] {
            assert_eq!(text.parse::<KeyId>(), Err(InvalidKeyId), "{text}");
        }
    }

    #[test]
    fn a_guid_has_its_first_three_groups_reversed() {
        let id: KeyId = "00112233-4455-6677-8899-aabbccddeeff".parse().unwrap();
        let guid = [0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF];
        assert_eq!(id.to_guid(), guid);
    }
}
