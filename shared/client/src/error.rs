//! What can go wrong between a client and the API, as sentences: what happened, whose fault it is, what to do.

use std::{error::Error as _, time::Duration};

use reqwest::StatusCode;
use serde::Deserialize;
use shared::identity::{Code, rpc::ErrorBody, token::REFRESH_REQUIRED};

/// A call that did not succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is unusable.
    #[error("the address `{url}` {reason}: give the API's URL with its stage, such as https://….amazonaws.com/Prod")]
    Address {
        /// The address.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The HTTP client cannot start.
    #[error("no secure connection can be prepared on this machine ({0})")]
    Setup(String),
    /// Nobody answers.
    #[error("{url} does not answer, asked {attempts} times ({cause}): check the address, the network, and that the API is up")]
    Unreachable {
        /// The API's address.
        url: String,
        /// How often it was asked.
        attempts: u32,
        /// What the last attempt ran into.
        cause: String,
    },
    /// The client's id or secret is wrong, or the client may not enter.
    #[error("the server does not admit client `{client_id}` ({said}): check the client's id and secret")]
    Credentials {
        /// The client's id.
        client_id: String,
        /// The server's words.
        said: String,
    },
    /// The whole request asks for a direction that no permission allows.
    #[error("no permission allows this direction ({code}: {message}): the owners of both domains must permit it")]
    NotPermitted {
        /// `S009` or `S010`.
        code: String,
        /// The server's words.
        message: String,
    },
    /// The request is larger than the server takes.
    #[error("the server finds even this small a request too large ({said}): its limits are set too low")]
    TooLarge {
        /// The server's words.
        said: String,
    },
    /// The server has no time.
    #[error("the server is still busy after {attempts} attempts ({said}): try again later, or with less in flight")]
    Busy {
        /// How often it was asked.
        attempts: u32,
        /// The server's words.
        said: String,
    },
    /// There is another server at this address.
    #[error("{url} is not a translation API ({said}): does the address end in the stage, such as /Prod?")]
    NotAnApi {
        /// The API's address.
        url: String,
        /// The server's words.
        said: String,
    },
    /// The server finds fault with the request.
    #[error("the server refuses the request ({said})")]
    Refused {
        /// The server's words.
        said: String,
    },
    /// The server failed.
    #[error("the server failed ({said}): its operator finds the cause in its log")]
    Failed {
        /// The server's words.
        said: String,
    },
    /// What a client needs that goes to the endpoint itself is not there.
    #[error("{cause}: --via endpoint needs the environment file that the stack's output TranslateEnvironment holds (--env-file)")]
    Environment {
        /// What is missing.
        cause: String,
    },
    /// AWS does not let the call to the endpoint through.
    #[error("{said}: check the endpoint's name, the region, and that your AWS credentials may call sagemaker:InvokeEndpoint on it")]
    Denied {
        /// AWS's words.
        said: String,
    },
    /// What was translated could not be counted.
    #[error(
        "the usage could not be counted, so what was translated was not used ({cause}): may your AWS credentials call \
             dynamodb:UpdateItem on the usage table?"
    )]
    NotCounted {
        /// What went wrong.
        cause: String,
    },
    /// The server's answer does not fit the question.
    #[error("the server's answer makes no sense, so it was not used: {0}")]
    Nonsense(String),
}

/// One attempt that did not succeed.
#[derive(Debug)]
pub(super) enum Failure {
    /// No whole answer came.
    Transport { cause: String },
    /// An answer other than 200.
    Answer { status: StatusCode, code: Option<String>, message: String, wait: Option<Duration> },
}

#[derive(Deserialize)]
struct Body {
    code: Option<String>,
    message: Option<String>,
}

impl Failure {
    /// The innermost cause says the most: "connection refused" rather than "error sending request".
    pub(super) fn transport(error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::Transport { cause: "no answer in time".into() };
        }
        let mut cause: &dyn std::error::Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        // An error without a cause would show the address, which the sentence shows already.
        let cause = error.source().map_or_else(|| "the request could not be sent".into(), |_| cause.to_string());
        Self::Transport { cause: printable(&cause) }
    }

    /// Reads a refusal. Whatever the server says, it does not make us print `secret`.
    pub(super) fn answer(status: StatusCode, text: &[u8], wait: Option<Duration>, secret: &str) -> Self {
        let body = serde_json::from_slice(text).unwrap_or(Body { code: None, message: None });
        let clean = |text: String| printable(&if secret.is_empty() { text } else { text.replace(secret, "…") });
        Self::Answer { status, code: body.code.map(clean), message: body.message.map(clean).unwrap_or_default(), wait }
    }

    /// A documented failure, read by somebody else.
    pub(super) fn wire(status: u16, wire: &ErrorBody, secret: &str) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let clean = |text: &str| printable(&if secret.is_empty() { text.into() } else { text.replace(secret, "…") });
        Self::Answer { status, code: Some(clean(&wire.code)), message: clean(&wire.message), wait: None }
    }

    pub(super) fn is(&self, expected: StatusCode) -> bool {
        matches!(self, Self::Answer { status, .. } if *status == expected)
    }

    pub(super) fn asks_for_a_new_token(&self) -> bool {
        matches!(self, Self::Answer { status: StatusCode::UNAUTHORIZED, message, .. } if message.contains(REFRESH_REQUIRED))
    }

    /// Whether the transcoder has no keys at all: nobody has initialised it yet.
    pub(super) fn lacks_keys(&self) -> bool {
        matches!(self, Self::Answer { status: StatusCode::SERVICE_UNAVAILABLE, code: Some(code), .. } if code == Code::S007.code())
    }

    /// Whether the same request may succeed a little later.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Transport { .. } => true,
            Self::Answer { status, .. } => matches!(status.as_u16(), 429 | 502 | 503 | 504),
        }
    }

    /// The pause that the server asks for.
    pub(super) fn wait(&self) -> Option<Duration> {
        match self {
            Self::Transport { .. } => None,
            Self::Answer { wait, .. } => *wait,
        }
    }

    /// The server's words, with its status.
    pub(super) fn said(&self) -> String {
        match self {
            Self::Transport { cause } => cause.clone(),
            Self::Answer { status, code: Some(code), message, .. } => format!("{}, {code}: {message}", status.as_u16()),
            Self::Answer { status, message, .. } if message.is_empty() => status.to_string(),
            Self::Answer { status, message, .. } => format!("{}: {message}", status.as_u16()),
        }
    }

    /// What to tell the caller after the last of `attempts`.
    pub(super) fn into_error(self, url: &str, attempts: u32) -> Error {
        let said = self.said();
        match self {
            Self::Transport { cause } => Error::Unreachable { url: url.into(), attempts, cause },
            Self::Answer { status, code, message, .. } => match (status.as_u16(), code) {
                (403, Some(code)) if [Code::S009, Code::S010].iter().any(|refusal| refusal.code() == code) => {
                    Error::NotPermitted { code, message }
                }
                (400, Some(code)) if code == Code::E003.code() => Error::TooLarge { said },
                (413, _) => Error::TooLarge { said },
                (429 | 502 | 503 | 504, _) => Error::Busy { attempts, said },
                (404 | 405 | 300..=399, _) => Error::NotAnApi { url: url.into(), said },
                (400..=499, _) => Error::Refused { said },
                _ => Error::Failed { said },
            },
        }
    }
}

/// Another machine's words, fit for a terminal: one line of bounded length.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { ' ' } else { char }).take(300).collect()
}
