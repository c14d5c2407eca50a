//! The size of an id in a request and in its response, both of which API Gateway and Lambda carry
//! as strings within JSON.

use std::borrow::Cow;

/// Longer than any id. A longer field is truncated to this length, which leaves it invalid.
const MAX_ID_BYTES: usize = 100;
/// Maximum encoded size of a refusal in the response, which has the request's limit and encoding.
pub(crate) const REFUSAL_BYTES: usize = 200;
/// Maximum encoded size of one id. A byte that is not UTF-8 becomes a replacement character of
/// three bytes, and each of them encodes to three.
pub(crate) const MAX_ID_ENCODED_BYTES: usize = with_quotes(MAX_ID_BYTES * 9);

// A plain id is never larger than a refusal.
const _: () = assert!(with_quotes(MAX_ID_BYTES) <= REFUSAL_BYTES);

/// Whether a field is sent unchanged and encodes to at most [`REFUSAL_BYTES`].
pub(crate) fn is_plain(field: &[u8]) -> bool {
    field.len() <= MAX_ID_BYTES && client::is_plain(field)
}

/// A field as the request carries it. JSON holds text only: other bytes become replacement
/// characters, which no id contains.
pub(crate) fn to_text(field: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(&field[..field.len().min(MAX_ID_BYTES)])
}

/// The size that an id adds to the request, or its refusal to the response: the larger of both.
pub(crate) fn encoded_len(id: &str) -> usize {
    with_quotes(id.bytes().map(escaped_len).sum()).max(REFUSAL_BYTES)
}

/// Adds an id's escaped quotes and its comma: `\"…\",`.
const fn with_quotes(bytes: usize) -> usize {
    bytes + 5
}

/// The length of a byte in JSON that is itself a string within JSON, such as a Lambda event's body.
const fn escaped_len(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' => 4,
        // An encoder may write a control character, or a character of two bytes or more, as
        // `\\uXXXX`.
        ..0x20 | 0x7F => 7,
        0x80.. => 3,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoded_length_covers_json_within_json() {
        for text in ["XY1005wXyWPB1SgpMUKIpzA0I3UaLEz-2lg0wFAr1PWK7FMhs", "\\\"\u{1}\u{7f}\n\tü€😀", &"\u{1}".repeat(100)] {
            let json = serde_json::to_string(text).unwrap();
            let event = serde_json::to_string(&json).unwrap();
            // The event's own two quotes count for the comma.
            assert!(with_quotes(text.bytes().map(escaped_len).sum()) >= event.len() - 1, "{text}");
        }
    }

    #[test]
    fn the_encoded_length_of_any_field_is_bounded() {
        for field in [vec![b'\xFF'; 10 << 20], vec![1; 200], vec![b'"'; 200], "€".repeat(100).into_bytes()] {
            assert!(encoded_len(&to_text(&field)) <= MAX_ID_ENCODED_BYTES);
        }
    }
}
