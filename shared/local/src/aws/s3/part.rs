//! A part on its way into the engine, held against its checksum.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream;
use s3s::{
    crypto::{Checksum, Md5},
    dto::StreamingBlob,
};
use shared::encoding::from_base64;

/// A body that ends with an error when its MD5 is not the promised one, so that the engine does not keep it.
pub(super) struct Checked {
    body: StreamingBlob,
    promised: Vec<u8>,
    digest: Option<Md5>,
    differs: Arc<AtomicBool>,
}

impl Checked {
    /// `None` when the promise is no MD5. The flag tells afterwards whether the body was another.
    pub(super) fn new(body: StreamingBlob, promised: &str) -> Option<(Self, Arc<AtomicBool>)> {
        let promised = from_base64(promised).filter(|promised| promised.len() == 16)?;
        let differs = Arc::new(AtomicBool::new(false));
        Some((Self { body, promised, digest: Some(Md5::new()), differs: Arc::clone(&differs) }, differs))
    }
}

impl Stream for Checked {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let next = ready!(Pin::new(&mut self.body).poll_next(cx));
        Poll::Ready(match next {
            Some(Ok(bytes)) => {
                if let Some(digest) = &mut self.digest {
                    digest.update(&bytes);
                }
                Some(Ok(bytes))
            }
            Some(Err(error)) => Some(Err(io::Error::other(error))),
            None => {
                let differs = self.digest.take().is_some_and(|digest| digest.finalize().as_ref() != self.promised);
                if differs {
                    self.differs.store(true, Ordering::Relaxed);
                }
                differs.then(|| Err(io::Error::other("the checksum is another")))
            }
        })
    }
}
