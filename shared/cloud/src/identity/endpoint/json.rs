//! Requests of type `application/json`: the proxy's.

use std::time::Duration;

use aws_sdk_sagemakerruntime::primitives::Blob;
use serde_json::{Value, json};

use super::{
    super::error::Error,
    outcome::{EndpointOutput, Outcome},
    runtime::Endpoint,
};

/// The maximum number of attempts: an instance may die, or be a new one without keys.
const MAX_INVOKE_ATTEMPTS: usize = 5;

impl Endpoint {
    /// Loads an init token into an instance of a variant.
    pub async fn init(&self, variant: &str, init_token: &str) -> Result<(), Error> {
        let body = json!({"rpc": "init", "init_token": init_token}).to_string();
        let mut last = Error::NotInitialised;
        for _ in 0..MAX_INVOKE_ATTEMPTS {
            match self.invoke(body.clone(), None, Some(variant)).await {
                Outcome::Output(_) => return Ok(()),
                Outcome::Failed(error) => return Err(error),
                Outcome::NoKeys => last = Error::NotInitialised,
                Outcome::Retryable(error) => last = error,
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Err(last)
    }

    /// The state of an instance of a variant.
    pub async fn metrics(&self, variant: &str) -> Result<Value, Error> {
        match self.invoke(r#"{"rpc":"metrics"}"#.into(), None, Some(variant)).await {
            Outcome::Output(output) => {
                serde_json::from_slice(&output.body).map_err(|_| Error::Endpoint("returned metrics that are not JSON".into()))
            }
            Outcome::NoKeys => Err(Error::NotInitialised),
            Outcome::Retryable(error) | Outcome::Failed(error) => Err(error),
        }
    }

    /// Translates `data`, the request's `transcode_data` as JSON text. An instance without the
    /// packet's keys gets the init token with the repeated request.
    pub async fn translate(&self, smart_token: &str, data: &str, packet_id: &str, init_token: &str) -> Result<EndpointOutput, Error> {
        let mut keys = None;
        let attribute = format!("packet={packet_id}");
        let mut last = Error::NotInitialised;
        for attempt in 0..MAX_INVOKE_ATTEMPTS {
            // Each attempt copies the data; there is seldom a second.
            match self.invoke(translate_body(smart_token, data, keys), Some(&attribute), None).await {
                Outcome::Output(output) => return Ok(output),
                Outcome::NoKeys if keys.is_none() => keys = Some(init_token),
                Outcome::NoKeys => return Err(Error::NotInitialised),
                Outcome::Failed(error) => return Err(error),
                Outcome::Retryable(error) => {
                    last = error;
                    tokio::time::sleep(Duration::from_millis(50 << attempt)).await;
                }
            }
        }
        Err(last)
    }

    async fn invoke(&self, body: String, attributes: Option<&str>, variant: Option<&str>) -> Outcome {
        let call = self
            .client
            .invoke_endpoint()
            .endpoint_name(&self.settings.name)
            .content_type("application/json")
            .set_custom_attributes(attributes.map(Into::into))
            .set_target_variant(variant.map(Into::into))
            .body(Blob::new(body));
        match call.send().await {
            Ok(output) => output.into(),
            Err(error) => (&error).into(),
        }
    }
}

fn translate_body(smart_token: &str, data: &str, init_token: Option<&str>) -> String {
    let mut body = String::with_capacity(data.len() + smart_token.len() + init_token.map_or(0, str::len) + 80);
    body.push_str(r#"{"rpc":"request","smart_token":""#);
    // Both tokens were verified, so they are base64url and dots, and need no escapes.
    body.push_str(smart_token);
    if let Some(init_token) = init_token {
        body.push_str(r#"","init_token":""#);
        body.push_str(init_token);
    }
    body.push_str(r#"","transcode_data":"#);
    body.push_str(data);
    body.push('}');
    body
}

/// The approximate number of bare ids that fit into a body.
#[must_use]
pub const fn ids_that_fit(bytes: usize) -> usize {
    // 49 characters, two quotes and a comma.
    bytes / 52
}
