//! Why a body is not read, or not translated.

use crate::identity::{code::Code, translate::Error as BatchError};

const E006: &str = Code::E006.message();

/// Why a body is not read, or not translated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The body is not JSON. The message repeats nothing of it, because it may hold secrets.
    #[error("{E006}: it is not JSON (line {line}, column {column})")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// The body is JSON, but a field is duplicate or has the wrong type.
    #[error("{E006}: a field is duplicate or has the wrong type (line {line}, column {column})")]
    Data {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// An entry of `transcode_data`, counted from 1, has neither of the two forms.
    #[error("{E006}: entry {0} of transcode_data must be {{\"value\",\"target\"}} or {{\"target\",\"values\"}}")]
    Entry(usize),
    /// A field is missing.
    #[error("{E006}: \"{0}\" is missing")]
    Missing(&'static str),
    /// The procedure is unknown. The argument lists the known ones.
    #[error("{E006}: \"rpc\" must be one of {0}")]
    Unknown(&'static str),
    /// The fast path did not accept the body; `Body::parse` must read it.
    #[error("{E006}")]
    Unvalidated,
    /// The batch as a whole is not translated.
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
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        if error.is_data() { Self::Data { line, column } } else { Self::Syntax { line, column } }
    }
}
