use shared::{
    fault::Fault,
    identity::{
        Code,
        rpc::{self, ErrorBody},
        token,
    },
};

use crate::{gateway::ApiError, http, setting, vault};

/// Why a handler of identity failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The body is invalid.
    #[error(transparent)]
    Body(#[from] rpc::Error),
    /// The token is invalid.
    #[error(transparent)]
    Token(#[from] token::Error),
    /// There is no such client, or the secret is wrong: the response does not say which.
    #[error("bad credentials")]
    Credentials,
    /// The token is another client's.
    #[error("the token is another client's")]
    AnotherClientsToken,
    /// The client has no valid public key of a transcoder.
    #[error("no transcoder is registered for this client")]
    NoTranscoder,
    /// The transcoder has no keys of this client.
    #[error("the transcoder has no keys of this client; call POST /auth/init first")]
    NotInitialised,
    /// The body is larger than the endpoint accepts.
    #[error("a body has at most {max} bytes, about {ids} ids")]
    TooLarge {
        /// The limit, in bytes.
        max: usize,
        /// The number of bare ids of 49 characters that fit.
        ids: usize,
    },
    /// No signing key is valid now.
    #[error("the authority has no current signing key; run rampway admin keys create")]
    NoSigningKey,
    /// The authority or the endpoint returned a documented error.
    #[error("error response {status} {}", .body.code)]
    ErrorResponse {
        /// Its status.
        status: u16,
        /// Its body.
        body: ErrorBody,
    },
    /// The authority returned no response, or an undocumented one.
    #[error("the authority returned no valid response")]
    Authority(#[source] Option<http::Error>),
    /// The endpoint returned no response, or an undocumented one.
    #[error("the endpoint {0}")]
    Endpoint(String),
    /// The endpoint is throttled.
    #[error("the endpoint accepts no more requests now")]
    Throttled,
    /// DynamoDB or KMS failed, or a setting is missing or invalid.
    #[error(transparent)]
    Vault(#[from] vault::Error),
}

impl From<setting::Error> for Error {
    fn from(error: setting::Error) -> Self {
        Self::Vault(error.into())
    }
}

impl Error {
    /// The documented code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Body(error) => error.code(),
            Self::Token(error) => error.code(),
            Self::Credentials => Code::S012,
            Self::AnotherClientsToken => Code::S011,
            Self::NoTranscoder => Code::S003,
            Self::NotInitialised => Code::S007,
            Self::TooLarge { .. } => Code::E003,
            Self::ErrorResponse { body, .. } => Code::ALL.iter().copied().find(|code| code.code() == body.code).unwrap_or(Code::E000),
            Self::NoSigningKey | Self::Authority(_) | Self::Endpoint(_) | Self::Throttled | Self::Vault(_) => Code::E000,
        }
    }

    /// The class of the error, which gives its HTTP status.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Credentials => Fault::Identity,
            Self::NoTranscoder => Fault::Access,
            Self::NoSigningKey => Fault::Ours,
            Self::Authority(_) | Self::Endpoint(_) => Fault::Upstream,
            Self::Throttled | Self::Vault(_) => Fault::Busy,
            _ => self.code().fault(),
        }
    }

    /// The public message.
    fn message(&self) -> String {
        match self {
            Self::Token(error) => error.message().into(),
            Self::ErrorResponse { body, .. } => body.message.clone(),
            Self::Authority(_) => "the authority does not return a valid response".into(),
            Self::Endpoint(_) => "the transcoder does not return a valid response".into(),
            Self::Vault(_) => "the vault does not return a valid response".into(),
            _ => self.to_string(),
        }
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let response = Self::new(error.fault(), error.code().code(), error.message());
        let response = match &error {
            Error::TooLarge { .. } => response.with_status(413),
            Error::Throttled => response.with_status(429).with_retry_after(1),
            Error::NotInitialised | Error::Vault(_) => response.with_retry_after(2),
            Error::ErrorResponse { status: 503, .. } => response.with_status(503).with_retry_after(1),
            Error::ErrorResponse { status, .. } => response.with_status(*status),
            _ => response,
        };
        response.with_source(error)
    }
}
