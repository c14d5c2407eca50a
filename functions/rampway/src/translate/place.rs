//! Where an input is and where an output goes: a file on this machine, or a standard stream.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

/// Where the rows come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file on this machine.
    Local(PathBuf),
    /// Standard input.
    Standard,
}

/// Where the rows go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sink {
    /// A file on this machine.
    Local(PathBuf),
    /// Standard output.
    Standard,
}

/// The place is one that no file can be at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a file on this machine nor - for a standard stream")]
pub struct Nowhere(String);

fn local(text: &str) -> Result<Option<PathBuf>, Nowhere> {
    match text {
        "-" => Ok(None),
        _ if text.is_empty() || text.contains("://") => Err(Nowhere(text.into())),
        _ => Ok(Some(text.into())),
    }
}

impl FromStr for Source {
    type Err = Nowhere;

    fn from_str(text: &str) -> Result<Self, Nowhere> {
        Ok(local(text)?.map_or(Self::Standard, Self::Local))
    }
}

impl FromStr for Sink {
    type Err = Nowhere;

    fn from_str(text: &str) -> Result<Self, Nowhere> {
        Ok(local(text)?.map_or(Self::Standard, Self::Local))
    }
}

impl Source {
    /// The name whose extension says the format.
    #[must_use]
    pub fn name(&self) -> Option<&Path> {
        match self {
            Self::Local(path) => Some(path),
            Self::Standard => None,
        }
    }
}

impl Sink {
    /// The name whose extension says the format.
    #[must_use]
    pub fn name(&self) -> Option<&Path> {
        match self {
            Self::Local(path) => Some(path),
            Self::Standard => None,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) => path.display().fmt(f),
            Self::Standard => f.write_str("standard input"),
        }
    }
}

impl fmt::Display for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) => path.display().fmt(f),
            Self::Standard => f.write_str("standard output"),
        }
    }
}
