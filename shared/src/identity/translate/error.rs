//! The limits of a batch, and why an id or a whole batch is not translated.

use std::fmt;

use crate::identity::{code::Code, id::Malformed};

/// Maximum number of ids in one request.
pub const MAX_IDS: usize = 250_000;

/// Maximum number of pairs of domains in one request. The usage of so many pairs fits the 1,024
/// characters of `SageMaker`'s custom attributes.
pub const MAX_DOMAIN_PAIRS: usize = 40;

/// Why one id was not translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdError {
    /// The text is not an id.
    Malformed(Malformed),
    /// Any other reason that has a code.
    Code(Code),
}

impl IdError {
    /// The documented code.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Malformed(_) => Code::I001,
            Self::Code(code) => code,
        }
    }
}

impl From<Code> for IdError {
    fn from(code: Code) -> Self {
        Self::Code(code)
    }
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code().message())?;
        match self {
            Self::Malformed(malformed) => write!(f, ": {malformed}"),
            Self::Code(_) => Ok(()),
        }
    }
}

/// Why a whole batch was not translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The batch has no ids, or too many.
    #[error("a batch holds 1 to {MAX_IDS} ids")]
    Ids,
    /// The ids go between too many pairs of domains.
    #[error("a batch goes between at most {MAX_DOMAIN_PAIRS} pairs of domains")]
    DomainPairs,
    /// All ids request one and the same direction, and the scopes do not allow it.
    #[error("{0}")]
    Forbidden(Code),
}

impl Error {
    /// The documented code.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Ids | Self::DomainPairs => Code::E003,
            Self::Forbidden(code) => code,
        }
    }
}
