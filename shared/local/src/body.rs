//! Bodies of requests, read whole up to a limit.

use axum::body::{Body, Bytes, HttpBody};
use http_body_util::BodyExt;

/// How far a body that is too large is read on, so that its sender hears the answer instead of a closed connection.
const POLITENESS: usize = 64 * 1024 * 1024;

/// A body cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Error {
    TooLarge,
    Broken,
}

pub(super) async fn read(mut body: Body, limit: usize) -> Result<Bytes, Error> {
    let told = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut whole = Vec::with_capacity(if told <= limit { told } else { 0 });
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Error::Broken)?.into_data() else {
            continue;
        };
        length += data.len();
        if length > POLITENESS {
            break;
        }
        if length <= limit {
            whole.extend_from_slice(&data);
        } else {
            whole = Vec::new();
        }
    }
    if length > limit { Err(Error::TooLarge) } else { Ok(whole.into()) }
}
