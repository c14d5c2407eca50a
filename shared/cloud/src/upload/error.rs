use shared::{
    fault::Fault,
    upload::{Code, Refusal},
};

use crate::{gateway::ApiError, http, setting, vault};

/// Why a handler of uploads failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The policy refuses to sign, or the video id is invalid.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// An error that its code describes completely.
    #[error("{}", .0.message())]
    Code(Code),
    /// A principal exceeded its quota.
    #[error("the principal may continue in {0} seconds")]
    Throttled(u64),
    /// Brightcove rejected the request.
    #[error("Brightcove answered {status}")]
    Rejected {
        /// Its status.
        status: u16,
        /// Its error code, if it is a valid one.
        code: Option<String>,
    },
    /// Brightcove returned an undocumented response, or denied access.
    #[error("{}: {cause}", .code.message())]
    Upstream {
        /// The code.
        code: Code,
        /// A description of the response, without its body.
        cause: String,
    },
    /// Brightcove answered 429, and did not accept the request.
    #[error("Brightcove answered 429, too many requests")]
    RateLimited,
    /// Brightcove returned no response.
    #[error("Brightcove does not respond")]
    NoResponse(#[source] http::Error),
    /// The account has no stored credentials.
    #[error("account {0} is not connected; run rampway admin uploads connect")]
    NotConnected(String),
    /// Concurrent writes changed the upload in every attempt.
    #[error("the upload was changed concurrently")]
    Conflict,
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
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            other => other.documented().code(),
        }
    }

    /// Whether Brightcove may have carried out the request in spite of the error.
    pub(super) fn may_have_succeeded(&self) -> bool {
        match self {
            // Without a connection, nothing was sent.
            Self::NoResponse(http::Error::Transport(error)) => !error.is_connect(),
            Self::NoResponse(_) => true,
            Self::Upstream { code, .. } => matches!(code, Code::UpstreamBusy | Code::UpstreamInvalid),
            _ => false,
        }
    }

    /// Whether it concerns one video only, so that requests for others may succeed.
    pub(super) const fn is_video_specific(&self) -> bool {
        matches!(self, Self::Rejected { .. } | Self::Upstream { code: Code::UpstreamForbidden | Code::UpstreamInvalid, .. })
    }

    fn documented(&self) -> Code {
        match self {
            Self::Code(code) | Self::Upstream { code, .. } => *code,
            Self::Throttled(_) => Code::Throttled,
            Self::Rejected { .. } => Code::UpstreamRejected,
            Self::NoResponse(http::Error::BodyTooLarge) => Code::UpstreamInvalid,
            Self::NoResponse(_) | Self::RateLimited => Code::UpstreamBusy,
            Self::Refused(_) | Self::NotConnected(_) | Self::Conflict | Self::Vault(_) => Code::Unavailable,
        }
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        if let Error::Refused(refusal) = error {
            return Self::new(refusal.fault(), refusal.code(), refusal);
        }
        let code = error.documented();
        let response = Self::new(code.fault(), code.code(), code.message());
        let response = match code {
            Code::MediaType => response.with_status(415),
            Code::TooLarge => response.with_status(413),
            Code::UploadIncomplete | Code::IngestInProgress | Code::ObjectMissing => response.with_status(409),
            Code::TypeNotAllowed | Code::ObjectTooLarge | Code::UpstreamRejected => response.with_status(422),
            Code::Throttled => response.with_status(429),
            _ if code.fault() == Fault::Busy => response.with_retry_after(2),
            _ => response,
        };
        let response = match &error {
            Error::Throttled(seconds) => response.with_retry_after(*seconds),
            Error::Rejected { code: Some(code), .. } => response.with_field("upstream_code", code.as_str()),
            _ => response,
        };
        if matches!(error, Error::Code(_)) { response } else { response.with_source(error) }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_request_without_a_connection_cannot_have_succeeded() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let refused = reqwest::Client::new().get(format!("http://{free}")).send().await.unwrap_err();
        assert!(!Error::NoResponse(http::Error::Transport(refused)).may_have_succeeded());
        assert!(!Error::RateLimited.may_have_succeeded());
        assert!(Error::NoResponse(http::Error::TimedOut).may_have_succeeded());
        assert!(Error::Upstream { code: Code::UpstreamBusy, cause: "status 500".into() }.may_have_succeeded());
    }
}
