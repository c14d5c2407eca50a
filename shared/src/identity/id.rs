//! The identifier: `prefix (2) + domain (4) + body`, the body base64url without padding.
//!
//! | prefix | kind | characters | body |
//! |---|---|---|---|
//! | `XY` | maintained | 49 | 32 bytes |
//! | `Xi` | derived | 70 | 48 bytes |
//! | `hY`, also written `HY` | household | 49 | 32 bytes |
//! | `Xc` | placeholder of a cookie | 70 | 48 bytes |
//! | `Xm` | placeholder of a mobile device | 70 | 48 bytes |
//!
//! A body is a tag of 16 bytes and an encrypted payload of 16 or 32 ([`crate::crypto::siv`]).
//! Prefix and domain are the id's label.

use std::fmt;

use super::domain::Domain;
use crate::{
    crypto::siv::TAG_BYTES,
    encoding::{base64url_into, from_base64url_into},
};

/// Maximum length of an identifier, in characters.
pub const MAX_ID_LEN: usize = 70;

/// Length of the label (prefix and domain), in characters.
pub(crate) const LABEL_LEN: usize = 6;
const MAX_PAYLOAD_BYTES: usize = 32;

/// The type of the entity that an identifier identifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `XY`: a maintained id, from more than one touchpoint.
    Maintained,
    /// `Xi`: a derived id, from one touchpoint such as a hashed e-mail address.
    Derived,
    /// `hY`: a household.
    Household,
    /// `Xc`: a placeholder of a cookie.
    Cookie,
    /// `Xm`: a placeholder of a mobile device.
    Mobile,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Maintained, Self::Derived, Self::Household, Self::Cookie, Self::Mobile];

    /// Returns the kind of a prefix.
    #[must_use]
    pub const fn from_prefix(prefix: [u8; 2]) -> Option<Self> {
        Some(match &prefix {
            b"XY" => Self::Maintained,
            b"Xi" => Self::Derived,
            b"hY" | b"HY" => Self::Household,
            b"Xc" => Self::Cookie,
            b"Xm" => Self::Mobile,
            _ => return None,
        })
    }

    /// The canonical prefix.
    #[must_use]
    pub const fn prefix(self) -> &'static [u8; 2] {
        match self {
            Self::Maintained => b"XY",
            Self::Derived => b"Xi",
            Self::Household => b"hY",
            Self::Cookie => b"Xc",
            Self::Mobile => b"Xm",
        }
    }

    /// Length of the native payload in bytes: 16 or 32.
    #[must_use]
    pub const fn payload_len(self) -> usize {
        match self {
            Self::Maintained | Self::Household => 16,
            Self::Derived | Self::Cookie | Self::Mobile => 32,
        }
    }

    /// Length of the identifier in characters: 49 or 70.
    #[must_use]
    pub const fn text_len(self) -> usize {
        LABEL_LEN + ((TAG_BYTES + self.payload_len()) * 4).div_ceil(3)
    }

    /// Prefix and domain. As the cipher's associated data, they are bound to the body.
    #[must_use]
    pub fn label(self, domain: Domain) -> [u8; LABEL_LEN] {
        let ([p0, p1], [d0, d1, d2, d3]) = (*self.prefix(), *domain.as_bytes());
        [p0, p1, d0, d1, d2, d3]
    }
}

/// Why a text is not an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// The prefix is unknown.
    #[error("an id begins with XY, Xi, hY, Xc or Xm")]
    Prefix,
    /// The domain is not four letters or digits.
    #[error("characters 3 to 6 of an id are its domain: four letters or digits")]
    Domain,
    /// The length is not that of the kind.
    #[error("an id of this kind has {expected} characters, not {found}")]
    Length {
        /// Length of the kind, in characters.
        expected: usize,
        /// Length of the text, in bytes.
        found: usize,
    },
    /// The body is not base64url, or its spare bits are not zero.
    #[error("the body of an id is base64url without padding, its spare bits zero")]
    Body,
}

/// The kind and the domain of an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its kind.
    pub kind: Kind,
    /// The domain that it is encoded in.
    pub domain: Domain,
}

impl Head {
    /// Parses the label and checks the length of an identifier. The body may still be malformed.
    pub fn parse(text: &[u8]) -> Result<Self, Malformed> {
        let Some(&[p0, p1, d0, d1, d2, d3]) = text.first_chunk::<LABEL_LEN>() else {
            return Err(Malformed::Prefix);
        };
        let kind = Kind::from_prefix([p0, p1]).ok_or(Malformed::Prefix)?;
        let domain = Domain::from_bytes([d0, d1, d2, d3]).map_err(|_| Malformed::Domain)?;
        if text.len() != kind.text_len() {
            return Err(Malformed::Length { expected: kind.text_len(), found: text.len() });
        }
        Ok(Self { kind, domain })
    }
}

/// An identifier, decoded but not decrypted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Id {
    /// Its kind.
    pub kind: Kind,
    /// The domain that it is encoded in.
    pub domain: Domain,
    body: [u8; TAG_BYTES + MAX_PAYLOAD_BYTES],
}

impl Id {
    /// Decodes the text of an identifier, without decrypting it.
    pub fn parse(text: impl AsRef<[u8]>) -> Result<Self, Malformed> {
        let text = text.as_ref();
        let Head { kind, domain } = Head::parse(text)?;
        let mut body = [0; TAG_BYTES + MAX_PAYLOAD_BYTES];
        from_base64url_into(&text[LABEL_LEN..], &mut body[..TAG_BYTES + kind.payload_len()]).ok_or(Malformed::Body)?;
        Ok(Self { kind, domain, body })
    }

    /// Makes an identifier from its parts.
    ///
    /// # Panics
    /// If the payload does not have the kind's length.
    #[must_use]
    pub fn new(kind: Kind, domain: Domain, tag: [u8; TAG_BYTES], payload: &[u8]) -> Self {
        assert_eq!(payload.len(), kind.payload_len(), "the payload does not have the kind's length");
        let mut body = [0; TAG_BYTES + MAX_PAYLOAD_BYTES];
        body[..TAG_BYTES].copy_from_slice(&tag);
        body[TAG_BYTES..TAG_BYTES + payload.len()].copy_from_slice(payload);
        Self { kind, domain, body }
    }

    /// The authentication tag.
    #[must_use]
    pub fn tag(&self) -> [u8; TAG_BYTES] {
        *self.body.first_chunk().expect("a body begins with its tag")
    }

    /// The encrypted payload.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.body[TAG_BYTES..TAG_BYTES + self.kind.payload_len()]
    }

    /// Writes the text into `buf` and returns it.
    pub fn write<'a>(&self, buf: &'a mut [u8; MAX_ID_LEN]) -> &'a str {
        let text = &mut buf[..self.kind.text_len()];
        let (head, rest) = text.split_at_mut(LABEL_LEN);
        head.copy_from_slice(&self.kind.label(self.domain));
        base64url_into(&self.body[..TAG_BYTES + self.kind.payload_len()], rest);
        str::from_utf8(text).expect("a label and base64url are ASCII")
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.write(&mut [0; MAX_ID_LEN]))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Examples from the vendor's public documentation.
    const MAINTAINED: &str = "XY1005wXyWPB1SgpMUKIpzA0I3UaLEz-2lg0wFAr1PWK7FMhs";
    const DERIVED: &str = "Xi1005p_iYcKP7ZlvFwwK9EwR8GKl_VJqIWUhEaAFmHLAjNOQ9b6OQzSkA43XiVFcTYQ9X";

    #[test]
    fn the_vendor_s_examples_are_parsed_and_written() {
        for (text, kind) in [(MAINTAINED, Kind::Maintained), (DERIVED, Kind::Derived)] {
            let id = Id::parse(text).unwrap();
            assert_eq!((id.kind, id.domain.as_str(), id.to_string()), (kind, "1005", text.into()));
        }
    }

    #[test]
    fn both_household_prefixes_are_parsed_and_hy_is_written() {
        let text = MAINTAINED.replacen("XY", "HY", 1);
        assert_eq!(Id::parse(&text).unwrap().to_string(), MAINTAINED.replacen("XY", "hY", 1));
    }

    #[test]
    fn a_malformed_id_is_refused_with_its_reason() {
        assert_eq!(Id::parse(""), Err(Malformed::Prefix));
        assert_eq!(Id::parse("hello, world"), Err(Malformed::Prefix));
        assert_eq!(Id::parse(MAINTAINED.replace("1005", "10.5")), Err(Malformed::Domain));
        assert_eq!(Id::parse(&MAINTAINED[..48]), Err(Malformed::Length { expected: 49, found: 48 }));
        assert_eq!(Id::parse(MAINTAINED.replace('-', "+")), Err(Malformed::Body));
        let spare = format!("{}t", &MAINTAINED[..48]);
        assert_eq!(Id::parse(&spare), Err(Malformed::Body));
    }
}
