//! `pssh` boxes: the Protection System Specific Header (ISO/IEC 23001-7, 8.1).

use super::key_id::KeyId;

/// The most bytes that a box may have to be parsed.
const MAX_BOX_BYTES: usize = 64 << 10;

/// A `pssh` box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PsshBox {
    /// The DRM system's UUID.
    pub system_id: KeyId,
    /// The key ids of a box of version 1; `None` in version 0, which lists none.
    pub kids: Option<Vec<KeyId>>,
    /// The system's own data.
    pub data: Vec<u8>,
}

/// The bytes are not one whole `pssh` box of version 0 or 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a pssh box of version 0 or 1")]
pub struct InvalidPsshBox;

impl PsshBox {
    /// Writes the box.
    ///
    /// # Panics
    /// When the box would have 4 GiB or more.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let kids = self.kids.as_deref();
        let size = 32 + kids.map_or(0, |kids| 4 + 16 * kids.len()) + self.data.len();
        let number = |number: usize| u32::try_from(number).expect("a box is smaller than 4 GiB").to_be_bytes();
        let mut bytes = Vec::with_capacity(size);
        bytes.extend(number(size));
        bytes.extend(b"pssh");
        bytes.extend([u8::from(kids.is_some()), 0, 0, 0]);
        bytes.extend(self.system_id.as_bytes());
        if let Some(kids) = kids {
            bytes.extend(number(kids.len()));
            bytes.extend(kids.iter().flat_map(KeyId::as_bytes));
        }
        bytes.extend(number(self.data.len()));
        bytes.extend(&self.data);
        bytes
    }

    /// Parses exactly one box.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidPsshBox> {
        if bytes.len() > MAX_BOX_BYTES {
            return Err(InvalidPsshBox);
        }
        let mut rest = bytes;
        let size = number(&mut rest)?;
        if size != bytes.len() || take(&mut rest)? != *b"pssh" {
            return Err(InvalidPsshBox);
        }
        let [version, flags @ ..] = take::<4>(&mut rest)?;
        if version > 1 || flags != [0; 3] {
            return Err(InvalidPsshBox);
        }
        let system_id = KeyId::from_bytes(take(&mut rest)?);
        let kids = if version == 1 {
            let count = number(&mut rest)?;
            Some((0..count).map(|_| take(&mut rest).map(KeyId::from_bytes)).collect::<Result<_, _>>()?)
        } else {
            None
        };
        let length = number(&mut rest)?;
        if length == rest.len() { Ok(Self { system_id, kids, data: rest.to_vec() }) } else { Err(InvalidPsshBox) }
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], InvalidPsshBox> {
    let (bytes, after) = rest.split_first_chunk().ok_or(InvalidPsshBox)?;
    *rest = after;
    Ok(*bytes)
}

fn number(rest: &mut &[u8]) -> Result<usize, InvalidPsshBox> {
    usize::try_from(u32::from_be_bytes(take(rest)?)).map_err(|_| InvalidPsshBox)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{encoding::hex, keys::DrmSystem};

    #[test]
    fn a_common_box_lists_its_key_ids_and_has_no_data() {
        let kids = Some(vec![KeyId::from_bytes([1; 16]), KeyId::from_bytes([2; 16])]);
        let pssh = PsshBox { system_id: DrmSystem::Common.id(), kids, data: Vec::new() };
        let bytes = pssh.to_bytes();
        let expected = format!(
            "00000044{}010000001077efecc0b24d02ace33c1e52e2fb4b00000002{}{}00000000",
            hex(b"pssh"),
            "01".repeat(16),
            "02".repeat(16)
        );
        assert_eq!(hex(&bytes), expected);
        assert_eq!(PsshBox::parse(&bytes), Ok(pssh));
    }

    #[test]
    fn a_box_of_another_length_type_version_or_count_is_refused() {
        let whole = PsshBox { system_id: DrmSystem::Widevine.id(), kids: None, data: vec![7; 9] }.to_bytes();
        for length in 0..whole.len() {
            assert_eq!(PsshBox::parse(&whole[..length]), Err(InvalidPsshBox), "{length} bytes");
        }
        assert_eq!(PsshBox::parse(&[&whole[..], b"x"].concat()), Err(InvalidPsshBox));
        // The size, the type, the version, the flags and the data's length.
        for index in [3, 4, 8, 11, 31] {
            let mut other = whole.clone();
            other[index] ^= 2;
            assert_eq!(PsshBox::parse(&other), Err(InvalidPsshBox), "byte {index}");
        }
        let mut many = PsshBox { system_id: DrmSystem::Common.id(), kids: Some(Vec::new()), data: Vec::new() }.to_bytes();
        many[28..32].fill(0xFF);
        assert_eq!(PsshBox::parse(&many), Err(InvalidPsshBox));
    }
}
