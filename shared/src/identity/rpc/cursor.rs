//! A place in a JSON text, and what may be read there.
//!
//! Plain text is read by hand; what is rare, such as escapes and unknown values, by `serde_json`. Nothing is accepted that it refuses.

use std::borrow::Cow;

use serde::{Deserialize, de::IgnoredAny};

/// Something that is not read here: the reference decides what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fallback;

/// A place in a text.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    pub(super) text: &'a [u8],
    pub(super) at: usize,
}

/// A string: its bytes without escapes, and where they lie in the text when they have none there.
pub(super) struct Text<'a> {
    pub(super) bytes: Cow<'a, [u8]>,
    pub(super) start: Option<usize>,
}

#[derive(Deserialize)]
struct Escaped<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Cursor<'a> {
    pub(super) const fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// The next byte, which stays.
    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// What is still to be read.
    #[inline]
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.text[self.at..]
    }

    /// White space, if any.
    #[inline]
    pub(super) fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// One byte that must be there, and white space after it.
    #[inline]
    pub(super) fn take(&mut self, byte: u8) -> Result<(), Fallback> {
        self.next_is(byte).then_some(()).ok_or(Fallback)
    }

    /// One byte that may be there, and white space after it.
    #[inline]
    pub(super) fn next_is(&mut self, byte: u8) -> bool {
        let is = self.peek() == Some(byte);
        if is {
            self.at += 1;
            self.space();
        }
        is
    }

    /// `null`, if it is there.
    pub(super) fn null(&mut self) -> bool {
        let is = self.rest().starts_with(b"null");
        if is {
            self.at += 4;
        }
        is
    }

    /// A string.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Text<'a>, Fallback> {
        let start = self.at + 1;
        let Some((b'"', rest)) = self.rest().split_first() else { return Err(Fallback) };
        let length = memchr::memchr(b'"', rest).ok_or(Fallback)?;
        let bytes = &rest[..length];
        // All of it, without branches: many at once.
        if bytes.iter().fold(0, |odd, &byte| odd | u8::from(byte.wrapping_sub(b' ') > b'~' - b' ') | u8::from(byte == b'\\')) != 0 {
            let Escaped(text) = self.value()?;
            let bytes = match text {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            };
            return Ok(Text { bytes, start: None });
        }
        self.at = start + length + 1;
        Ok(Text { bytes: Cow::Borrowed(bytes), start: Some(start) })
    }

    /// A value of any kind, of which nothing is wanted.
    pub(super) fn skip(&mut self) -> Result<(), Fallback> {
        let start = self.at;
        self.value::<IgnoredAny>()?;
        // What is ignored is not looked at closely; a body must be text all the same.
        str::from_utf8(&self.text[start..self.at]).map(|_| ()).map_err(|_| Fallback)
    }

    fn value<T: Deserialize<'a>>(&mut self) -> Result<T, Fallback> {
        let mut values = serde_json::Deserializer::from_slice(self.rest()).into_iter();
        let value = values.next().ok_or(Fallback)?.map_err(|_| Fallback)?;
        self.at += values.byte_offset();
        Ok(value)
    }
}
