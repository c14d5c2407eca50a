//! The body of `/invocations` and of the proxy's routes: parsed at the door, answered in order.
//!
//! `transcode_data` is an array of two shapes, which may be mixed:
//!
//! ```json
//! {"value": "XY1005…", "target": "1006"}
//! {"target": "1006", "values": ["XY1005…", "XY1007…"]}
//! ```
//!
//! Ids are scanned, not turned into values, and answers are written as they come: an entry is compared with the shape of one before it,
//! read key by key where it has another, and by serde where it is odd. What this way refuses, [`mod@reference`] reads again and decides.

pub mod reference;

mod csv;
mod cursor;
mod entries;
mod ids;
mod pattern;
mod write;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use self::{csv::Csv, ids::Ids};
use super::{Code, translate::Error as BatchError};
use crate::secret::SecretText;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rpc {
    /// Load a key packet.
    Init,
    /// Translate.
    Request,
    /// Issue a new smart token.
    Refresh,
    /// Tell of the state: keys, ages, counts.
    Metrics,
}

impl Rpc {
    /// The procedure of a name.
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

/// A request's body. Unknown fields, `httpMethod` among them, are ignored.
#[derive(Debug, Deserialize)]
pub struct Body<'a> {
    /// The procedure's name.
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
    /// The ids, not yet looked at.
    #[serde(default, borrow)]
    pub transcode_data: Option<&'a RawValue>,
}

const E006: &str = Code::E006.message();

/// Why a body was not read, or not translated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is not JSON. Nothing of it is repeated: it may hold secrets.
    #[error("{E006}: it is not JSON (line {line}, column {column})")]
    Syntax {
        /// Where, counted from 1.
        line: usize,
        /// Where, counted from 1.
        column: usize,
    },
    /// It is JSON, but not as documented.
    #[error("{E006}: a field is doubled or has the wrong type (line {line}, column {column})")]
    Data {
        /// Where, counted from 1.
        line: usize,
        /// Where, counted from 1.
        column: usize,
    },
    /// An entry of `transcode_data` has neither of the two shapes.
    #[error("{E006}: entry {0} of transcode_data is neither {{\"value\",\"target\"}} nor {{\"target\",\"values\"}}")]
    Entry(usize),
    /// A field is missing.
    #[error("{E006}: \"{0}\" is missing")]
    Missing(&'static str),
    /// The procedure has no such name.
    #[error("{E006}: \"rpc\" is one of {0}")]
    Unknown(&'static str),
    /// It was not read to its end; [`Body::parse`] has to read it.
    #[error("{E006}")]
    Unvalidated,
    /// The batch as a whole.
    #[error(transparent)]
    Batch(#[from] BatchError),
}

impl Error {
    /// The documented code.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Batch(error) => error.code(),
            _ => Code::E006,
        }
    }

    fn json(error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        if error.is_data() { Self::Data { line, column } } else { Self::Syntax { line, column } }
    }
}

impl<'a> Body<'a> {
    /// Reads a body.
    pub fn parse(text: &'a [u8]) -> Result<Self, Error> {
        serde_json::from_slice(text).map_err(|error| Error::json(&error))
    }

    /// The procedure, `default` when none is named; `known` lists, for the answer, what the route takes.
    pub fn procedure(&self, default: Rpc, known: &'static str) -> Result<Rpc, Error> {
        self.rpc.as_deref().map_or(Some(default), Rpc::from_name).ok_or(Error::Unknown(known))
    }
}

/// A failure of a whole request: `{"code","message"}`.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct ErrorBody {
    /// The documented code.
    pub code: String,
    /// The sentence for the caller.
    pub message: String,
}

impl ErrorBody {
    /// A failure of a code, with its own sentence.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code: code.code().into(), message: message.into() }
    }
}
