//! Where an input is and where an output goes: a file on this machine, an object of S3, or a standard stream.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use cloud::object::{Address, NotAnAddress};

/// Where the rows come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file on this machine.
    Local(PathBuf),
    /// An object of S3.
    Object(Address),
    /// Standard input.
    Standard,
}

/// Where the rows go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sink {
    /// A file on this machine.
    Local(PathBuf),
    /// An object of S3.
    Object(Address),
    /// Standard output.
    Standard,
}

/// The place is one that no file can be at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Nowhere {
    /// It is nothing that is known here.
    #[error("`{0}` is neither a file on this machine, nor an object such as s3://bucket/key, nor - for a standard stream")]
    Unknown(String),
    /// It is the address of no object.
    #[error(transparent)]
    NotAnAddress(#[from] NotAnAddress),
}

impl FromStr for Source {
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

impl FromStr for Sink {
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

impl Source {
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

impl Sink {
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

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) => path.display().fmt(f),
            Self::Object(address) => address.fmt(f),
            Self::Standard => f.write_str("standard input"),
        }
    }
}

impl fmt::Display for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) => path.display().fmt(f),
            Self::Object(address) => address.fmt(f),
            Self::Standard => f.write_str("standard output"),
        }
    }
}
