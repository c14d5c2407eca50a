//! Request bodies, read whole up to a limit.

use axum::body::{Body, Bytes, HttpBody};
use http_body_util::BodyExt;

/// How much of a rejected body is read and discarded, so that the client gets the response instead
/// of a reset connection.
pub(crate) const MAX_DRAIN_BYTES: usize = 64 * 1024 * 1024;

/// A body cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// It has more bytes than the limit.
    TooLarge,
    /// The connection failed before its end.
    Incomplete,
}

/// Reads a body of at most `limit` bytes.
pub(crate) async fn read(mut body: Body, limit: usize) -> Result<Bytes, BodyError> {
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut whole = Vec::with_capacity(if expected <= limit { expected } else { 0 });
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BodyError::Incomplete)?.into_data() else {
            continue;
        };
        length += data.len();
        if length > MAX_DRAIN_BYTES {
            break;
        }
        if length <= limit {
            whole.extend_from_slice(&data);
        } else {
            whole = Vec::new();
        }
    }
    if length > limit { Err(BodyError::TooLarge) } else { Ok(whole.into()) }
}
