//! What the room answers, and what it says to the log.

use serde_json::json;
use shared::identity::{
    Code, Session, packet,
    rpc::{self, Failure},
    token,
    translate::Usage,
};

/// An answer's attributes, which go into its header: `packet=…;previous=…;usage=…`, when something was translated.
pub(crate) type Attributes = Option<String>;

/// A refusal, before it becomes `{"code","message"}`.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The documented code.
    pub(crate) code: Code,
    /// The sentence for the caller.
    pub(crate) message: String,
    /// What the log says beside.
    cause: Option<String>,
}

impl Refusal {
    /// A refusal that says what its code means.
    pub(crate) fn new(code: Code) -> Self {
        Self::saying(code, code.meaning())
    }

    /// A refusal with its own sentence.
    pub(crate) fn saying(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), cause: None }
    }

    fn because(self, cause: &impl ToString) -> Self {
        Self { cause: Some(cause.to_string()), ..self }
    }

    /// The body of the answer, and a line in the log.
    pub(crate) fn tell(&self, status: u16) -> Vec<u8> {
        let cause = self.cause.as_deref().map(|cause| format!(", {cause}")).unwrap_or_default();
        note(&format!("refused with {status}: {}{cause}", self.code));
        serde_json::to_vec(&Failure::new(self.code, &self.message)).unwrap_or_default()
    }
}

impl From<rpc::Error> for Refusal {
    fn from(error: rpc::Error) -> Self {
        Self::saying(error.code(), error.to_string())
    }
}

impl From<token::Error> for Refusal {
    fn from(error: token::Error) -> Self {
        Self::saying(error.code(), error.sentence()).because(&error)
    }
}

impl From<packet::Error> for Refusal {
    fn from(error: packet::Error) -> Self {
        Self::new(error.code()).because(&error)
    }
}

/// SageMaker carries up to 1,024 characters of attributes: [`shared::identity::translate::MAX_PAIRS`] keeps to that.
pub(crate) fn attributes(session: &Session, usage: &Usage) -> String {
    let directions: Vec<_> =
        usage.translated.iter().map(|(direction, count)| format!("{}-{}:{count}", direction.from, direction.to)).collect();
    format!("packet={};previous={};usage={}", session.packet_id(), usage.previous, directions.join(","))
}

/// One line for the log. Tokens, ids and keys never go there.
pub(crate) fn note(line: &str) {
    eprintln!("{}", json!({"function": "transcoder", "message": line}));
}
