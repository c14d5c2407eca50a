//! The body of `/invocations` and of the proxy's routes: parsed at the door, answered in order.
//!
//! `transcode_data` is an array of two shapes, which may be mixed:
//!
//! ```json
//! {"value": "XY1005…", "target": "1006"}
//! {"target": "1006", "values": ["XY1005…", "XY1007…"]}
//! ```

use std::{borrow::Cow, fmt::Write};

use serde::{
    Deserialize, Serialize,
    de::{DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{
    Code, Domain,
    translate::{Batch, Error as BatchError, Refused},
};
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

const E006: &str = Code::E006.meaning();

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
    Shape {
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
        if error.is_data() { Self::Shape { line, column } } else { Self::Syntax { line, column } }
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
pub struct Failure {
    /// The documented code.
    pub code: String,
    /// The sentence for the caller.
    pub message: String,
}

impl Failure {
    /// A failure of a code, with its own sentence.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code: code.name().into(), message: message.into() }
    }
}

/// Translates `transcode_data`, writing the array of answers to `out`: one entry an input entry, in order.
pub fn transcode(data: &RawValue, batch: &mut Batch<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    let mut failure = None;
    let mut deserializer = serde_json::Deserializer::from_str(data.get());
    let entries = Entries { batch, out, failure: &mut failure };
    let read = entries.deserialize(&mut deserializer);
    match (failure, read) {
        (Some(failure), _) => Err(failure),
        (None, Err(error)) => Err(Error::json(&error)),
        (None, Ok(())) => Ok(()),
    }
}

/// Translates one entry, such as a line of a JSON-lines body, writing its answer to `out`.
pub fn transcode_entry(entry: &[u8], batch: &mut Batch<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    let entry: Entry<'_> = serde_json::from_slice(entry).map_err(|error| Error::json(&error))?;
    entry.translate(1, batch, out)
}

struct Entries<'a, 'b> {
    batch: &'a mut Batch<'b>,
    out: &'a mut Vec<u8>,
    failure: &'a mut Option<Error>,
}

impl<'de> DeserializeSeed<'de> for Entries<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        self.out.push(b'[');
        let mut index = 0;
        while let Some(entry) = entries.next_element::<Entry<'de>>()? {
            if index > 0 {
                self.out.push(b',');
            }
            index += 1;
            if let Err(error) = entry.translate(index, self.batch, self.out) {
                *self.failure = Some(error);
                return Err(A::Error::custom("the batch has failed"));
            }
        }
        self.out.push(b']');
        Ok(())
    }
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(default, borrow)]
    value: Option<Text<'a>>,
    #[serde(default, borrow)]
    target: Option<Text<'a>>,
    #[serde(default, borrow)]
    values: Option<Vec<Option<Text<'a>>>>,
}

/// Text that is borrowed from the body unless it is written with escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Entry<'_> {
    fn translate(&self, number: usize, batch: &mut Batch<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        let target = self.target.as_ref().ok_or(Error::Entry(number))?.0.parse::<Domain>().ok();
        match (&self.value, &self.values) {
            (Some(value), None) => {
                batch.push(value.0.as_bytes(), target)?;
                for outcome in batch.drain() {
                    match outcome {
                        Ok(id) => {
                            out.extend_from_slice(b"{\"value\":");
                            write_id(id, out);
                        }
                        Err(refused) => {
                            out.extend_from_slice(b"{\"error\":{");
                            write_refusal(refused, out);
                            out.push(b'}');
                        }
                    }
                }
                out.push(b'}');
                Ok(())
            }
            (None, Some(values)) => group(values, target, batch, out),
            _ => Err(Error::Entry(number)),
        }
    }
}

fn group(values: &[Option<Text<'_>>], target: Option<Domain>, batch: &mut Batch<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    let mut refusals = Vec::new();
    out.extend_from_slice(b"{\"values\":[");
    for value in values {
        batch.push(value.as_ref().map_or(b"", |value| value.0.as_bytes()), target)?;
    }
    for (index, outcome) in batch.drain().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        match outcome {
            Ok(id) => write_id(id, out),
            Err(refused) => {
                out.extend_from_slice(b"null");
                refusals.push((index, refused));
            }
        }
    }
    out.extend_from_slice(b"],\"errors\":[");
    for (position, (index, refused)) in refusals.into_iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        let mut head = String::new();
        let _ = write!(head, "{{\"index\":{index},");
        out.extend_from_slice(head.as_bytes());
        write_refusal(refused, out);
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    Ok(())
}

fn write_id(id: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(id);
    out.push(b'"');
}

/// Codes and sentences are ours and hold nothing that JSON escapes.
fn write_refusal(refused: Refused, out: &mut Vec<u8>) {
    use std::io::Write;
    let _ = write!(out, "\"code\":\"{}\",\"message\":\"{refused}\"", refused.code());
}
