//! The Lambda Runtime API: a function's process fetches its events from it and posts its responses
//! to it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::json;
use tokio::sync::{Notify, oneshot};

use super::output::MAX_RESPONSE_BYTES;
use crate::body::{self, BodyError};

/// An event for a function, with its metadata.
#[derive(Debug)]
pub(super) struct Invocation {
    pub(super) request_id: String,
    pub(super) payload: Bytes,
    pub(super) deadline: SystemTime,
}

/// What a process posts about an invocation.
#[derive(Debug)]
pub(super) enum InvocationResult {
    Response(Bytes),
    Error(Bytes),
    InitError(Bytes),
}

/// The one invocation that a process may have at a time.
#[derive(Debug)]
pub(super) struct InvocationSlot {
    arn: String,
    /// The invocation that the process has not fetched.
    queued: Mutex<Option<Invocation>>,
    queued_signal: Notify,
    /// The request id of the invocation, and the receiver of its result.
    pending: Mutex<Option<(String, oneshot::Sender<InvocationResult>)>>,
}

impl InvocationSlot {
    pub(super) fn new(arn: String) -> Self {
        Self { arn, queued: Mutex::default(), queued_signal: Notify::new(), pending: Mutex::default() }
    }

    /// Queues an invocation. Its result arrives when the process posts it.
    pub(super) fn put(&self, invocation: Invocation) -> oneshot::Receiver<InvocationResult> {
        let (sender, receiver) = oneshot::channel();
        *lock(&self.pending) = Some((invocation.request_id.clone(), sender));
        *lock(&self.queued) = Some(invocation);
        self.queued_signal.notify_one();
        receiver
    }

    /// Removes the queued invocation. Returns whether there was one, that is, whether the process
    /// had not fetched it.
    pub(super) fn withdraw(&self) -> bool {
        lock(&self.queued).take().is_some()
    }

    async fn next(&self) -> Invocation {
        loop {
            let queued = self.queued_signal.notified();
            if let Some(invocation) = lock(&self.queued).take() {
                return invocation;
            }
            queued.await;
        }
    }

    /// Completes the pending invocation. Returns whether its result was still awaited. A
    /// `request_id` of another invocation is too late.
    fn complete(&self, request_id: Option<&str>, result: InvocationResult) -> bool {
        let mut pending = lock(&self.pending);
        match pending.take_if(|(id, _)| request_id.is_none_or(|request_id| request_id == id)) {
            Some((_, sender)) => sender.send(result).is_ok(),
            None => false,
        }
    }
}

pub(super) fn router(slot: Arc<InvocationSlot>) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .with_state(slot)
}

async fn next(State(slot): State<Arc<InvocationSlot>>) -> Response {
    let invocation = slot.next().await;
    let deadline = invocation.deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let root = invocation.request_id.replace('-', "");
    let trace = format!("Root=1-{}-{};Sampled=0", &root[..8.min(root.len())], &root[8.min(root.len())..]);
    let headers: HeaderMap = [
        ("lambda-runtime-aws-request-id", invocation.request_id),
        ("lambda-runtime-deadline-ms", deadline.to_string()),
        ("lambda-runtime-invoked-function-arn", slot.arn.clone()),
        ("lambda-runtime-trace-id", trace),
        ("content-type", "application/json".to_owned()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((HeaderName::from_static(name), HeaderValue::try_from(value).ok()?)))
    .collect();
    (headers, invocation.payload).into_response()
}

// The runtime sends responses without a JSON content type and possibly chunked, so they are read as
// bytes.
async fn response(State(slot): State<Arc<InvocationSlot>>, Path(id): Path<String>, body: Body) -> Response {
    match body::read(body, MAX_RESPONSE_BYTES).await {
        Ok(payload) => accepted(slot.complete(Some(&id), InvocationResult::Response(payload))),
        Err(BodyError::TooLarge) => {
            let message = format!("Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes).");
            let error = json!({"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}).to_string();
            slot.complete(Some(&id), InvocationResult::Error(error.clone().into()));
            (StatusCode::PAYLOAD_TOO_LARGE, [(header::CONTENT_TYPE, "application/json")], error).into_response()
        }
        Err(BodyError::Incomplete) => StatusCode::BAD_REQUEST.into_response(),
    }
}

async fn error(State(slot): State<Arc<InvocationSlot>>, Path(id): Path<String>, body: Body) -> Response {
    match body::read(body, MAX_RESPONSE_BYTES).await {
        Ok(payload) => accepted(slot.complete(Some(&id), InvocationResult::Error(payload))),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

async fn init_error(State(slot): State<Arc<InvocationSlot>>, body: Body) -> Response {
    match body::read(body, MAX_RESPONSE_BYTES).await {
        Ok(payload) => {
            slot.withdraw();
            slot.complete(None, InvocationResult::InitError(payload));
            accepted(true)
        }
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

fn accepted(was_pending: bool) -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    if was_pending {
        (StatusCode::ACCEPTED, json, r#"{"status":"OK"}"#).into_response()
    } else {
        let error = r#"{"errorType":"InvalidRequestID","errorMessage":"Invalid request ID"}"#;
        (StatusCode::BAD_REQUEST, json, error).into_response()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
