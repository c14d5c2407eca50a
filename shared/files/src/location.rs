//! Where an input is or an output goes: a file on this machine, an object of S3, or a standard stream.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use cloud::object::{Address, NotAnAddress};

/// Where the rows come from or go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A file on this machine.
    Local(PathBuf),
    /// An object of S3.
    Object(Address),
    /// Standard input, or standard output.
    Standard,
}

/// The location is one that no file can be at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Nowhere {
    /// It is nothing that is known here.
    #[error("`{0}` is neither a file on this machine, nor an object such as s3://bucket/key, nor - for a standard stream")]
    Unknown(String),
    /// It is the address of no object.
    #[error(transparent)]
    NotAnAddress(#[from] NotAnAddress),
}

impl Location {
    /// The name whose extension says the format.
    #[must_use]
    pub fn name(&self) -> Option<&Path> {
        match self {
            Self::Local(path) => Some(path),
            Self::Object(address) => Some(address.key().as_ref()),
            Self::Standard => None,
        }
    }

    /// The file on this machine.
    #[must_use]
    pub fn local(&self) -> Option<&Path> {
        match self {
            Self::Local(path) => Some(path),
            Self::Object(_) | Self::Standard => None,
        }
    }
}

impl FromStr for Location {
    type Err = Nowhere;

    fn from_str(text: &str) -> Result<Self, Nowhere> {
        Ok(match text {
            "-" => Self::Standard,
            _ if text.starts_with("s3://") => Self::Object(text.parse()?),
            _ if text.is_empty() || text.contains("://") => return Err(Nowhere::Unknown(text.into())),
            _ => Self::Local(text.into()),
        })
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) => path.display().fmt(f),
            Self::Object(address) => address.fmt(f),
            Self::Standard => f.write_str("(standard stream)"),
        }
    }
}
