//! What an API answers.

use reqwest::{RequestBuilder, header::HeaderMap};
use serde_json::Value;

/// An answer over HTTP.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
    pub text: String,
}

impl Answer {
    /// Sends a request.
    pub async fn to(request: RequestBuilder) -> Self {
        let answer = request.send().await.expect("the gateway answers");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.expect("the body is text");
        Self { status, headers, body: serde_json::from_str(&text).unwrap_or_default(), text }
    }

    /// `status code`, as the tables of errors have it.
    pub fn refusal(&self) -> String {
        let code = self.body["code"].as_str().or(self.body["error"].as_str());
        format!("{} {}", self.status, code.unwrap_or("without a code"))
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}
