//! The fields of a request's body, and the body of an error.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::error::Error;
use crate::{identity::code::Code, secret::SecretText};

/// The procedure that a request calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rpc {
    /// Load a key packet.
    Init,
    /// Translate.
    Request,
    /// Issue a new smart token.
    Refresh,
    /// Report the state: keys, ages and counts.
    Metrics,
}

impl Rpc {
    /// Returns the procedure of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "init" => Self::Init,
            "request" => Self::Request,
            "refresh" => Self::Refresh,
            "metrics" => Self::Metrics,
            _ => return None,
        })
    }
}

/// A request's body. Unknown fields, such as `httpMethod`, are ignored.
#[derive(Debug, Deserialize)]
pub struct Body<'a> {
    /// The name of the procedure.
    #[serde(default)]
    pub rpc: Option<String>,
    /// The client's id.
    #[serde(default, alias = "clientID")]
    pub client_id: Option<String>,
    /// The client's secret.
    #[serde(default)]
    pub client_secret: Option<SecretText>,
    /// The smart token.
    #[serde(default)]
    pub smart_token: Option<String>,
    /// The init token.
    #[serde(default)]
    pub init_token: Option<String>,
    /// The ids, not parsed.
    #[serde(default, borrow)]
    pub transcode_data: Option<&'a RawValue>,
}

impl<'a> Body<'a> {
    /// Parses a body.
    pub fn parse(text: &'a [u8]) -> Result<Self, Error> {
        Ok(serde_json::from_slice(text)?)
    }

    /// Returns the procedure, or `default` if the body names none. `known` lists the procedures of
    /// the route for the error's message.
    pub fn procedure(&self, default: Rpc, known: &'static str) -> Result<Rpc, Error> {
        self.rpc.as_deref().map_or(Some(default), Rpc::from_name).ok_or(Error::Unknown(known))
    }
}

/// The body of the response to a failed request: `{"code","message"}`.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct ErrorBody {
    /// The documented code.
    pub code: String,
    /// The sentence for the client.
    pub message: String,
}

impl ErrorBody {
    /// Makes a body of a code and a message.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code: code.code().into(), message: message.into() }
    }
}
