//! base64url without padding (RFC 4648, section 5), standard base64 and hexadecimal. Decoding is
//! strict: other characters and non-zero spare bits are refused.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};

/// Encodes bytes as base64url.
#[must_use]
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes base64url. `None` if the text is invalid.
#[must_use]
pub fn from_base64url(text: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Decodes base64url into all of `bytes`. `None` if the text is invalid or of another length.
#[must_use]
pub fn from_base64url_into(text: &[u8], bytes: &mut [u8]) -> Option<()> {
    let expected = bytes.len();
    (URL_SAFE_NO_PAD.decode_slice(text, bytes) == Ok(expected)).then_some(())
}

/// Encodes bytes as base64url into `text`, which must be as long as the encoding.
///
/// # Panics
/// If `text` is shorter than the encoding.
pub fn base64url_into(bytes: &[u8], text: &mut [u8]) {
    let written = URL_SAFE_NO_PAD.encode_slice(bytes, text).expect("the buffer is as long as the encoding");
    debug_assert_eq!(written, text.len());
}

/// Encodes bytes as standard base64 with padding, as PEM and API Gateway do.
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Decodes standard base64 with padding. `None` if the text is invalid.
#[must_use]
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Encodes bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Decodes hexadecimal digits of either case. `None` if the text is invalid or of odd length.
#[must_use]
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    text.as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            &[high, low] => u8::try_from(digit(high)? << 4 | digit(low)?).ok(),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spare_bits_must_be_zero() {
        assert_eq!(from_base64url("AQ"), Some(vec![1]));
        assert_eq!(from_base64url("AR"), None);
    }

    #[test]
    fn padding_and_the_standard_alphabet_are_refused() {
        assert_eq!(from_base64url("AQ=="), None);
        assert_eq!(from_base64url("+/+/"), None);
    }

    #[test]
    fn hexadecimal_round_trips() {
        assert_eq!(from_hex(&hex(&[0, 0xab, 0xff])), Some(vec![0, 0xab, 0xff]));
        assert_eq!(from_hex("abc"), None);
        assert_eq!(from_hex("zz"), None);
    }
}
