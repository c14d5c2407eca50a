//! The transcoder's endpoint, by the SageMaker runtime.

mod lines;

use std::time::Duration;

use aws_config::{SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_sagemakerruntime::{
    Client,
    error::{DisplayErrorContext, SdkError},
    operation::invoke_endpoint::{InvokeEndpointError, InvokeEndpointOutput},
    primitives::Blob,
};
use serde_json::{Value, json};
use shared::identity::{Code, Direction, rpc::ErrorBody};

pub use lines::Unanswered;

use super::{Error, permits::read_direction};
use crate::{
    setting::{self, Environment},
    vault,
};

/// How often a request is sent at most: an instance may die under it, or be a new one without keys.
const ATTEMPTS: usize = 5;

/// The endpoint.
pub struct Endpoint {
    client: Client,
    setting: setting::Endpoint,
}

/// What an instance answered.
pub struct Answer {
    /// The body.
    pub body: Vec<u8>,
    /// What was translated, in each direction.
    pub usage: Vec<(Direction, u64)>,
    /// How much of it came under a previous key of its domain.
    pub previous: u64,
}

/// One attempt's outcome.
enum Outcome {
    Answered(Answer),
    /// This instance has not the keys.
    NoKeys,
    /// The instance died, or the endpoint is between two instances.
    Broken(Error),
    Failed(Error),
}

impl Endpoint {
    /// Finds the endpoint that the environment names; `sdk` is the configuration that was loaded for the tables.
    pub fn new(environment: &Environment, sdk: &SdkConfig) -> Result<Self, Error> {
        let setting = environment.endpoint().map_err(vault::Error::from)?;
        let mut config = aws_sdk_sagemakerruntime::config::Builder::from(sdk)
            .retry_config(RetryConfig::standard().with_max_attempts(3))
            .timeout_config(TimeoutConfig::builder().operation_timeout(Duration::from_secs(25)).build());
        if let Some(desk) = environment.desk().and_then(|desk| desk.sagemaker) {
            config = config.endpoint_url(desk);
        }
        Ok(Self { client: Client::from_conf(config.build()), setting })
    }

    /// The variants behind it.
    #[must_use]
    pub fn variants(&self) -> &[String] {
        &self.setting.variants
    }

    /// The longest body it takes, in bytes.
    #[must_use]
    pub const fn max_bytes(&self) -> usize {
        self.setting.max_bytes
    }

    /// Loads an init token into an instance of a variant.
    pub async fn init(&self, variant: &str, init_token: &str) -> Result<(), Error> {
        let body = json!({"rpc": "init", "init_token": init_token}).to_string();
        let mut last = Error::NotInitialised;
        for _ in 0..ATTEMPTS {
            match self.invoke(body.clone(), None, Some(variant)).await {
                Outcome::Answered(_) => return Ok(()),
                Outcome::Failed(error) => return Err(error),
                Outcome::NoKeys => last = Error::NotInitialised,
                Outcome::Broken(error) => last = error,
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Err(last)
    }

    /// Asks an instance of a variant for its state.
    pub async fn metrics(&self, variant: &str) -> Result<Value, Error> {
        match self.invoke(r#"{"rpc":"metrics"}"#.into(), None, Some(variant)).await {
            Outcome::Answered(answer) => {
                serde_json::from_slice(&answer.body).map_err(|_| Error::Endpoint("answered metrics that are not JSON".into()))
            }
            Outcome::NoKeys => Err(Error::NotInitialised),
            Outcome::Broken(error) | Outcome::Failed(error) => Err(error),
        }
    }

    /// Translates: `data` is an array of `transcode_data`, as it came. An instance without the packet's keys gets the init token along with
    /// the repeated request; a broken one costs a repetition.
    pub async fn translate(&self, smart_token: &str, data: &str, packet_id: &str, init_token: &str) -> Result<Answer, Error> {
        let mut keys = None;
        let attribute = format!("packet={packet_id}");
        let mut last = Error::NotInitialised;
        for attempt in 0..ATTEMPTS {
            // The data is copied once for each attempt, of which there is seldom a second.
            match self.invoke(request(smart_token, data, keys), Some(&attribute), None).await {
                Outcome::Answered(answer) => return Ok(answer),
                Outcome::NoKeys if keys.is_none() => keys = Some(init_token),
                Outcome::NoKeys => return Err(Error::NotInitialised),
                Outcome::Failed(error) => return Err(error),
                Outcome::Broken(error) => {
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
            .endpoint_name(&self.setting.name)
            .content_type("application/json")
            .set_custom_attributes(attributes.map(Into::into))
            .set_target_variant(variant.map(Into::into))
            .body(Blob::new(body));
        match call.send().await {
            Ok(output) => answer(output),
            Err(error) => refusal(&error),
        }
    }
}

fn answer(output: InvokeEndpointOutput) -> Outcome {
    let attributes = output.custom_attributes().unwrap_or_default();
    let attribute = |name: &str| attributes.split(';').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let usage = attribute("usage").map_or(Some(Vec::new()), read_usage);
    let previous = attribute("previous").map_or(Some(0), |count| count.parse().ok());
    let usage = usage.zip(previous);
    let body = output.body.map(Blob::into_inner).unwrap_or_default();
    match usage {
        Some((usage, previous)) => Outcome::Answered(Answer { body, usage, previous }),
        // What cannot be counted is not given out.
        None => Outcome::Failed(Error::Endpoint("answered with usage that is not readable".into())),
    }
}

fn read_usage(text: &str) -> Option<Vec<(Direction, u64)>> {
    text.split(',')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (direction, count) = pair.split_once(':')?;
            Some((read_direction(&direction.replace('-', "#")).ok()?, count.parse().ok()?))
        })
        .collect()
}

fn refusal(error: &SdkError<InvokeEndpointError>) -> Outcome {
    let cause = || Error::Endpoint(format!("failed: {}", DisplayErrorContext(error)));
    match error.as_service_error() {
        Some(InvokeEndpointError::ModelError(model)) => {
            let status = model.original_status_code().and_then(|status| u16::try_from(status).ok()).unwrap_or_default();
            let wire: Option<ErrorBody> = model.original_message().and_then(|message| serde_json::from_str(message).ok());
            match wire {
                Some(wire) if status == 503 && wire.code == Code::S007.code() => Outcome::NoKeys,
                // An instance that has no room now has some a moment later, and another may have some now.
                Some(wire) if status == 503 => Outcome::Broken(Error::Answered { status, wire }),
                Some(wire) if status >= 400 => Outcome::Failed(Error::Answered { status, wire }),
                _ => Outcome::Broken(cause()),
            }
        }
        Some(error) if error.meta().code() == Some("ThrottlingException") => Outcome::Failed(Error::Throttled),
        Some(InvokeEndpointError::ValidationError(_)) => Outcome::Failed(cause()),
        _ => Outcome::Broken(cause()),
    }
}

/// The request of a translation; the data is copied as it came.
fn request(smart_token: &str, data: &str, init_token: Option<&str>) -> String {
    let mut request = String::with_capacity(data.len() + smart_token.len() + init_token.map_or(0, str::len) + 80);
    request.push_str(r#"{"rpc":"request","smart_token":""#);
    // Both tokens were verified: they are base64url and dots, and nothing in them needs escapes.
    request.push_str(smart_token);
    if let Some(init_token) = init_token {
        request.push_str(r#"","init_token":""#);
        request.push_str(init_token);
    }
    request.push_str(r#"","transcode_data":"#);
    request.push_str(data);
    request.push('}');
    request
}

/// About how many bare ids fit into a body.
#[must_use]
pub const fn ids_that_fit(bytes: usize) -> usize {
    // 49 characters, two quotes and a comma.
    bytes / 52
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_read_as_the_transcoder_writes_it() {
        let usage = read_usage("1005-1006:9980,1007-1006:12").unwrap();
        assert_eq!(usage.len(), 2);
        assert_eq!((usage[0].0.from.as_str(), usage[0].0.to.as_str(), usage[0].1), ("1005", "1006", 9980));
        assert_eq!(read_usage(""), Some(Vec::new()));
        assert_eq!(read_usage("1005-1006"), None);
    }
}
