//! The data of Widevine's `pssh` boxes: the protobuf message `WidevinePsshData`.

use super::{key_id::KeyId, scheme::Scheme};

/// The fields of `WidevinePsshData` that the key server writes, each left out where it is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PsshData<'a> {
    /// Field 1, which older boxes have: whether to say that the algorithm is AES-CTR.
    pub algorithm: bool,
    /// Field 2: the key ids.
    pub kids: &'a [KeyId],
    /// Field 3: the provider.
    pub provider: &'a str,
    /// Field 4: the content's id.
    pub content_id: &'a [u8],
    /// Field 5, which older boxes have: the track's type.
    pub track_type: &'a str,
    /// Field 7: the index of the crypto period.
    pub crypto_period_index: Option<u32>,
    /// Field 9: the protection scheme.
    pub scheme: Option<Scheme>,
}

const VARINT: u8 = 0;
const BYTES: u8 = 2;

impl PsshData<'_> {
    /// Writes the message, its fields in ascending order.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut message = Vec::new();
        if self.algorithm {
            varint_field(&mut message, 1, 1);
        }
        for kid in self.kids {
            bytes_field(&mut message, 2, kid.as_bytes());
        }
        for (field, bytes) in [(3, self.provider.as_bytes()), (4, self.content_id), (5, self.track_type.as_bytes())] {
            if !bytes.is_empty() {
                bytes_field(&mut message, field, bytes);
            }
        }
        if let Some(index) = self.crypto_period_index {
            varint_field(&mut message, 7, index);
        }
        if let Some(scheme) = self.scheme {
            varint_field(&mut message, 9, scheme.four_cc());
        }
        message
    }
}

fn varint_field(message: &mut Vec<u8>, field: u8, value: u32) {
    message.push(field << 3 | VARINT);
    varint(message, value);
}

fn bytes_field(message: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    message.push(field << 3 | BYTES);
    varint(message, u32::try_from(bytes.len()).expect("a field is shorter than 4 GiB"));
    message.extend(bytes);
}

/// Seven bits a byte, the lowest first.
fn varint(message: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        message.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    message.push(value.to_le_bytes()[0]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::hex;

    #[test]
    fn every_field_is_written_in_its_place() {
        let kids = [KeyId::from_bytes([0xAB; 16])];
        let data = PsshData {
            algorithm: true,
            kids: &kids,
            provider: "p",
            content_id: b"cid",
            track_type: "HD",
            crypto_period_index: Some(128),
            scheme: Some(Scheme::Cbcs),
        };
        let expected = format!("08011210{}1a01702203636964{}38800148f3c6899b06", "ab".repeat(16), "2a024844");
        assert_eq!(hex(&data.to_bytes()), expected);
        assert_eq!(PsshData::default().to_bytes(), [0; 0]);
    }
}
