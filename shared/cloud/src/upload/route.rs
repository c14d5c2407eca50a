//! What the routes of uploads have in common.

use std::time::Duration;

use lambda_http::http::{Method, header};
use serde_json::{Map, Value};
use shared::{
    fault::Fault,
    upload::{Code, VideoId},
};

use super::error::Error;
use crate::{
    gateway::{Api, ApiError, Cors, ErrorKey, Request, Response},
    setting::Environment,
};

/// The time limit of a request, including its calls to Brightcove.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(25);

/// The maximum size of a page's request body, in bytes.
const MAX_PAGE_BODY_BYTES: usize = 16 << 10;

/// The API of uploads: an allow list of web origins, and errors with the key `error`.
#[must_use]
pub fn api(environment: &Environment) -> Api {
    Api::new(ErrorKey::Error, Cors::AllowList(environment.upload_origins()))
}

/// Runs a route's handler and logs its outcome, or answers 405 to another method and 204 to
/// OPTIONS.
pub(super) async fn require_method(
    method: Method,
    operation: &'static str,
    request: &Request,
    handler: impl Future<Output = Result<Response, Error>>,
) -> Result<Response, ApiError> {
    let methods = if method == Method::POST { "POST, OPTIONS" } else { "GET, OPTIONS" };
    if request.method == Method::OPTIONS {
        return Ok(Response::preflight(methods));
    }
    if request.method != method {
        return Err(ApiError::method_not_allowed(methods, Code::Method.code()));
    }
    let outcome = handler.await;
    let code = outcome.as_ref().map_or_else(Error::code, |_| "ok");
    // Only a valid id is logged: other text is the caller's, and may be anything.
    let video = video_id(request).map_or_else(|_| "none".into(), |video| video.to_string());
    tracing::info!(operation, video, code);
    Ok(outcome?)
}

/// 404 Not Found, for a route in the template that the function does not know.
pub(super) fn not_found() -> ApiError {
    let code = Code::NotFound;
    ApiError::new(Fault::Absent, code.code(), code.message())
}

/// The path parameter `videoId`.
pub(super) fn video_id(request: &Request) -> Result<VideoId, Error> {
    Ok(request.parameter("videoId").parse()?)
}

/// The body of a page's request. It is parsed as a JSON object first, because serde would also read
/// a struct from an array.
pub(super) fn json_body(request: &Request) -> Result<Map<String, Value>, Error> {
    let media_type = request.header(header::CONTENT_TYPE).unwrap_or_default().split(';').next().unwrap_or_default();
    if !media_type.trim().eq_ignore_ascii_case("application/json") {
        return Err(Error::Code(Code::MediaType));
    }
    if request.body.len() > MAX_PAGE_BODY_BYTES {
        return Err(Error::Code(Code::TooLarge));
    }
    serde_json::from_str(&request.body).map_err(|_| Error::Code(Code::BadBody))
}
