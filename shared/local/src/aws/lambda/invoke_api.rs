//! The part of Lambda's API that `sam local start-lambda` has too: `Invoke`.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Lambda, MAX_EVENT};
use crate::body;

pub(super) fn router(lambda: Arc<Lambda>) -> Router {
    Router::new().route("/2015-03-31/functions/{name}/invocations", post(invoke)).with_state(lambda)
}

async fn invoke(State(lambda): State<Arc<Lambda>>, Path(name): Path<String>, headers: HeaderMap, body: Body) -> Response {
    // A name may be an ARN, and may have a version behind it.
    let name = name.split_once(":function:").map_or(name.as_str(), |(_, name)| name);
    let name = name.split(':').next().unwrap_or(name).to_owned();
    if !lambda.has(&name) {
        return refusal(StatusCode::NOT_FOUND, "ResourceNotFoundException", &format!("Function not found: {name}"));
    }
    let payload = match body::read(body, MAX_EVENT).await {
        Ok(payload) => payload,
        Err(body::Error::TooLarge) => {
            let message = format!("Request must be smaller than {MAX_EVENT} bytes for the InvokeFunction operation");
            return refusal(StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException", &message);
        }
        Err(body::Error::Broken) => return StatusCode::BAD_REQUEST.into_response(),
    };
    let payload = if payload.is_empty() { "{}".into() } else { payload };
    if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(&payload) {
        let message = format!("Could not parse request body into json: {error}");
        return refusal(StatusCode::BAD_REQUEST, "InvalidRequestContentException", &message);
    }
    let request_id = Uuid::new_v4().to_string();
    let about = [("x-amzn-requestid", request_id.clone()), ("x-amz-executed-version", "$LATEST".to_owned())];
    match headers.get("x-amz-invocation-type").map(HeaderValue::as_bytes) {
        None | Some(b"RequestResponse") => {}
        Some(b"Event") => {
            tokio::spawn(async move { drop(lambda.invoke(&name, &request_id, payload).await) });
            return (StatusCode::ACCEPTED, about).into_response();
        }
        Some(b"DryRun") => return (StatusCode::NO_CONTENT, about).into_response(),
        Some(_) => {
            return refusal(StatusCode::BAD_REQUEST, "InvalidParameterValueException", "Unknown invocation type");
        }
    }
    match lambda.invoke(&name, &request_id, payload).await {
        Some(reply) => {
            let failed = reply.failed.then_some([("x-amz-function-error", "Unhandled")]);
            let json = [("content-type", "application/json")];
            match failed {
                Some(failed) => (about, failed, json, reply.payload).into_response(),
                None => (about, json, reply.payload).into_response(),
            }
        }
        None => refusal(StatusCode::NOT_FOUND, "ResourceNotFoundException", &format!("Function not found: {name}")),
    }
}

fn refusal(status: StatusCode, kind: &'static str, message: &str) -> Response {
    let body: Value = json!({"Type": "User", "Message": message});
    (status, [("x-amzn-errortype", kind), ("content-type", "application/json")], body.to_string()).into_response()
}
