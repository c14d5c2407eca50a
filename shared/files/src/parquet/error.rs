//! Errors of the `parquet` crate as this crate reports them.

use std::io;

use ::parquet::errors::ParquetError;

/// The error's message in one line, without the crate's prefix.
pub(crate) fn message(error: &ParquetError) -> String {
    const MAX_CHARS: usize = 200;
    let text = error.to_string();
    let text = text.strip_prefix("Parquet error: ").unwrap_or(&text);
    text.chars().map(|char| if char.is_control() { ' ' } else { char }).take(MAX_CHARS).collect()
}

/// The underlying I/O error, or one with the error's message.
pub(crate) fn io_error(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(cause) => match cause.downcast::<io::Error>() {
            Ok(cause) => *cause,
            Err(cause) => io::Error::other(cause),
        },
        error => io::Error::other(message(&error)),
    }
}
