use shared::{
    fault::Fault,
    upload::{Code, Refusal},
};

use crate::{gateway::Failure, http, vault};

/// What can go wrong with an upload.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing is signed, or nothing is told.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A failure that its code says all of.
    #[error("{}", .0.message())]
    Code(Code),
    /// A principal has had enough for now.
    #[error("the principal may go on in {0} seconds")]
    Throttled(u64),
    /// Brightcove says no.
    #[error("Brightcove answered {status}")]
    Rejected {
        /// Its status.
        status: u16,
        /// Its code, where it has the form of one.
        code: Option<String>,
    },
    /// Brightcove does not answer as documented.
    #[error("{}: {cause}", .code.message())]
    Upstream {
        /// What is wrong with it.
        code: Code,
        /// What came, without the body.
        cause: String,
    },
    /// Brightcove takes no more for now: it has not taken this.
    #[error("Brightcove answered 429: these were too many requests")]
    Limited,
    /// Brightcove does not answer.
    #[error("Brightcove does not answer")]
    Silent(#[source] http::Error),
    /// There are no credentials.
    #[error("account {0} is not connected: say rampway admin uploads connect")]
    NotConnected(String),
    /// Others wrote the same upload again and again.
    #[error("others wrote this upload at the same time")]
    Contended,
    /// Tables or KMS.
    #[error(transparent)]
    Vault(#[from] vault::Error),
}

impl Error {
    /// The code as it is written in answers.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            other => other.documented().code(),
        }
    }

    /// Whether Brightcove may have taken the request all the same.
    pub(super) fn is_lost(&self) -> bool {
        match self {
            // Nobody was reached.
            Self::Silent(http::Error::Silent(error)) => !error.is_connect(),
            Self::Silent(_) => true,
            Self::Upstream { code, .. } => matches!(code, Code::UpstreamBusy | Code::UpstreamInvalid),
            _ => false,
        }
    }

    /// Whether it is one video's, so that another's may do better.
    pub(super) const fn is_of_one(&self) -> bool {
        matches!(self, Self::Rejected { .. } | Self::Upstream { code: Code::UpstreamForbidden | Code::UpstreamInvalid, .. })
    }

    fn documented(&self) -> Code {
        match self {
            Self::Code(code) | Self::Upstream { code, .. } => *code,
            Self::Throttled(_) => Code::Throttled,
            Self::Rejected { .. } => Code::UpstreamRejected,
            Self::Silent(http::Error::Endless) => Code::UpstreamInvalid,
            Self::Silent(_) | Self::Limited => Code::UpstreamBusy,
            Self::Refused(_) | Self::NotConnected(_) | Self::Contended | Self::Vault(_) => Code::Unavailable,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        if let Error::Refused(refusal) = error {
            return Self::new(refusal.fault(), refusal.code(), refusal);
        }
        let code = error.documented();
        let failure = match code {
            Code::MediaType => told(code).status(415),
            Code::TooLarge => told(code).status(413),
            Code::UploadIncomplete | Code::IngestInProgress | Code::ObjectMissing => told(code).status(409),
            Code::TypeNotAllowed | Code::ObjectTooLarge | Code::UpstreamRejected => told(code).status(422),
            Code::Throttled => told(code).status(429),
            _ if code.fault() == Fault::Busy => told(code).retry_after(2),
            _ => told(code),
        };
        let failure = match &error {
            Error::Throttled(seconds) => failure.retry_after(*seconds),
            Error::Rejected { code: Some(code), .. } => failure.with("upstream_code", code.as_str()),
            _ => failure,
        };
        if matches!(error, Error::Code(_)) { failure } else { failure.because(error) }
    }
}

fn told(code: Code) -> Failure {
    Failure::new(code.fault(), code.code(), code.message())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn what_nobody_was_reached_with_is_not_lost() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let refused = reqwest::Client::new().get(format!("http://{free}")).send().await.unwrap_err();
        assert!(!Error::Silent(http::Error::Silent(refused)).is_lost());
        assert!(!Error::Limited.is_lost());
        assert!(Error::Silent(http::Error::Late).is_lost());
        assert!(Error::Upstream { code: Code::UpstreamBusy, cause: "status 500".into() }.is_lost());
    }
}
