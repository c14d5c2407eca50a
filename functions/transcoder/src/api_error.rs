//! Errors as the API returns them: a documented code, a message for the caller and a cause for the
//! log.

use shared::identity::{
    Code, packet,
    rpc::{self, ErrorBody},
    token,
};

use crate::log::log;

/// An error that is returned to the caller as `{"code","message"}`.
#[derive(Debug)]
pub(crate) struct ApiError {
    /// The documented code.
    pub(crate) code: Code,
    /// The message for the caller.
    pub(crate) message: String,
    /// The cause, for the log only.
    source: Option<String>,
}

impl ApiError {
    /// An error with the code's own message.
    pub(crate) fn new(code: Code) -> Self {
        Self::with_message(code, code.message())
    }

    /// An error with a message of its own.
    pub(crate) fn with_message(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), source: None }
    }

    fn with_source(self, source: &impl ToString) -> Self {
        Self { source: Some(source.to_string()), ..self }
    }

    /// Logs the error and serializes the body of its response.
    pub(crate) fn into_body(self, status: u16) -> Vec<u8> {
        let source = self.source.as_deref().map(|source| format!(": {source}")).unwrap_or_default();
        log(&format!("request failed with status {status}, code {}{source}", self.code.code()));
        serde_json::to_vec(&ErrorBody::new(self.code, self.message)).unwrap_or_default()
    }
}

impl From<rpc::Error> for ApiError {
    fn from(error: rpc::Error) -> Self {
        Self::with_message(error.code(), error.to_string())
    }
}

impl From<token::Error> for ApiError {
    fn from(error: token::Error) -> Self {
        Self::with_message(error.code(), error.message()).with_source(&error)
    }
}

impl From<packet::Error> for ApiError {
    fn from(error: packet::Error) -> Self {
        Self::new(error.code()).with_source(&error)
    }
}
