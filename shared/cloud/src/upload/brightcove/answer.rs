//! What Brightcove answers, and what that means here.

use serde::{Deserialize, de::DeserializeOwned};
use shared::upload::Code;

use super::super::Error;
use crate::http::Answer;

/// The longest code that is passed on.
const MAX_CODE: usize = 64;

/// Reads a good answer.
pub(super) fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, Error> {
    if !matches!(answer.status.as_u16(), 200 | 201) {
        return Err(invalid(format!("status {}", answer.status)));
    }
    // The reader's own words may quote the answer.
    serde_json::from_slice(&answer.body).map_err(|error| invalid(format!("{:?} error in the answer's JSON", error.classify())))
}

/// The text of a good answer, which was read.
pub(super) fn text(answer: &Answer) -> Result<&str, Error> {
    str::from_utf8(&answer.body).map_err(|_| invalid("an answer that is no text"))
}

/// The answer is not as documented.
pub(in crate::upload) fn invalid(cause: impl Into<String>) -> Error {
    Error::Upstream { code: Code::UpstreamInvalid, cause: cause.into() }
}

/// What an answer that is no success means.
pub(super) fn refusal(answer: &Answer) -> Error {
    let status = answer.status.as_u16();
    let upstream = |code| Error::Upstream { code, cause: format!("status {status}") };
    match status {
        401 => upstream(Code::UpstreamAuth),
        403 => upstream(Code::UpstreamForbidden),
        400 | 404 | 409 | 422 => Error::Rejected { status, code: code(&answer.body) },
        429 => Error::Limited,
        500.. => upstream(Code::UpstreamBusy),
        _ => upstream(Code::UpstreamInvalid),
    }
}

/// The code of an error: of the first of several, or of the one.
fn code(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Told {
        error_code: String,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Body {
        Several(Vec<Told>),
        One(Told),
    }
    let code = match serde_json::from_slice(body).ok()? {
        Body::Several(several) => several.into_iter().next()?.error_code,
        Body::One(told) => told.error_code,
    };
    let is_code = (1..=MAX_CODE).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    is_code.then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_passed_on_where_it_is_one() {
        assert_eq!(code(br#"[{"error_code":"ILLEGAL_FIELD","message":"m"}]"#).as_deref(), Some("ILLEGAL_FIELD"));
        assert_eq!(code(br#"{"error_code":"NOT_FOUND"}"#).as_deref(), Some("NOT_FOUND"));
        let long = format!(r#"{{"error_code":"{}"}}"#, "A".repeat(65));
        for body in [r#"{"error_code":"<script>"}"#, r#"{"error_code":""}"#, "[]", "{}", "nonsense", &long] {
            assert_eq!(code(body.as_bytes()), None, "{body}");
        }
    }
}
