//! Brightcove's responses.

use serde::{Deserialize, de::DeserializeOwned};
use shared::upload::Code;

use super::super::error::Error;
use crate::http::Response;

/// The longest error code that is passed on, in bytes.
const MAX_CODE_BYTES: usize = 64;

/// Parses a successful response.
pub(super) fn parse<T: DeserializeOwned>(response: &Response) -> Result<T, Error> {
    if !matches!(response.status.as_u16(), 200 | 201) {
        return Err(invalid_response(format!("status {}", response.status)));
    }
    // The parser's own message may quote the response.
    serde_json::from_slice(&response.body).map_err(|error| invalid_response(format!("{:?} error in the response's JSON", error.classify())))
}

/// The text of a successful response, which was parsed.
pub(super) fn text(response: &Response) -> Result<&str, Error> {
    str::from_utf8(&response.body).map_err(|_| invalid_response("a response that is not UTF-8"))
}

/// An undocumented response.
pub(crate) fn invalid_response(cause: impl Into<String>) -> Error {
    Error::Upstream { code: Code::UpstreamInvalid, cause: cause.into() }
}

/// Maps an unsuccessful response.
pub(super) fn error_response(response: &Response) -> Error {
    let status = response.status.as_u16();
    let upstream = |code| Error::Upstream { code, cause: format!("status {status}") };
    match status {
        401 => upstream(Code::UpstreamAuth),
        403 => upstream(Code::UpstreamForbidden),
        400 | 404 | 409 | 422 => Error::Rejected { status, code: error_code(&response.body) },
        429 => Error::RateLimited,
        500.. => upstream(Code::UpstreamBusy),
        _ => upstream(Code::UpstreamInvalid),
    }
}

/// The code of an error body: one error, or a list whose first error counts.
fn error_code(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Item {
        error_code: String,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Body {
        List(Vec<Item>),
        One(Item),
    }
    let code = match serde_json::from_slice(body).ok()? {
        Body::List(list) => list.into_iter().next()?.error_code,
        Body::One(item) => item.error_code,
    };
    let is_code = (1..=MAX_CODE_BYTES).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    is_code.then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_valid_code_is_passed_on() {
        assert_eq!(error_code(br#"[{"error_code":"ILLEGAL_FIELD","message":"m"}]"#).as_deref(), Some("ILLEGAL_FIELD"));
        assert_eq!(error_code(br#"{"error_code":"NOT_FOUND"}"#).as_deref(), Some("NOT_FOUND"));
        let long = format!(r#"{{"error_code":"{}"}}"#, "A".repeat(65));
        for body in [r#"{"error_code":"<script>"}"#, r#"{"error_code":""}"#, "[]", "{}", "nonsense", &long] {
            assert_eq!(error_code(body.as_bytes()), None, "{body}");
        }
    }
}
