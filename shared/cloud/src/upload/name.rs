//! The names of files.

use shared::upload::Code;

use super::Error;

/// A file's name as a page gave it: it becomes the video's title.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileName(String);

impl FileName {
    /// Takes a name of 1 to 255 characters that is not blank and could be no path.
    pub(super) fn parse(text: String) -> Result<Self, Error> {
        let fits = (1..=255).contains(&text.chars().count()) && !text.trim().is_empty();
        let plain = !text.chars().any(|character| character.is_control() || matches!(character, '/' | '\\'));
        if fits && plain { Ok(Self(text)) } else { Err(Error::Code(Code::NameInvalid)) }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The extension, in lower case; what ends in a dot has none.
    pub(super) fn extension(&self) -> Option<String> {
        self.0.rsplit_once('.').map(|(_, extension)| extension.to_lowercase()).filter(|extension| !extension.is_empty())
    }

    /// What the file is called upstream, where not every name may stand in an address.
    pub(super) fn source(&self) -> String {
        let plain = |extension: &String| {
            (1..=8).contains(&extension.len()) && extension.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        self.extension().filter(plain).map_or_else(|| "source".into(), |extension| format!("source.{extension}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_a_path_or_is_blank_is_no_name() {
        let long = "a".repeat(256);
        for text in ["", " ", "\u{3000}", "a/b", "a\\b", "a\nb", "a\u{7f}", &long] {
            assert!(FileName::parse(text.into()).is_err(), "{text:?}");
        }
        assert!(FileName::parse("é".repeat(255)).is_ok());
    }

    #[test]
    fn what_goes_upstream_is_plain() {
        for (name, source) in [
            ("Office_Perks.webm", "source.webm"),
            ("a b+c.MP4", "source.mp4"),
            ("été 日本", "source"),
            ("a.日本", "source"),
            ("a.", "source"),
            ("a.tar-gz", "source"),
            ("a.verylongs", "source"),
        ] {
            assert_eq!(FileName::parse(name.into()).unwrap().source(), source, "{name}");
        }
    }
}
