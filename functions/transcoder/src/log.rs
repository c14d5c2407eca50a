//! The log: one JSON object per line on the standard error stream.

use serde_json::json;

/// Writes one line. Tokens, ids and keys must never be part of it.
pub(crate) fn log(message: &str) {
    eprintln!("{}", json!({"function": "transcoder", "message": message}));
}
