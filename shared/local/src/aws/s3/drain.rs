//! Drains the unread body of a rejected request.
//!
//! A client that is still sending takes a connection that closes for a failure, and never reads the
//! response.

use std::{
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    middleware::Next,
    response::Response,
};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::runtime::Handle;

use crate::body::MAX_DRAIN_BYTES;

/// Drains what the inner service leaves of a request's body, up to [`MAX_DRAIN_BYTES`].
pub(super) async fn drain_unread(request: Request, next: Next) -> Response {
    next.run(request.map(|body| Body::new(DrainOnDrop(body)))).await
}

/// A body that is read to its end when it is dropped.
struct DrainOnDrop(Body);

impl HttpBody for DrainOnDrop {
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

impl Drop for DrainOnDrop {
    fn drop(&mut self) {
        if let Ok(runtime) = Handle::try_current()
            && !self.0.is_end_stream()
        {
            let mut body = mem::take(&mut self.0);
            runtime.spawn(async move {
                let mut drained = 0;
                while let Some(Ok(frame)) = body.frame().await
                    && drained < MAX_DRAIN_BYTES
                {
                    drained += frame.data_ref().map_or(0, Bytes::len);
                }
            });
        }
    }
}
