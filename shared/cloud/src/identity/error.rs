use shared::{
    fault::Fault,
    identity::{
        Code,
        rpc::{self, ErrorBody},
        token,
    },
};

use crate::{gateway::Failure, http, vault};

/// What can go wrong with a deed of identity.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The body.
    #[error(transparent)]
    Body(#[from] rpc::Error),
    /// The token.
    #[error(transparent)]
    Token(#[from] token::Error),
    /// No such client, or not his secret: which of the two is not said.
    #[error("bad credentials")]
    Credentials,
    /// The token is another client's.
    #[error("the token is another client's")]
    AnothersToken,
    /// The client has no transcoder's public key.
    #[error("no transcoder is registered for this client")]
    NoTranscoder,
    /// The client's keys are nowhere: nobody has initialised.
    #[error("the transcoder has not been initialised: call POST /auth/init first")]
    NotInitialised,
    /// The body is larger than the endpoint takes.
    #[error("a body has at most {max} bytes, about {ids} ids")]
    TooLarge {
        /// The limit, in bytes.
        max: usize,
        /// How many ids of 49 characters fit as bare values.
        ids: usize,
    },
    /// A permission that only the authority's own clients have.
    #[error("only for the authority's own clients")]
    NotTheAuthority,
    /// There is no key to sign with.
    #[error("the authority has no current signing key: create one with rampway admin keys create")]
    NoSigningKey,
    /// The authority or the endpoint answered with a documented failure.
    #[error("answered {status} {}", .wire.code)]
    Answered {
        /// Its status.
        status: u16,
        /// Its body.
        wire: ErrorBody,
    },
    /// The authority did not answer, or answered nonsense.
    #[error("the authority does not answer as documented")]
    Authority(#[source] Option<http::Error>),
    /// The endpoint did not answer, or answered nonsense.
    #[error("the endpoint {0}")]
    Endpoint(String),
    /// The endpoint takes no more now.
    #[error("the endpoint takes no more requests now")]
    Throttled,
    /// Tables or KMS.
    #[error(transparent)]
    Vault(#[from] vault::Error),
}

impl Error {
    /// The documented code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Body(error) => error.code(),
            Self::Token(error) => error.code(),
            Self::Credentials => Code::S012,
            Self::AnothersToken => Code::S011,
            Self::NoTranscoder => Code::S003,
            Self::NotInitialised => Code::S007,
            Self::TooLarge { .. } => Code::E003,
            Self::NotTheAuthority => Code::S001,
            Self::Answered { wire, .. } => Code::ALL.iter().copied().find(|code| code.code() == wire.code).unwrap_or(Code::E000),
            Self::NoSigningKey | Self::Authority(_) | Self::Endpoint(_) | Self::Throttled | Self::Vault(_) => Code::E000,
        }
    }

    /// Whose fault it is.
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

    fn sentence(&self) -> String {
        match self {
            Self::Token(error) => error.message().into(),
            Self::Answered { wire, .. } => wire.message.clone(),
            Self::Authority(_) => "the authority does not answer as it should".into(),
            Self::Endpoint(_) => "the transcoder does not answer as it should".into(),
            Self::Vault(_) => "the vault does not answer as it should".into(),
            _ => self.to_string(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let failure = Self::new(error.fault(), error.code().code(), error.sentence());
        let failure = match &error {
            Error::TooLarge { .. } => failure.status(413),
            Error::Throttled => failure.status(429).retry_after(1),
            Error::NotInitialised | Error::Vault(_) => failure.retry_after(2),
            Error::Answered { status: 503, .. } => failure.status(503).retry_after(1),
            Error::Answered { status, .. } => failure.status(*status),
            _ => failure,
        };
        failure.because(error)
    }
}
