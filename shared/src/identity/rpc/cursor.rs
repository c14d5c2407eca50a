//! A cursor over JSON text.
//!
//! It reads plain text itself, and leaves what is rare, such as escapes and unknown values, to
//! `serde_json`. It accepts nothing that `serde_json` refuses.

use std::borrow::Cow;

use serde::{Deserialize, de::IgnoredAny};

/// The fast path does not accept the input: the reference must read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fallback;

/// A position in a text.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    pub(super) text: &'a [u8],
    pub(super) at: usize,
}

/// A string.
pub(super) struct Text<'a> {
    /// The string's bytes, unescaped.
    pub(super) bytes: Cow<'a, [u8]>,
    /// The position of the bytes in the text, if they are written there without escapes.
    pub(super) start: Option<usize>,
}

#[derive(Deserialize)]
struct Escaped<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Cursor<'a> {
    pub(super) const fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// Returns the next byte without consuming it.
    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// The unread text.
    #[inline]
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.text[self.at..]
    }

    /// Consumes white space, if any.
    #[inline]
    pub(super) fn skip_whitespace(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Consumes a required byte and the white space after it.
    #[inline]
    pub(super) fn expect(&mut self, byte: u8) -> Result<(), Fallback> {
        self.eat(byte).then_some(()).ok_or(Fallback)
    }

    /// Consumes a byte, if it is next, and the white space after it. Returns whether it was next.
    #[inline]
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        if is_next {
            self.at += 1;
            self.skip_whitespace();
        }
        is_next
    }

    /// Consumes `null`, if it is next. Returns whether it was next.
    pub(super) fn eat_null(&mut self) -> bool {
        let is_next = self.rest().starts_with(b"null");
        if is_next {
            self.at += 4;
        }
        is_next
    }

    /// Reads a string.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Text<'a>, Fallback> {
        let start = self.at + 1;
        let Some((b'"', rest)) = self.rest().split_first() else { return Err(Fallback) };
        let length = memchr::memchr(b'"', rest).ok_or(Fallback)?;
        let bytes = &rest[..length];
        // The loop has no branches, so it compiles to vector instructions.
        if bytes.iter().fold(0, |special, &byte| special | u8::from(byte.wrapping_sub(b' ') > b'~' - b' ') | u8::from(byte == b'\\')) != 0 {
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

    /// Consumes a value of any type.
    pub(super) fn skip_value(&mut self) -> Result<(), Fallback> {
        let start = self.at;
        self.value::<IgnoredAny>()?;
        // `IgnoredAny` does not check that strings are UTF-8.
        str::from_utf8(&self.text[start..self.at]).map(|_| ()).map_err(|_| Fallback)
    }

    fn value<T: Deserialize<'a>>(&mut self) -> Result<T, Fallback> {
        let mut values = serde_json::Deserializer::from_slice(self.rest()).into_iter();
        let value = values.next().ok_or(Fallback)?.map_err(|_| Fallback)?;
        self.at += values.byte_offset();
        Ok(value)
    }
}
