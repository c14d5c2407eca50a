use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata};

use crate::setting;

/// Why the vault failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting is missing or invalid.
    #[error(transparent)]
    Setting(#[from] setting::Error),
    /// DynamoDB or KMS returned an error, or no response.
    #[error("{service} failed: {cause}")]
    Service {
        /// The service.
        service: &'static str,
        /// The service's error, or the SDK's.
        cause: String,
    },
    /// The condition of a write did not hold.
    #[error("the condition of a write did not hold")]
    Condition,
    /// The master key's file cannot be used.
    #[error("cannot use the master key file {path}: {cause}")]
    MasterKey {
        /// Its path.
        path: String,
        /// The reason.
        cause: String,
    },
    /// A ciphertext cannot be decrypted under its item's name.
    #[error("cannot decrypt {0}: it was altered, moved, or encrypted under another master key")]
    Sealed(String),
    /// An item lacks an attribute, or has it in another type.
    #[error("an item has no valid attribute {0}")]
    Attribute(&'static str),
}

/// Maps an SDK's error; a condition that did not hold becomes [`Error::Condition`].
pub fn service_error<E>(service: &'static str) -> impl Fn(E) -> Error
where
    E: ProvideErrorMetadata + std::error::Error,
{
    move |error| match error.code() {
        Some("ConditionalCheckFailedException") => Error::Condition,
        Some("TransactionCanceledException") if error.message().is_some_and(|reason| reason.contains("ConditionalCheckFailed")) => {
            Error::Condition
        }
        // The service's own message: the SDK's would include the whole response.
        Some(code) => Error::Service { service, cause: format!("{code}: {}", error.message().unwrap_or_default()) },
        None => Error::Service { service, cause: DisplayErrorContext(&error).to_string() },
    }
}

/// Whether the condition of a write held; other errors remain errors.
pub fn condition_held<T>(outcome: Result<T, Error>) -> Result<bool, Error> {
    match outcome {
        Ok(_) => Ok(true),
        Err(Error::Condition) => Ok(false),
        Err(error) => Err(error),
    }
}
