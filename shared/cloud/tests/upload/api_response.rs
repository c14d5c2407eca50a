//! Responses of the handlers.

use serde_json::Value;

/// A response, as the caller gets it.
#[derive(Debug)]
pub struct ApiResponse {
    pub status: u64,
    pub headers: Value,
    pub text: String,
}

impl ApiResponse {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{self:?}"))
    }

    /// The status and the error's code.
    pub fn error(&self) -> (u64, String) {
        (self.status, self.json()["error"].as_str().unwrap_or_default().to_owned())
    }
}
