//! File names.

use shared::upload::Code;

use super::error::Error;

/// The name of the source file at Brightcove, if the extension is not plain.
const DEFAULT_SOURCE: &str = "source";

/// A file's name, from the page: it becomes the video's title.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileName(String);

impl FileName {
    /// Parses a name of 1 to 255 characters that is not blank, and has no control characters and no
    /// slashes.
    pub(super) fn parse(text: String) -> Result<Self, Error> {
        let is_sized = (1..=255).contains(&text.chars().count()) && !text.trim().is_empty();
        let is_plain = !text.chars().any(|character| character.is_control() || matches!(character, '/' | '\\'));
        if is_sized && is_plain { Ok(Self(text)) } else { Err(Error::Code(Code::NameInvalid)) }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The extension, in lower case. A name that ends in a dot has none.
    pub(super) fn extension(&self) -> Option<String> {
        self.0.rsplit_once('.').map(|(_, extension)| extension.to_lowercase()).filter(|extension| !extension.is_empty())
    }

    /// The name of the source file at Brightcove: it is part of a URL and of the object's key, so
    /// only a plain extension is taken over.
    pub(super) fn source(&self) -> String {
        let is_plain = |extension: &String| {
            (1..=8).contains(&extension.len()) && extension.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        self.extension().filter(is_plain).map_or_else(|| DEFAULT_SOURCE.into(), |extension| format!("{DEFAULT_SOURCE}.{extension}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_or_a_blank_name_is_refused() {
        let long = "a".repeat(256);
        for text in ["", " ", "\u{3000}", "a/b", "a\\b", "a\nb", "a\u{7f}", &long] {
            assert!(matches!(FileName::parse(text.into()), Err(Error::Code(Code::NameInvalid))), "{text:?}");
        }
        assert!(FileName::parse("é".repeat(255)).is_ok());
    }

    #[test]
    fn the_source_name_is_plain() {
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
