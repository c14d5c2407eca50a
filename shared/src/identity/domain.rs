//! A domain: the space in which a partner's identifiers have their meaning.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A domain's code: four ASCII letters or digits, case kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Domain([u8; 4]);

/// Not a domain's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a domain is four letters or digits, such as 1005")]
pub struct NotADomain;

impl Domain {
    /// Reads a code from bytes.
    pub fn from_bytes(bytes: [u8; 4]) -> Result<Self, NotADomain> {
        bytes.iter().all(u8::is_ascii_alphanumeric).then_some(Self(bytes)).ok_or(NotADomain)
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
    type Err = NotADomain;

    fn from_str(text: &str) -> Result<Self, NotADomain> {
        Self::from_bytes(text.as_bytes().try_into().map_err(|_| NotADomain)?)
    }
}

impl TryFrom<String> for Domain {
    type Error = NotADomain;

    fn try_from(text: String) -> Result<Self, NotADomain> {
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
