//! Requests of type `text/csv`: those of a client without the proxy.

use aws_sdk_sagemakerruntime::{
    error::{DisplayErrorContext, SdkError},
    operation::invoke_endpoint::InvokeEndpointError,
    primitives::Blob,
};
use shared::identity::{Domain, rpc::ErrorBody};

use super::{
    super::error::Error,
    outcome::{EndpointOutput, Outcome},
    runtime::Endpoint,
};

/// Why an invocation returned no output.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvokeError {
    /// The instance has no keys of the client; send the init token with the request.
    #[error("this instance of the endpoint holds no keys yet")]
    NoKeys,
    /// The body is larger than the endpoint accepts.
    #[error("the endpoint accepts at most {max} bytes in one request")]
    TooLarge {
        /// The limit, in bytes.
        max: usize,
    },
    /// The endpoint is throttled.
    #[error("the endpoint accepts no more requests now")]
    Throttled,
    /// The transcoder refused the whole request.
    #[error("the transcoder answered {status} {}", .body.code)]
    Refused {
        /// Its status.
        status: u16,
        /// Its body.
        body: ErrorBody,
    },
    /// AWS refused the request, and would refuse it again.
    #[error("AWS refuses to call the endpoint: {0}")]
    Denied(String),
    /// There was no response, or an invalid one; the request may be repeated.
    #[error("the endpoint {0}")]
    Retryable(String),
}

impl Endpoint {
    /// Sends a body of CSV lines, once. `target` is the target of every line that names none.
    pub async fn translate_csv(&self, body: Vec<u8>, target: Option<Domain>) -> Result<EndpointOutput, InvokeError> {
        let max = self.max_bytes();
        if body.len() > max {
            return Err(InvokeError::TooLarge { max });
        }
        let call = self
            .client
            .invoke_endpoint()
            .endpoint_name(&self.settings.name)
            .content_type("text/csv")
            .set_custom_attributes(target.map(|target| format!("target={target}")))
            .body(Blob::new(body));
        let outcome = match call.send().await {
            Ok(output) => output.into(),
            Err(error) => match denial(&error) {
                Some(message) => return Err(InvokeError::Denied(message)),
                None => (&error).into(),
            },
        };
        match outcome {
            Outcome::Output(output) => Ok(output),
            Outcome::NoKeys => Err(InvokeError::NoKeys),
            Outcome::Failed(Error::Throttled) => Err(InvokeError::Throttled),
            Outcome::Failed(Error::ErrorResponse { status, body }) => Err(InvokeError::Refused { status, body }),
            Outcome::Failed(Error::Endpoint(message)) => Err(InvokeError::Denied(message)),
            Outcome::Retryable(Error::Endpoint(message)) => Err(InvokeError::Retryable(message)),
            Outcome::Retryable(error) | Outcome::Failed(error) => Err(InvokeError::Retryable(error.to_string())),
        }
    }
}

/// AWS's message about a request that it denied, or that the SDK could not sign.
fn denial(error: &SdkError<InvokeEndpointError>) -> Option<String> {
    match error {
        SdkError::ConstructionFailure(_) => Some(DisplayErrorContext(error).to_string()),
        // The SDK reports missing credentials as a failure to dispatch.
        SdkError::DispatchFailure(failure) if failure.is_user() || failure.is_other() => Some(DisplayErrorContext(error).to_string()),
        SdkError::ServiceError(refused) => {
            let (meta, status) = (refused.err().meta(), refused.raw().status().as_u16());
            let is_transient = matches!(meta.code(), Some("ThrottlingException" | "ModelError"));
            let code = meta.code().unwrap_or("without a code");
            ((400..500).contains(&status) && !is_transient && !refused.err().is_model_error())
                .then(|| format!("{code}: {}", meta.message().unwrap_or_default()))
        }
        _ => None,
    }
}
