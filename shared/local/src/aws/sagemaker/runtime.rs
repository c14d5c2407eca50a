//! The SageMaker runtime's `InvokeEndpoint`: requests for a container, and its answers in SageMaker's words.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Fleet;
use crate::body;

/// The longest body of a request.
const MAX_BODY: usize = 6_291_456;

/// How long a container may work on a request.
const LIMIT: Duration = Duration::from_mins(1);

const TARGET_VARIANT: &str = "x-amzn-sagemaker-target-variant";

pub(super) fn router(fleet: Arc<Fleet>) -> Router {
    Router::new().route("/endpoints/{name}/invocations", post(invoke)).with_state(fleet)
}

async fn invoke(State(fleet): State<Arc<Fleet>>, Path(name): Path<String>, headers: HeaderMap, body: Body) -> Response {
    let Some(endpoint) = fleet.endpoint(&name) else {
        let message = format!("Endpoint {name} of account {} not found.", fleet.account);
        return error(StatusCode::BAD_REQUEST, "ValidationError", &json!({"Message": message}));
    };
    let body = match body::read(body, MAX_BODY).await {
        Ok(body) => body,
        Err(body::Error::TooLarge) => {
            let message = format!("Payload is too large: it may have {MAX_BODY} bytes.");
            return error(StatusCode::BAD_REQUEST, "ValidationError", &json!({"Message": message}));
        }
        Err(body::Error::Broken) => return StatusCode::BAD_REQUEST.into_response(),
    };
    let target = headers.get(TARGET_VARIANT).and_then(|variant| variant.to_str().ok());
    if let Some(target) = target.filter(|target| endpoint.variants.iter().all(|variant| variant.name != *target)) {
        let message = format!("Variant {target} not found for Endpoint {name} of account {}.", fleet.account);
        return error(StatusCode::BAD_REQUEST, "ValidationError", &json!({"Message": message}));
    }
    let Some((instance, port)) = fleet.choose(&name, target) else {
        let message = "No instance of the endpoint is in service.";
        return error(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", &json!({"Message": message}));
    };
    let mut response = match send(&fleet.client, port, &headers, body).await {
        Ok(answer) if answer.status.is_success() => (passed_on(&answer.headers), answer.body).into_response(),
        Ok(answer) => fleet.model_error(&name, answer.status.as_u16(), &String::from_utf8_lossy(&answer.body)),
        Err(failure) => {
            if failure == Failure::Closed {
                instance.doubt(port);
            }
            // There is no status of the container to report, which SageMaker says as 0.
            fleet.model_error(&name, 0, failure.message())
        }
    };
    if let Ok(variant) = HeaderValue::from_str(&instance.variant) {
        response.headers_mut().insert("x-amzn-invoked-production-variant", variant);
    }
    identified(response)
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// A container does not answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Failure {
    TimedOut,
    Closed,
}

impl Failure {
    const fn message(self) -> &'static str {
        match self {
            Self::TimedOut => "Your invocation timed out while waiting for a response from container primary.",
            Self::Closed => "The connection to container primary was closed before it answered.",
        }
    }
}

async fn send(client: &reqwest::Client, port: u16, headers: &HeaderMap, body: Bytes) -> Result<Answer, Failure> {
    let request = client.post(format!("http://127.0.0.1:{port}/invocations")).headers(passed_on(headers));
    let answer = async {
        let answer = request.body(body).timeout(LIMIT).send().await?;
        Ok(Answer { status: answer.status(), headers: answer.headers().clone(), body: answer.bytes().await? })
    };
    answer.await.map_err(|error: reqwest::Error| if error.is_timeout() { Failure::TimedOut } else { Failure::Closed })
}

/// What goes through, either way: the content's type and SageMaker's own headers.
fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let mine =
        |name: &HeaderName| *name == header::CONTENT_TYPE || *name == header::ACCEPT || name.as_str().starts_with("x-amzn-sagemaker-");
    headers.iter().filter(|(name, _)| mine(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

impl Fleet {
    fn model_error(&self, endpoint: &str, status: u16, message: &str) -> Response {
        let side = if (400..500).contains(&status) { "client" } else { "server" };
        let group = format!("/aws/sagemaker/Endpoints/{endpoint}");
        let (region, account) = (&self.region, &self.account);
        let body = json!({
            "ErrorCode": if side == "client" { "CLIENT_ERROR_FROM_MODEL" } else { "SERVER_ERROR_FROM_MODEL" },
            "LogStreamArn": format!("arn:aws:logs:{region}:{account}:log-group:{group}"),
            "Message": format!("Received {side} error ({status}) from primary with message \"{message}\"."),
            "OriginalMessage": message,
            "OriginalStatusCode": status,
        });
        error(StatusCode::FAILED_DEPENDENCY, "ModelError", &body)
    }
}

fn error(status: StatusCode, kind: &'static str, body: &Value) -> Response {
    let headers = [("x-amzn-errortype", kind), ("content-type", "application/json")];
    identified((status, headers, body.to_string()).into_response())
}

fn identified(mut response: Response) -> Response {
    if let Ok(id) = HeaderValue::try_from(Uuid::new_v4().to_string()) {
        response.headers_mut().entry("x-amzn-requestid").or_insert(id);
    }
    response
}
