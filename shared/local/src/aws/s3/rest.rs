//! What is left of a body when its request is refused.
//!
//! A connection that is closed over an unread body looks to its client like one that broke, and the answer is lost.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    middleware::Next,
    response::Response,
};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::runtime::Handle;

/// How far a body is read for politeness.
const POLITENESS: usize = 64 * 1024 * 1024;

/// Reads on what is left of the body when nobody else does.
pub(super) async fn taken(request: Request, next: Next) -> Response {
    next.run(request.map(|body| Body::new(Rest(body)))).await
}

/// A body that is read on when it is dropped.
struct Rest(Body);

impl HttpBody for Rest {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        if let Ok(runtime) = Handle::try_current()
            && !self.0.is_end_stream()
        {
            let mut body = std::mem::take(&mut self.0);
            runtime.spawn(async move {
                let mut read = 0;
                while let Some(Ok(frame)) = body.frame().await
                    && read < POLITENESS
                {
                    read += frame.data_ref().map_or(0, Bytes::len);
                }
            });
        }
    }
}
