//! `Content-MD5` of an uploaded part.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use axum::body::{Bytes, HttpBody};
use http_body::Frame;
use s3s::{
    Body, StdError,
    crypto::{Checksum, Md5},
    dto::StreamingBlob,
};
use shared::encoding::from_base64;

/// A body that ends with an error when its MD5 is not the expected one, so that the engine does not
/// store it.
struct VerifiedBody {
    body: Body,
    expected: Vec<u8>,
    digest: Option<Md5>,
    mismatch: Arc<AtomicBool>,
}

/// Verifies a body against the value of `Content-MD5` while the engine reads it. The flag is set
/// when they differ. `None` when the value is not an MD5.
pub(super) fn verify(body: StreamingBlob, content_md5: &str) -> Option<(StreamingBlob, Arc<AtomicBool>)> {
    let expected = from_base64(content_md5).filter(|expected| expected.len() == 16)?;
    let mismatch = Arc::new(AtomicBool::new(false));
    let body = VerifiedBody { body: body.into(), expected, digest: Some(Md5::new()), mismatch: Arc::clone(&mismatch) };
    Some((Body::http_body(body).into(), mismatch))
}

impl HttpBody for VerifiedBody {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        let next = ready!(Pin::new(&mut self.body).poll_frame(cx));
        Poll::Ready(match next {
            Some(Ok(frame)) => {
                if let (Some(digest), Some(bytes)) = (&mut self.digest, frame.data_ref()) {
                    digest.update(bytes);
                }
                Some(Ok(frame))
            }
            Some(Err(error)) => Some(Err(error)),
            None => {
                let differs = self.digest.take().is_some_and(|digest| digest.finalize().as_ref() != self.expected);
                if differs {
                    self.mismatch.store(true, Ordering::Relaxed);
                }
                differs.then(|| Err("the body does not match its Content-MD5".into()))
            }
        })
    }
}
