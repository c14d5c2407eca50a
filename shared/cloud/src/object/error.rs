use aws_sdk_s3::{
    config::http::HttpResponse,
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
};

use super::uri::S3Uri;

/// Why an object was not read, or not written.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such object.
    #[error("{0} does not exist; check the bucket and the key")]
    NotFound(S3Uri),
    /// The credentials are missing, or do not permit the request.
    #[error("AWS denies access to {uri} ({message}); check your AWS credentials and their permissions for this bucket")]
    AccessDenied {
        /// The object.
        uri: S3Uri,
        /// AWS's error.
        message: String,
    },
    /// The object was replaced while it was read.
    #[error("{0} was replaced while it was read; start again when no other process writes to it")]
    Modified(S3Uri),
    /// S3 did not respond, or only with 5xx.
    #[error("S3 does not respond for {uri} ({message}); check the network, the region and the bucket's name")]
    Unavailable {
        /// The object.
        uri: S3Uri,
        /// The error of the last attempt.
        message: String,
    },
    /// S3 refused the request.
    #[error("S3 refused the request for {uri} ({message})")]
    Failed {
        /// The object.
        uri: S3Uri,
        /// S3's error.
        message: String,
    },
    /// The object is larger than a multipart upload can be.
    #[error("{0} exceeds the 10,000 parts of a multipart upload; split the file")]
    TooLarge(S3Uri),
}

impl From<Error> for std::io::Error {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::NotFound(_) => std::io::ErrorKind::NotFound,
            Error::AccessDenied { .. } => std::io::ErrorKind::PermissionDenied,
            Error::TooLarge(_) => std::io::ErrorKind::FileTooLarge,
            _ => std::io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

/// Maps an error of the SDK.
pub(super) fn sdk_error<E: ProvideErrorMetadata + std::error::Error + 'static>(uri: &S3Uri, error: &SdkError<E, HttpResponse>) -> Error {
    let (uri, status) = (uri.clone(), error.raw_response().map(|raw| raw.status().as_u16()));
    let message = match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.into(),
        // A response to HEAD has no body, and so no code.
        (None, _) => status.map_or_else(|| DisplayErrorContext(error).to_string(), |status| format!("status {status}")),
    };
    match status {
        Some(404) => Error::NotFound(uri),
        Some(412) => Error::Modified(uri),
        Some(401 | 403) => Error::AccessDenied { uri, message },
        Some(500..) => Error::Unavailable { uri, message },
        Some(_) => Error::Failed { uri, message },
        None if matches!(error, SdkError::ConstructionFailure(_)) => Error::AccessDenied { uri, message },
        // The SDK reports missing credentials as a failure to dispatch.
        None if matches!(error, SdkError::DispatchFailure(failure) if failure.is_user() || failure.is_other()) => {
            Error::AccessDenied { uri, message }
        }
        None => Error::Unavailable { uri, message },
    }
}
