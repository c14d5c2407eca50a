//! Bodies of lines: what a client that goes to the endpoint itself sends, and why it got no answer.

use aws_sdk_sagemakerruntime::{
    error::{DisplayErrorContext, SdkError},
    operation::invoke_endpoint::InvokeEndpointError,
    primitives::Blob,
};
use shared::identity::{Domain, rpc::ErrorBody};

use super::{Answer, Endpoint, Outcome, answer, refusal};
use crate::identity::Error;

/// Why one attempt brought no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unanswered {
    /// This instance holds no keys of this client: it wants the init token along with the request.
    #[error("this instance of the endpoint holds no keys yet")]
    NoKeys,
    /// The body is larger than the endpoint takes.
    #[error("the endpoint takes at most {max} bytes at once")]
    TooLarge {
        /// The limit, in bytes.
        max: usize,
    },
    /// The endpoint takes no more now.
    #[error("the endpoint takes no more requests now")]
    Throttled,
    /// The transcoder refuses the whole request.
    #[error("the transcoder answered {status} {}", .wire.code)]
    Refused {
        /// Its status.
        status: u16,
        /// Its words.
        wire: ErrorBody,
    },
    /// AWS refuses the request: the same one will be refused again.
    #[error("AWS refuses to call the endpoint: {0}")]
    Denied(String),
    /// Nothing came back, or nothing that makes sense.
    #[error("the endpoint {0}")]
    Broken(String),
}

impl Endpoint {
    /// Sends a body of CSV lines, once. `target` is the target of every line that names none.
    pub async fn lines(&self, body: Vec<u8>, target: Option<Domain>) -> Result<Answer, Unanswered> {
        let max = self.max_bytes();
        if body.len() > max {
            return Err(Unanswered::TooLarge { max });
        }
        let call = self
            .client
            .invoke_endpoint()
            .endpoint_name(&self.setting.name)
            .content_type("text/csv")
            .set_custom_attributes(target.map(|target| format!("target={target}")))
            .body(Blob::new(body));
        let outcome = match call.send().await {
            Ok(output) => answer(output),
            Err(error) => match denied(&error) {
                Some(said) => return Err(Unanswered::Denied(said)),
                None => refusal(&error),
            },
        };
        match outcome {
            Outcome::Answered(answer) => Ok(answer),
            Outcome::NoKeys => Err(Unanswered::NoKeys),
            Outcome::Failed(Error::Throttled) => Err(Unanswered::Throttled),
            Outcome::Failed(Error::Answered { status, wire }) => Err(Unanswered::Refused { status, wire }),
            Outcome::Failed(Error::Endpoint(said)) => Err(Unanswered::Denied(said)),
            Outcome::Broken(Error::Endpoint(said)) => Err(Unanswered::Broken(said)),
            Outcome::Broken(error) | Outcome::Failed(error) => Err(Unanswered::Broken(error.to_string())),
        }
    }
}

/// What AWS itself says of a call that it does not let through, or that could not even be signed.
fn denied(error: &SdkError<InvokeEndpointError>) -> Option<String> {
    match error {
        SdkError::ConstructionFailure(_) => Some(DisplayErrorContext(error).to_string()),
        // Credentials that cannot be found are no trouble of the network, although the SDK files them there.
        SdkError::DispatchFailure(failure) if failure.is_user() || failure.is_other() => Some(DisplayErrorContext(error).to_string()),
        SdkError::ServiceError(refused) => {
            let (meta, status) = (refused.err().meta(), refused.raw().status().as_u16());
            let transient = matches!(meta.code(), Some("ThrottlingException" | "ModelError"));
            let code = meta.code().unwrap_or("without a code");
            ((400..500).contains(&status) && !transient && !refused.err().is_model_error())
                .then(|| format!("{code}: {}", meta.message().unwrap_or_default()))
        }
        _ => None,
    }
}
