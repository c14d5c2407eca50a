//! The Runtime API: where a function's process fetches its events and brings its answers.

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

use super::MAX_ANSWER;
use crate::body;

/// An event for a function.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) request_id: String,
    pub(super) payload: Bytes,
    pub(super) deadline: SystemTime,
}

/// What a process said to an event.
#[derive(Debug)]
pub(super) enum Outcome {
    Answered(Bytes),
    Failed(Bytes),
    InitFailed(Bytes),
}

/// What is between the suite and one process: at most one event at a time.
#[derive(Debug)]
pub(super) struct Mailbox {
    arn: String,
    waiting: Mutex<Option<Event>>,
    arrived: Notify,
    awaited: Mutex<Option<(String, oneshot::Sender<Outcome>)>>,
}

impl Mailbox {
    pub(super) fn new(arn: String) -> Self {
        Self { arn, waiting: Mutex::default(), arrived: Notify::new(), awaited: Mutex::default() }
    }

    /// Lays an event down; the outcome comes when the process has worked on it.
    pub(super) fn put(&self, event: Event) -> oneshot::Receiver<Outcome> {
        let (sender, receiver) = oneshot::channel();
        *lock(&self.awaited) = Some((event.request_id.clone(), sender));
        *lock(&self.waiting) = Some(event);
        self.arrived.notify_one();
        receiver
    }

    /// Takes an event back that the process has not fetched; whether there was one.
    pub(super) fn take_back(&self) -> bool {
        lock(&self.waiting).take().is_some()
    }

    async fn next(&self) -> Event {
        loop {
            let arrived = self.arrived.notified();
            if let Some(event) = lock(&self.waiting).take() {
                return event;
            }
            arrived.await;
        }
    }

    /// Whether an answer to this request is awaited; another's comes too late.
    fn settle(&self, request_id: Option<&str>, outcome: Outcome) -> bool {
        let mut awaited = lock(&self.awaited);
        match awaited.take_if(|(id, _)| request_id.is_none_or(|request_id| request_id == id)) {
            Some((_, sender)) => sender.send(outcome).is_ok(),
            None => false,
        }
    }
}

pub(super) fn router(mailbox: Arc<Mailbox>) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .with_state(mailbox)
}

async fn next(State(mailbox): State<Arc<Mailbox>>) -> Response {
    let event = mailbox.next().await;
    let deadline = event.deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let root = event.request_id.replace('-', "");
    let trace = format!("Root=1-{}-{};Sampled=0", &root[..8.min(root.len())], &root[8.min(root.len())..]);
    let headers: HeaderMap = [
        ("lambda-runtime-aws-request-id", event.request_id),
        ("lambda-runtime-deadline-ms", deadline.to_string()),
        ("lambda-runtime-invoked-function-arn", mailbox.arn.clone()),
        ("lambda-runtime-trace-id", trace),
        ("content-type", "application/json".to_owned()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((HeaderName::from_static(name), HeaderValue::try_from(value).ok()?)))
    .collect();
    (headers, event.payload).into_response()
}

// The runtime does not say that its answers are JSON, and may send them in chunks: they are read as bytes.
async fn response(State(mailbox): State<Arc<Mailbox>>, Path(id): Path<String>, body: Body) -> Response {
    match body::read(body, MAX_ANSWER).await {
        Ok(payload) => accepted(mailbox.settle(Some(&id), Outcome::Answered(payload))),
        Err(body::Error::TooLarge) => {
            let message = format!("Response payload size exceeded maximum allowed payload size ({MAX_ANSWER} bytes).");
            let error = json!({"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}).to_string();
            mailbox.settle(Some(&id), Outcome::Failed(error.clone().into()));
            (StatusCode::PAYLOAD_TOO_LARGE, [(header::CONTENT_TYPE, "application/json")], error).into_response()
        }
        Err(body::Error::Broken) => StatusCode::BAD_REQUEST.into_response(),
    }
}

async fn error(State(mailbox): State<Arc<Mailbox>>, Path(id): Path<String>, body: Body) -> Response {
    match body::read(body, MAX_ANSWER).await {
        Ok(payload) => accepted(mailbox.settle(Some(&id), Outcome::Failed(payload))),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

async fn init_error(State(mailbox): State<Arc<Mailbox>>, body: Body) -> Response {
    match body::read(body, MAX_ANSWER).await {
        Ok(payload) => {
            mailbox.take_back();
            mailbox.settle(None, Outcome::InitFailed(payload));
            accepted(true)
        }
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

fn accepted(awaited: bool) -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    if awaited {
        (StatusCode::ACCEPTED, json, r#"{"status":"OK"}"#).into_response()
    } else {
        let error = r#"{"errorType":"InvalidRequestID","errorMessage":"Invalid request ID"}"#;
        (StatusCode::BAD_REQUEST, json, error).into_response()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
