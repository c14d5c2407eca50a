//! How the vendor says no: each API in its own form.

use axum::{
    Json,
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde_json::json;

/// Who refuses.
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

    /// A refusal in this API's form.
    pub(super) fn refuse(self, status: StatusCode, code: &str, message: &str) -> Response {
        let body = match self {
            Self::Oauth => json!({"error": code, "error_description": message}),
            Self::Cms => json!([{"error_code": code, "message": message}]),
            Self::Ingest => json!({"error_code": code, "message": message}),
        };
        (status, Json(body)).into_response()
    }
}

pub(super) async fn nothing(uri: Uri) -> Response {
    Api::of(uri.path()).refuse(StatusCode::NOT_FOUND, "RESOURCE_NOT_FOUND", "There is no such resource.")
}

pub(super) async fn method(uri: Uri) -> Response {
    Api::of(uri.path()).refuse(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "The resource has no such method.")
}
