//! What an id weighs in a request and its answer, both of which API Gateway and Lambda carry as strings within JSON.

use std::borrow::Cow;

/// Longer than any id. What is longer still is sent cut to this length, and is as wrong as before.
const MAX_ID_BYTES: usize = 100;
/// What a refusal may weigh in the answer, which has the same limit as the request and is escaped like it.
pub(super) const REFUSAL: usize = 200;
/// The most that one id can weigh: a byte that is no text becomes three that are, each of which weighs three.
pub(super) const MAX: usize = with_quotes(MAX_ID_BYTES * 9);

// No plain id weighs more than a refusal.
const _: () = assert!(with_quotes(MAX_ID_BYTES) <= REFUSAL);

/// Whether a field is sent as it is, and weighs no more than its refusal.
pub(super) fn is_plain(value: &[u8]) -> bool {
    value.len() <= MAX_ID_BYTES && client::is_plain(value)
}

/// A field as it is sent. JSON holds text alone: what is no text is sent as text that is no id.
pub(super) fn sendable(value: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(&value[..value.len().min(MAX_ID_BYTES)])
}

/// What an id adds to the request, or its refusal to the answer: whichever weighs more.
pub(super) fn of(id: &str) -> usize {
    with_quotes(id.bytes().map(escaped).sum()).max(REFUSAL)
}

/// An id's own quotes and comma: `\"…\",`.
const fn with_quotes(bytes: usize) -> usize {
    bytes + 5
}

/// A byte's length in JSON text that is itself a string within JSON, as API Gateway hands a body to Lambda.
const fn escaped(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' => 4,
        // A writer of JSON may choose an escape by number for a control character, and for any of two bytes or more.
        ..0x20 | 0x7F => 7,
        0x80.. => 3,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_weighs_no_less_than_it_does_within_json_within_json() {
        for text in ["XY1005wXyWPB1SgpMUKIpzA0I3UaLEz-2lg0wFAr1PWK7FMhs", "\\\"\u{1}\u{7f}\n\tü€😀", &"\u{1}".repeat(100)] {
            let json = serde_json::to_string(text).unwrap();
            let event = serde_json::to_string(&json).unwrap();
            // The event's own quotes stand for the comma.
            assert!(with_quotes(text.bytes().map(escaped).sum()) >= event.len() - 1, "{text}");
        }
    }

    #[test]
    fn whatever_the_field_its_weight_is_bounded() {
        for field in [vec![b'\xFF'; 10 << 20], vec![1; 200], vec![b'"'; 200], "€".repeat(100).into_bytes()] {
            assert!(of(&sendable(&field)) <= MAX);
        }
    }
}
