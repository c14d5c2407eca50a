//! Gateway responses: the responses that API Gateway generates itself, as the template customizes
//! them.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use sam::{Api, HeaderMapping};
use serde_json::json;

/// A response type, with API Gateway's defaults.
#[derive(Clone, Copy, Debug)]
pub(super) struct ResponseType {
    name: &'static str,
    status: StatusCode,
    /// `None` for an authorizer's failure, which has no public message.
    message: Option<&'static str>,
    error_type: &'static str,
}

/// There is no such path, or no such method of a path.
pub(super) const MISSING_AUTHENTICATION_TOKEN: ResponseType = ResponseType {
    name: "MISSING_AUTHENTICATION_TOKEN",
    status: StatusCode::FORBIDDEN,
    message: Some("Missing Authentication Token"),
    error_type: "MissingAuthenticationTokenException",
};

/// The body is larger than 10 MB.
pub(super) const REQUEST_TOO_LARGE: ResponseType = ResponseType {
    name: "REQUEST_TOO_LARGE",
    status: StatusCode::PAYLOAD_TOO_LARGE,
    message: Some("HTTP content length exceeded 10485760 bytes."),
    error_type: "RequestTooLargeException",
};

/// The event is larger than Lambda's limit.
pub(super) const EVENT_TOO_LARGE: ResponseType = ResponseType { message: Some("Request Too Long"), ..REQUEST_TOO_LARGE };

/// The authorizer does not know the caller.
pub(super) const UNAUTHORIZED: ResponseType = ResponseType {
    name: "UNAUTHORIZED",
    status: StatusCode::UNAUTHORIZED,
    message: Some("Unauthorized"),
    error_type: "UnauthorizedException",
};

/// The authorizer's policy denies the request.
pub(super) const ACCESS_DENIED: ResponseType = ResponseType {
    name: "ACCESS_DENIED",
    status: StatusCode::FORBIDDEN,
    message: Some("User is not authorized to access this resource with an explicit deny"),
    error_type: "AccessDeniedException",
};

/// The authorizer's policy does not mention the request.
pub(super) const NOT_ALLOWED: ResponseType =
    ResponseType { message: Some("User is not authorized to access this resource"), ..ACCESS_DENIED };

/// The authorizer crashed, failed, or timed out.
pub(super) const AUTHORIZER_FAILURE: ResponseType = ResponseType {
    name: "AUTHORIZER_FAILURE",
    status: StatusCode::INTERNAL_SERVER_ERROR,
    message: None,
    error_type: "InternalServerErrorException",
};

/// The authorizer is missing, or its response is malformed.
pub(super) const AUTHORIZER_CONFIGURATION_ERROR: ResponseType =
    ResponseType { name: "AUTHORIZER_CONFIGURATION_ERROR", error_type: "AuthorizerConfigurationException", ..AUTHORIZER_FAILURE };

/// The requests exceed the throttling limits.
pub(super) const THROTTLED: ResponseType = ResponseType {
    name: "THROTTLED",
    status: StatusCode::TOO_MANY_REQUESTS,
    message: Some("Too Many Requests"),
    error_type: "TooManyRequestsException",
};

/// The connection failed before the end of the body.
pub(super) const BAD_REQUEST: ResponseType =
    ResponseType { name: "DEFAULT_4XX", status: StatusCode::BAD_REQUEST, message: Some("Bad Request"), error_type: "BadRequestException" };

/// The function did not respond in time.
pub(super) const INTEGRATION_TIMEOUT: ResponseType = ResponseType {
    name: "INTEGRATION_TIMEOUT",
    status: StatusCode::GATEWAY_TIMEOUT,
    message: Some("Endpoint request timed out"),
    error_type: "InternalServerErrorException",
};

/// The function crashed, failed, or its response is malformed.
pub(super) const BAD_GATEWAY: ResponseType = ResponseType {
    name: "DEFAULT_5XX",
    status: StatusCode::BAD_GATEWAY,
    message: Some("Internal server error"),
    error_type: "InternalServerErrorException",
};

impl ResponseType {
    /// The response of an API to a request with these headers.
    pub(super) fn response(self, api: Option<&Api>, request_headers: &HeaderMap, request_id: &str) -> Response {
        let default = if self.status.is_client_error() { "DEFAULT_4XX" } else { "DEFAULT_5XX" };
        let custom = api.and_then(|api| api.responses.get(self.name).or_else(|| api.responses.get(default)));
        let status = custom.and_then(|custom| StatusCode::from_u16(custom.status?).ok()).unwrap_or(self.status);
        let template = custom.and_then(|custom| custom.template.as_deref());
        let template = template.unwrap_or(r#"{"message":$context.error.messageString}"#);
        let body = template
            .replace("$context.error.messageString", &json!(self.message).to_string())
            .replace("$context.error.message", self.message.unwrap_or_default())
            .replace("$context.error.responseType", self.name)
            .replace("$context.requestId", request_id);
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert("x-amzn-errortype", HeaderValue::from_static(self.error_type));
        for (name, value) in custom.into_iter().flat_map(|custom| &custom.headers) {
            let value = match value {
                HeaderMapping::Static(value) => HeaderValue::try_from(value).ok(),
                HeaderMapping::RequestHeader(name) => request_headers.get(name).cloned(),
            };
            if let (Ok(name), Some(value)) = (HeaderName::try_from(name), value) {
                headers.insert(name, value);
            }
        }
        response
    }
}
