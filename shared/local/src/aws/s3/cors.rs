//! CORS of the bucket: pages of every origin may upload, since the signature decides.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

const VARY: &str = "origin, access-control-request-method, access-control-request-headers";

/// Answers preflight requests, and adds the CORS headers to every response.
pub(super) async fn allow_all(request: Request, next: Next) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::VARY, HeaderValue::from_static(VARY));
    let mut response = if request.method() == Method::OPTIONS {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET,PUT,POST,DELETE,HEAD"));
        if let Some(requested) = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, requested.clone());
        }
        StatusCode::OK.into_response()
    } else {
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("etag"));
        next.run(request).await
    };
    response.headers_mut().extend(headers);
    response
}
