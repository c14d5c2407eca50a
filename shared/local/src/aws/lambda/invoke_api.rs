//! The `Invoke` operation of Lambda's API, which the SDKs and `sam local start-lambda` speak.

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

use super::{output::MAX_EVENT_BYTES, service::Lambda};
use crate::body::{self, BodyError};

/// `POST /2015-03-31/functions/{name}/invocations`.
pub(crate) fn router(lambda: Arc<Lambda>) -> Router {
    Router::new().route("/2015-03-31/functions/{name}/invocations", post(invoke)).with_state(lambda)
}

async fn invoke(State(lambda): State<Arc<Lambda>>, Path(name): Path<String>, headers: HeaderMap, body: Body) -> Response {
    // The name may be an ARN, and may end in a version.
    let name = name.split_once(":function:").map_or(name.as_str(), |(_, name)| name);
    let name = name.split(':').next().unwrap_or(name).to_owned();
    if !lambda.has(&name) {
        return error(StatusCode::NOT_FOUND, "ResourceNotFoundException", &format!("Function not found: {name}"));
    }
    let payload = match body::read(body, MAX_EVENT_BYTES).await {
        Ok(payload) => payload,
        Err(BodyError::TooLarge) => {
            let message = format!("Request must be smaller than {MAX_EVENT_BYTES} bytes for the InvokeFunction operation");
            return error(StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException", &message);
        }
        Err(BodyError::Incomplete) => return StatusCode::BAD_REQUEST.into_response(),
    };
    let payload = if payload.is_empty() { "{}".into() } else { payload };
    if let Err(cause) = serde_json::from_slice::<serde::de::IgnoredAny>(&payload) {
        let message = format!("Could not parse request body into json: {cause}");
        return error(StatusCode::BAD_REQUEST, "InvalidRequestContentException", &message);
    }
    let request_id = Uuid::new_v4().to_string();
    let metadata = [("x-amzn-requestid", request_id.clone()), ("x-amz-executed-version", "$LATEST".to_owned())];
    match headers.get("x-amz-invocation-type").map(HeaderValue::as_bytes) {
        None | Some(b"RequestResponse") => {}
        Some(b"Event") => {
            tokio::spawn(async move { drop(lambda.invoke(&name, &request_id, payload).await) });
            return (StatusCode::ACCEPTED, metadata).into_response();
        }
        Some(b"DryRun") => return (StatusCode::NO_CONTENT, metadata).into_response(),
        Some(_) => {
            return error(StatusCode::BAD_REQUEST, "InvalidParameterValueException", "Unknown invocation type");
        }
    }
    match lambda.invoke(&name, &request_id, payload).await {
        Some(output) => {
            let content_type = [("content-type", "application/json")];
            if output.is_error {
                (metadata, [("x-amz-function-error", "Unhandled")], content_type, output.payload).into_response()
            } else {
                (metadata, content_type, output.payload).into_response()
            }
        }
        None => error(StatusCode::NOT_FOUND, "ResourceNotFoundException", &format!("Function not found: {name}")),
    }
}

fn error(status: StatusCode, kind: &'static str, message: &str) -> Response {
    let body: Value = json!({"Type": "User", "Message": message});
    (status, [("x-amzn-errortype", kind), ("content-type", "application/json")], body.to_string()).into_response()
}
