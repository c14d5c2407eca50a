//! The outcome of one invocation.

use aws_sdk_sagemakerruntime::{
    error::{DisplayErrorContext, SdkError},
    operation::invoke_endpoint::{InvokeEndpointError, InvokeEndpointOutput},
    primitives::Blob,
};
use shared::identity::{Code, Direction, rpc::ErrorBody};

use super::super::{direction, error::Error};

/// An instance's response.
pub struct EndpointOutput {
    /// The body.
    pub body: Vec<u8>,
    /// The number of translated ids in each direction.
    pub usage: Vec<(Direction, u64)>,
    /// The number of them that were encrypted under a previous key of their domain.
    pub previous: u64,
}

/// The outcome of one invocation.
pub(super) enum Outcome {
    Output(EndpointOutput),
    /// The instance has no keys of the client.
    NoKeys,
    /// The instance died or is busy, or the endpoint is being updated.
    Retryable(Error),
    Failed(Error),
}

impl From<InvokeEndpointOutput> for Outcome {
    fn from(output: InvokeEndpointOutput) -> Self {
        let attributes = output.custom_attributes().unwrap_or_default();
        let attribute = |name: &str| attributes.split(';').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let usage = attribute("usage").map_or(Some(Vec::new()), parse_usage);
        let previous = attribute("previous").map_or(Some(0), |count| count.parse().ok());
        let usage = usage.zip(previous);
        let body = output.body.map(Blob::into_inner).unwrap_or_default();
        match usage {
            Some((usage, previous)) => Self::Output(EndpointOutput { body, usage, previous }),
            // An output whose usage cannot be counted must not be used.
            None => Self::Failed(Error::Endpoint("returned usage that cannot be parsed".into())),
        }
    }
}

impl From<&SdkError<InvokeEndpointError>> for Outcome {
    fn from(error: &SdkError<InvokeEndpointError>) -> Self {
        let failed = || Error::Endpoint(format!("failed: {}", DisplayErrorContext(error)));
        match error.as_service_error() {
            Some(InvokeEndpointError::ModelError(model)) => {
                let status = model.original_status_code().and_then(|status| u16::try_from(status).ok()).unwrap_or_default();
                let body: Option<ErrorBody> = model.original_message().and_then(|message| serde_json::from_str(message).ok());
                match body {
                    Some(body) if status == 503 && body.code == Code::S007.code() => Self::NoKeys,
                    // A busy instance is free a moment later, and another may be free now.
                    Some(body) if status == 503 => Self::Retryable(Error::ErrorResponse { status, body }),
                    Some(body) if status >= 400 => Self::Failed(Error::ErrorResponse { status, body }),
                    _ => Self::Retryable(failed()),
                }
            }
            Some(error) if error.meta().code() == Some("ThrottlingException") => Self::Failed(Error::Throttled),
            Some(InvokeEndpointError::ValidationError(_)) => Self::Failed(failed()),
            _ => Self::Retryable(failed()),
        }
    }
}

/// Parses the custom attribute `usage`: `1005-1006:9980,1007-1006:12`.
fn parse_usage(text: &str) -> Option<Vec<(Direction, u64)>> {
    text.split(',')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (direction, count) = pair.split_once(':')?;
            Some((direction::from_sort_key(&direction.replace('-', "#")).ok()?, count.parse().ok()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_parsed_as_the_transcoder_writes_it() {
        let usage = parse_usage("1005-1006:9980,1007-1006:12").unwrap();
        assert_eq!(usage.len(), 2);
        assert_eq!((usage[0].0.from.as_str(), usage[0].0.to.as_str(), usage[0].1), ("1005", "1006", 9980));
        assert_eq!(parse_usage(""), Some(Vec::new()));
        assert_eq!(parse_usage("1005-1006"), None);
    }
}
