//! Locations of inputs and outputs: local files, S3 objects and standard streams.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use cloud::object::{InvalidS3Uri, S3Uri};

/// Where rows are read from or written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A local file.
    Local(PathBuf),
    /// An S3 object.
    Object(S3Uri),
    /// Standard input or standard output.
    Stdio,
}

/// The text is not a location.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLocation {
    /// The text is empty, or a URL of an unknown scheme.
    #[error("`{0}` is not a location: give a local file, an object such as s3://bucket/key, or - for a standard stream")]
    Unknown(String),
    /// The text is an `s3://` URL without bucket or key.
    #[error(transparent)]
    InvalidS3Uri(#[from] InvalidS3Uri),
}

impl Location {
    /// The name whose extensions give format and compression; `None` for a standard stream.
    #[must_use]
    pub fn name(&self) -> Option<&Path> {
        match self {
            Self::Local(path) => Some(path),
            Self::Object(address) => Some(address.key().as_ref()),
            Self::Stdio => None,
        }
    }

    /// The path of a local file.
    #[must_use]
    pub fn local(&self) -> Option<&Path> {
        match self {
            Self::Local(path) => Some(path),
            Self::Object(_) | Self::Stdio => None,
        }
    }
}

impl FromStr for Location {
    type Err = InvalidLocation;

    fn from_str(text: &str) -> Result<Self, InvalidLocation> {
        Ok(match text {
            "-" => Self::Stdio,
            _ if text.starts_with("s3://") => Self::Object(text.parse()?),
            _ if text.is_empty() || text.contains("://") => return Err(InvalidLocation::Unknown(text.into())),
            _ => Self::Local(text.into()),
        })
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) => path.display().fmt(f),
            Self::Object(address) => address.fmt(f),
            Self::Stdio => f.write_str("(standard stream)"),
        }
    }
}
