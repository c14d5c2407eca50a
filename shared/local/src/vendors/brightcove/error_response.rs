//! Error responses, in the format of each API.

use axum::{
    Json,
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde_json::json;

/// An API, with its format of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Api {
    /// `{"error","error_description"}`.
    Oauth,
    /// A list of `{"error_code","message"}`.
    Cms,
    /// One `{"error_code","message"}`.
    Ingest,
}

impl Api {
    pub(super) fn of(path: &str) -> Self {
        match path.split('/').nth(1) {
            Some("oauth") => Self::Oauth,
            Some("ingest") => Self::Ingest,
            _ => Self::Cms,
        }
    }

    pub(super) fn error(self, status: StatusCode, code: &str, message: &str) -> Response {
        let body = match self {
            Self::Oauth => json!({"error": code, "error_description": message}),
            Self::Cms => json!([{"error_code": code, "message": message}]),
            Self::Ingest => json!({"error_code": code, "message": message}),
        };
        (status, Json(body)).into_response()
    }
}

pub(super) async fn not_found(uri: Uri) -> Response {
    Api::of(uri.path()).error(StatusCode::NOT_FOUND, "RESOURCE_NOT_FOUND", "There is no such resource.")
}

pub(super) async fn method_not_allowed(uri: Uri) -> Response {
    Api::of(uri.path()).error(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "The resource has no such method.")
}
