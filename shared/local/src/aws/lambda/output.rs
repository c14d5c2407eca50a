//! The output of an invocation, and Lambda's limits.

use axum::body::Bytes;
use serde_json::json;

/// The maximum size of an event of a synchronous invocation.
pub(crate) const MAX_EVENT_BYTES: usize = 6 * 1024 * 1024;

/// The maximum size of a response. Lambda allows 100 bytes more than for an event.
pub(super) const MAX_RESPONSE_BYTES: usize = MAX_EVENT_BYTES + 100;

/// The output of an invocation.
#[derive(Clone, Debug)]
pub(crate) struct InvokeOutput {
    pub(crate) payload: Bytes,
    /// Whether the payload is an error: one that the function reported, or one of its process's
    /// exit.
    pub(crate) is_error: bool,
}

impl InvokeOutput {
    pub(super) const fn response(payload: Bytes) -> Self {
        Self { payload, is_error: false }
    }

    /// An error that the function reported.
    pub(super) const fn function_error(payload: Bytes) -> Self {
        Self { payload, is_error: true }
    }

    /// An error that Lambda reports.
    pub(super) fn lambda_error(kind: &str, request_id: &str, message: &str) -> Self {
        let message = format!("RequestId: {request_id} Error: {message}");
        Self::function_error(json!({"errorType": kind, "errorMessage": message}).to_string().into())
    }

    pub(super) fn stopping(request_id: &str) -> Self {
        Self::lambda_error("Runtime.ExitError", request_id, "the local cloud is stopping")
    }
}
