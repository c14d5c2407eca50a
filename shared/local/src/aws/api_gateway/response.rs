//! What the gateway says in its own name: API Gateway's response types, as the template customises them.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use serde_json::json;

use sam::{Api, HeaderMapping};

/// A response type, with what API Gateway says when nobody customises it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    name: &'static str,
    status: StatusCode,
    /// Nobody is told what an authorizer's failure is about.
    message: Option<&'static str>,
    error_type: &'static str,
}

/// A path, or a method of a path, that is not there.
pub(super) const MISSING_AUTHENTICATION_TOKEN: Kind = Kind {
    name: "MISSING_AUTHENTICATION_TOKEN",
    status: StatusCode::FORBIDDEN,
    message: Some("Missing Authentication Token"),
    error_type: "MissingAuthenticationTokenException",
};

/// A body over 10 MB.
pub(super) const REQUEST_TOO_LARGE: Kind = Kind {
    name: "REQUEST_TOO_LARGE",
    status: StatusCode::PAYLOAD_TOO_LARGE,
    message: Some("HTTP content length exceeded 10485760 bytes."),
    error_type: "RequestTooLargeException",
};

/// An event over what Lambda takes.
pub(super) const EVENT_TOO_LARGE: Kind = Kind { message: Some("Request Too Long"), ..REQUEST_TOO_LARGE };

/// A caller whom the authorizer does not know.
pub(super) const UNAUTHORIZED: Kind =
    Kind { name: "UNAUTHORIZED", status: StatusCode::UNAUTHORIZED, message: Some("Unauthorized"), error_type: "UnauthorizedException" };

/// A caller whom the authorizer knows and turns away.
pub(super) const ACCESS_DENIED: Kind = Kind {
    name: "ACCESS_DENIED",
    status: StatusCode::FORBIDDEN,
    message: Some("User is not authorized to access this resource with an explicit deny"),
    error_type: "AccessDeniedException",
};

/// A caller of whom the authorizer says nothing.
pub(super) const NOT_ALLOWED: Kind = Kind { message: Some("User is not authorized to access this resource"), ..ACCESS_DENIED };

/// An authorizer that crashed, failed, or took too long.
pub(super) const AUTHORIZER_FAILURE: Kind = Kind {
    name: "AUTHORIZER_FAILURE",
    status: StatusCode::INTERNAL_SERVER_ERROR,
    message: None,
    error_type: "InternalServerErrorException",
};

/// An authorizer that answers what is no decision.
pub(super) const AUTHORIZER_CONFIGURATION_ERROR: Kind =
    Kind { name: "AUTHORIZER_CONFIGURATION_ERROR", error_type: "AuthorizerConfigurationException", ..AUTHORIZER_FAILURE };

/// Too many requests at once.
pub(super) const THROTTLED: Kind = Kind {
    name: "THROTTLED",
    status: StatusCode::TOO_MANY_REQUESTS,
    message: Some("Too Many Requests"),
    error_type: "TooManyRequestsException",
};

/// A body that does not come whole.
pub(super) const BAD_REQUEST: Kind =
    Kind { name: "DEFAULT_4XX", status: StatusCode::BAD_REQUEST, message: Some("Bad Request"), error_type: "BadRequestException" };

/// A function that does not answer in time.
pub(super) const INTEGRATION_TIMEOUT: Kind = Kind {
    name: "INTEGRATION_TIMEOUT",
    status: StatusCode::GATEWAY_TIMEOUT,
    message: Some("Endpoint request timed out"),
    error_type: "InternalServerErrorException",
};

/// A function that crashed, failed, or answered what is no answer.
pub(super) const NO_ANSWER: Kind = Kind {
    name: "DEFAULT_5XX",
    status: StatusCode::BAD_GATEWAY,
    message: Some("Internal server error"),
    error_type: "InternalServerErrorException",
};

impl Kind {
    /// The response of an API to a request with these headers.
    pub(super) fn response(self, api: Option<&Api>, asked: &HeaderMap, request_id: &str) -> Response {
        let general = if self.status.is_client_error() { "DEFAULT_4XX" } else { "DEFAULT_5XX" };
        let custom = api.and_then(|api| api.responses.get(self.name).or_else(|| api.responses.get(general)));
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
                HeaderMapping::RequestHeader(name) => asked.get(name).cloned(),
            };
            if let (Ok(name), Some(value)) = (HeaderName::try_from(name), value) {
                headers.insert(name, value);
            }
        }
        response
    }
}
