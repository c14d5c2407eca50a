//! A domain: the namespace of a partner's identifiers.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A domain's code: four ASCII letters or digits, case-sensitive.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Domain([u8; 4]);

/// The text is not a domain's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a domain is four letters or digits, such as 1005")]
pub struct InvalidDomain;

impl Domain {
    /// Parses a code.
    pub fn from_bytes(bytes: [u8; 4]) -> Result<Self, InvalidDomain> {
        bytes.iter().all(u8::is_ascii_alphanumeric).then_some(Self(bytes)).ok_or(InvalidDomain)
    }

    /// The code as bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 4] {
        &self.0
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for Domain {
    type Err = InvalidDomain;

    fn from_str(text: &str) -> Result<Self, InvalidDomain> {
        Self::from_bytes(text.as_bytes().try_into().map_err(|_| InvalidDomain)?)
    }
}

impl TryFrom<String> for Domain {
    type Error = InvalidDomain;

    fn try_from(text: String) -> Result<Self, InvalidDomain> {
        text.parse()
    }
}

impl From<Domain> for String {
    fn from(domain: Domain) -> Self {
        domain.as_str().into()
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
