//! The protection schemes of Common Encryption (ISO/IEC 23001-7).

use std::{fmt, str::FromStr};

/// A protection scheme, named by its four-character code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// AES-CTR, whole samples and subsamples.
    Cenc,
    /// AES-CBC, whole samples and subsamples.
    Cbc1,
    /// AES-CTR with a pattern of encrypted blocks.
    Cens,
    /// AES-CBC with a pattern of encrypted blocks and a constant IV.
    Cbcs,
}

/// The text names no protection scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a protection scheme is cenc, cbc1, cens or cbcs")]
pub struct UnknownScheme;

impl Scheme {
    /// All schemes.
    pub const ALL: [Self; 4] = [Self::Cenc, Self::Cbc1, Self::Cens, Self::Cbcs];

    /// The four-character code.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cenc => "cenc",
            Self::Cbc1 => "cbc1",
            Self::Cens => "cens",
            Self::Cbcs => "cbcs",
        }
    }

    /// The four-character code as a big-endian number.
    #[must_use]
    pub fn four_cc(self) -> u32 {
        self.name().bytes().fold(0, |number, byte| number << 8 | u32::from(byte))
    }

    /// Whether the cipher's mode is CTR. One IV with one key on several tracks then repeats the key
    /// stream.
    #[must_use]
    pub const fn is_ctr(self) -> bool {
        matches!(self, Self::Cenc | Self::Cens)
    }
}

impl FromStr for Scheme {
    type Err = UnknownScheme;

    fn from_str(text: &str) -> Result<Self, UnknownScheme> {
        Self::ALL.into_iter().find(|scheme| scheme.name() == text).ok_or(UnknownScheme)
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_character_codes_are_the_documented_numbers() {
        assert_eq!(Scheme::ALL.map(Scheme::four_cc), [1_667_591_779, 1_667_392_305, 1_667_591_795, 1_667_392_371]);
    }
}
