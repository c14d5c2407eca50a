//! HTTP responses.

use reqwest::{RequestBuilder, header::HeaderMap};
use serde_json::Value;

/// A response that has been read to its end.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub headers: HeaderMap,
    /// The body as JSON, null if it is not JSON.
    pub body: Value,
    pub text: String,
}

impl Response {
    /// Sends a request and reads the response.
    pub async fn to(request: RequestBuilder) -> Self {
        let response = request.send().await.expect("the server responds");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("the body is text");
        Self { status, headers, body: serde_json::from_str(&text).unwrap_or_default(), text }
    }

    /// `status code`, as the tables of errors have it.
    pub fn status_and_code(&self) -> String {
        let code = self.body["code"].as_str().or(self.body["error"].as_str());
        format!("{} {}", self.status, code.unwrap_or("without a code"))
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}
