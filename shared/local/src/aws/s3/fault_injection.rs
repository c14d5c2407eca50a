//! Faults that tests inject into S3.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes, HttpBody, to_bytes},
    extract::{Request, State},
    http::{Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_body::Frame;

/// A fault of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum S3Fault {
    /// `UploadPart` returns this status, and stores nothing.
    RefusePart(u16),
    /// `HeadObject` returns this status.
    RefuseHead(u16),
    /// The connection fails in the middle of the response to a ranged `GetObject`.
    TruncateRange,
    /// A ranged `GetObject` with `If-Match` returns 412, as after a write to the object.
    FailIfMatch,
}

/// The faults still to come, and what is counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    pending: Mutex<Vec<S3Fault>>,
    heads: AtomicUsize,
}

impl Faults {
    pub(super) fn inject(&self, fault: S3Fault, times: usize) {
        self.0.pending.lock().unwrap_or_else(PoisonError::into_inner).extend(vec![fault; times]);
    }

    pub(super) fn pending(&self) -> usize {
        self.0.pending.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub(super) fn heads(&self) -> usize {
        self.0.heads.load(Relaxed)
    }

    /// Removes the first pending fault that applies to a request.
    fn take(&self, request: &Request) -> Option<S3Fault> {
        let is_part = request.method() == Method::PUT && request.uri().query().is_some_and(|query| query.contains("partNumber"));
        let is_ranged = request.method() == Method::GET && request.headers().contains_key(header::RANGE);
        let applies = |fault: &S3Fault| match fault {
            S3Fault::RefusePart(_) => is_part,
            S3Fault::RefuseHead(_) => request.method() == Method::HEAD,
            S3Fault::TruncateRange => is_ranged,
            S3Fault::FailIfMatch => is_ranged && request.headers().contains_key(header::IF_MATCH),
        };
        let mut pending = self.0.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let index = pending.iter().position(applies)?;
        Some(pending.remove(index))
    }
}

/// Applies the pending faults.
pub(super) async fn apply(State(faults): State<Faults>, request: Request, next: Next) -> Response {
    if request.method() == Method::HEAD {
        faults.0.heads.fetch_add(1, Relaxed);
    }
    match faults.take(&request) {
        None => next.run(request).await,
        Some(S3Fault::RefusePart(status) | S3Fault::RefuseHead(status)) => {
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response()
        }
        Some(S3Fault::FailIfMatch) => StatusCode::PRECONDITION_FAILED.into_response(),
        Some(S3Fault::TruncateRange) => {
            // The response keeps its `Content-Length`.
            let (head, body) = next.run(request).await.into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
            Response::from_parts(head, Body::new(Truncated(Some(body.slice(..body.len() / 2)))))
        }
    }
}

/// A body that fails after its data.
struct Truncated(Option<Bytes>);

impl HttpBody for Truncated {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        Poll::Ready(Some(self.0.take().map(Frame::data).ok_or("truncated")))
    }
}
