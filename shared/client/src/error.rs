//! Errors of the client. Each says what happened, and what to do about it.

use std::{error::Error as _, time::Duration};

use reqwest::StatusCode;
use serde::Deserialize;
use shared::identity::{Code, rpc::ErrorBody, token::REFRESH_REQUIRED};

/// The longest text of another machine that is shown, in characters.
const MAX_PRINTABLE_CHARS: usize = 300;

/// A call failed. `detail` is the server's status, code and message, on one line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address cannot be used.
    #[error("the address `{url}` {reason}; give the API's URL with its stage, such as https://….amazonaws.com/Prod")]
    Address {
        /// The address.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The HTTP client cannot be initialised.
    #[error("the HTTPS client cannot be initialised ({0})")]
    Setup(String),
    /// No response was received.
    #[error("{url} did not respond to {attempts} attempts ({cause}); check the address, the network, and that the API is running")]
    Unreachable {
        /// The API's address.
        url: String,
        /// The number of attempts.
        attempts: u32,
        /// The error of the last attempt.
        cause: String,
    },
    /// The client's id or secret is wrong, or the client is not allowed to call.
    #[error("the server rejected the credentials of client `{client_id}` ({detail}); check the client's id and secret")]
    Credentials {
        /// The client's id.
        client_id: String,
        /// The server's response.
        detail: String,
    },
    /// No permission covers any direction of the request.
    #[error("no permission covers this direction ({code}: {message}); ask the owners of both domains to approve it")]
    NotPermitted {
        /// `S009` or `S010`.
        code: String,
        /// The server's message.
        message: String,
    },
    /// The request is larger than the server's limit.
    #[error("a request that cannot be split further exceeds the server's limit ({detail}); raise the limit")]
    TooLarge {
        /// The server's response.
        detail: String,
    },
    /// The server throttles, or is unavailable.
    #[error("the server is still busy after {attempts} attempts ({detail}); try again later, or with fewer concurrent requests")]
    Busy {
        /// The number of attempts.
        attempts: u32,
        /// The server's response.
        detail: String,
    },
    /// The address is not that of a translation API.
    #[error("{url} is not a translation API ({detail}); check that the address ends in the stage, such as /Prod")]
    NotAnApi {
        /// The API's address.
        url: String,
        /// The server's response.
        detail: String,
    },
    /// The server refuses the request.
    #[error("the server refused the request ({detail})")]
    Refused {
        /// The server's response.
        detail: String,
    },
    /// The server failed.
    #[error("the server failed ({detail}); ask its operator for the cause in its log")]
    Failed {
        /// The server's response.
        detail: String,
    },
    /// A variable that the endpoint's transport needs is missing.
    #[error("{cause}; for --via endpoint, pass the stack's output TranslateEnvironment as --env-file")]
    Environment {
        /// The missing variable.
        cause: String,
    },
    /// AWS refuses the call to the endpoint.
    #[error("{detail}; check the endpoint's name, the region, and that your AWS credentials allow sagemaker:InvokeEndpoint")]
    Denied {
        /// The error of AWS.
        detail: String,
    },
    /// The usage was not counted, so the translated ids were dropped.
    #[error(
        "the usage could not be counted, so the translated ids were not used ({cause}); check that your AWS credentials allow \
         dynamodb:UpdateItem on the usage table"
    )]
    NotCounted {
        /// What went wrong.
        cause: String,
    },
    /// The response does not match the request.
    #[error("the server's response is invalid and was not used: {0}")]
    InvalidResponse(String),
}

/// An attempt failed.
#[derive(Debug)]
pub(crate) enum AttemptError {
    /// No complete response was received.
    Transport { cause: String },
    /// A response with a status other than 200.
    Status { status: StatusCode, code: Option<String>, message: String, retry_after: Option<Duration> },
}

#[derive(Deserialize)]
struct Body {
    code: Option<String>,
    message: Option<String>,
}

impl AttemptError {
    pub(crate) fn transport(error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::Transport { cause: "the request timed out".into() };
        }
        // The innermost cause is the most specific: "connection refused" rather than "error sending
        // request".
        let mut cause: &dyn std::error::Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        // An error without a cause shows the address, which the message already contains.
        let cause = error.source().map_or_else(|| "the request could not be sent".into(), |_| cause.to_string());
        Self::Transport { cause: printable(&cause) }
    }

    /// Reads an error response. `secret` is masked if the server repeats it.
    pub(crate) fn from_response(status: StatusCode, text: &[u8], retry_after: Option<Duration>, secret: &str) -> Self {
        let body = serde_json::from_slice(text).unwrap_or(Body { code: None, message: None });
        let code = body.code.map(|code| masked(&code, secret));
        let message = body.message.map(|message| masked(&message, secret)).unwrap_or_default();
        Self::Status { status, code, message, retry_after }
    }

    /// Converts an error body that was already read. `secret` is masked if the server repeats it.
    pub(crate) fn from_body(status: u16, body: &ErrorBody, secret: &str) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (code, message) = (Some(masked(&body.code, secret)), masked(&body.message, secret));
        Self::Status { status, code, message, retry_after: None }
    }

    /// Whether the server rejected the client's credentials.
    pub(crate) fn rejects_credentials(&self) -> bool {
        matches!(self, Self::Status { status: StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, .. })
    }

    /// Whether the token has expired and is to be replaced.
    pub(crate) fn is_refresh_required(&self) -> bool {
        matches!(self, Self::Status { status: StatusCode::UNAUTHORIZED, message, .. } if message.contains(REFRESH_REQUIRED))
    }

    /// Whether the transcoder holds no keys: it has not been initialised.
    pub(crate) fn is_without_keys(&self) -> bool {
        matches!(self, Self::Status { status: StatusCode::SERVICE_UNAVAILABLE, code: Some(code), .. } if code == Code::S007.code())
    }

    /// Whether the same request may succeed later.
    pub(crate) fn is_retryable(&self) -> bool {
        match self {
            Self::Transport { .. } => true,
            Self::Status { status, .. } => matches!(status.as_u16(), 429 | 502 | 503 | 504),
        }
    }

    /// The delay that the server asks for.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Transport { .. } => None,
            Self::Status { retry_after, .. } => *retry_after,
        }
    }

    /// The server's status, code and message.
    pub(crate) fn detail(&self) -> String {
        match self {
            Self::Transport { cause } => cause.clone(),
            Self::Status { status, code: Some(code), message, .. } => format!("{}, {code}: {message}", status.as_u16()),
            Self::Status { status, message, .. } if message.is_empty() => status.to_string(),
            Self::Status { status, message, .. } => format!("{}: {message}", status.as_u16()),
        }
    }

    /// The error to return after the last of `attempts`.
    pub(crate) fn into_error(self, url: &str, attempts: u32) -> Error {
        let detail = self.detail();
        match self {
            Self::Transport { cause } => Error::Unreachable { url: url.into(), attempts, cause },
            Self::Status { status, code, message, .. } => match (status.as_u16(), code) {
                (403, Some(code)) if [Code::S009, Code::S010].iter().any(|refusal| refusal.code() == code) => {
                    Error::NotPermitted { code, message }
                }
                (400, Some(code)) if code == Code::E003.code() => Error::TooLarge { detail },
                (413, _) => Error::TooLarge { detail },
                (429 | 502 | 503 | 504, _) => Error::Busy { attempts, detail },
                (404 | 405 | 300..=399, _) => Error::NotAnApi { url: url.into(), detail },
                (400..=499, _) => Error::Refused { detail },
                _ => Error::Failed { detail },
            },
        }
    }
}

fn masked(text: &str, secret: &str) -> String {
    if secret.is_empty() { printable(text) } else { printable(&text.replace(secret, "…")) }
}

/// Makes a text of another machine safe to print: one line of bounded length.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { ' ' } else { char }).take(MAX_PRINTABLE_CHARS).collect()
}
