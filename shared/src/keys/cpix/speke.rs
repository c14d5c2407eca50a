//! The versions of SPEKE, which a header of the request tells apart.

use super::error::Error;

/// A version of SPEKE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SpekeVersion {
    /// SPEKE 1.0: CPIX 2.0, one key a content.
    V1,
    /// SPEKE 2.0: CPIX 2.3, a key a track, and an encryption contract.
    V2_0,
    /// SPEKE 2.1: CPIX 2.4, periods with times.
    V2_1,
}

impl SpekeVersion {
    /// The header that carries the version in requests and replies.
    pub const HEADER: &'static str = "X-Speke-Version";

    /// Parses the value of [`HEADER`](Self::HEADER). SPEKE 1.0 sends none.
    pub fn from_header(value: Option<&str>) -> Result<Self, Error> {
        match value.map(str::trim) {
            None | Some("1.0") => Ok(Self::V1),
            Some("2.0") => Ok(Self::V2_0),
            Some("2.1") => Ok(Self::V2_1),
            Some(_) => Err(Error::UnsupportedSpekeVersion),
        }
    }

    /// The value of [`HEADER`](Self::HEADER) in the reply.
    #[must_use]
    pub const fn header(self) -> Option<&'static str> {
        match self {
            Self::V1 => None,
            Self::V2_0 => Some("2.0"),
            Self::V2_1 => Some("2.1"),
        }
    }

    /// The name of the reply's header that names the key server.
    #[must_use]
    pub const fn user_agent_header(self) -> &'static str {
        match self {
            Self::V1 => "Speke-User-Agent",
            Self::V2_0 | Self::V2_1 => "X-Speke-User-Agent",
        }
    }

    /// The value of `CPIX@version`, which SPEKE 1.0 does not have.
    #[must_use]
    pub const fn cpix_version(self) -> Option<&'static str> {
        match self {
            Self::V1 => None,
            Self::V2_0 => Some("2.3"),
            Self::V2_1 => Some("2.4"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_names_a_version() {
        for (value, version) in [
            (None, Ok(SpekeVersion::V1)),
            (Some("1.0"), Ok(SpekeVersion::V1)),
            (Some(" 2.0 "), Ok(SpekeVersion::V2_0)),
            (Some("2.1"), Ok(SpekeVersion::V2_1)),
            (Some("2"), Err(Error::UnsupportedSpekeVersion)),
            (Some(""), Err(Error::UnsupportedSpekeVersion)),
        ] {
            assert_eq!(SpekeVersion::from_header(value), version, "{value:?}");
        }
    }
}
