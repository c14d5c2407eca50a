//! `InvokeEndpoint` of the SageMaker runtime: forwards requests to containers and maps their
//! failures to SageMaker's errors.

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

use super::fleet::Fleet;
use crate::body::{self, BodyError};

/// The maximum size of a request.
const MAX_INVOCATION_BYTES: usize = 6_291_456;

/// How long a container may take for a request.
const INVOCATION_TIMEOUT: Duration = Duration::from_mins(1);

const TARGET_VARIANT: &str = "x-amzn-sagemaker-target-variant";

/// `POST /endpoints/{name}/invocations`.
pub(crate) fn router(fleet: Arc<Fleet>) -> Router {
    Router::new().route("/endpoints/{name}/invocations", post(invoke)).with_state(fleet)
}

async fn invoke(State(fleet): State<Arc<Fleet>>, Path(name): Path<String>, headers: HeaderMap, body: Body) -> Response {
    let Some(endpoint) = fleet.endpoint(&name) else {
        let message = format!("Endpoint {name} of account {} not found.", fleet.account);
        return error(StatusCode::BAD_REQUEST, "ValidationError", &json!({"Message": message}));
    };
    let body = match body::read(body, MAX_INVOCATION_BYTES).await {
        Ok(body) => body,
        Err(BodyError::TooLarge) => {
            let message = format!("Payload is too large: it may have {MAX_INVOCATION_BYTES} bytes.");
            return error(StatusCode::BAD_REQUEST, "ValidationError", &json!({"Message": message}));
        }
        Err(BodyError::Incomplete) => return StatusCode::BAD_REQUEST.into_response(),
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
        Ok(response) if response.status.is_success() => (forwarded(&response.headers), response.body).into_response(),
        Ok(response) => fleet.model_error(&name, response.status.as_u16(), &String::from_utf8_lossy(&response.body)),
        Err(error) => {
            if error == ContainerError::Closed {
                instance.suspend(port);
            }
            // Without a status of the container SageMaker reports 0.
            fleet.model_error(&name, 0, error.message())
        }
    };
    if let Ok(variant) = HeaderValue::from_str(&instance.variant) {
        response.headers_mut().insert("x-amzn-invoked-production-variant", variant);
    }
    with_request_id(response)
}

/// The response of a container.
struct ContainerResponse {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// A container does not respond.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ContainerError {
    TimedOut,
    Closed,
}

impl ContainerError {
    const fn message(self) -> &'static str {
        match self {
            Self::TimedOut => "Your invocation timed out while waiting for a response from container primary.",
            Self::Closed => "The connection to container primary was closed before it answered.",
        }
    }
}

async fn send(client: &reqwest::Client, port: u16, headers: &HeaderMap, body: Bytes) -> Result<ContainerResponse, ContainerError> {
    let request = client.post(format!("http://127.0.0.1:{port}/invocations")).headers(forwarded(headers));
    let response = async {
        let response = request.body(body).timeout(INVOCATION_TIMEOUT).send().await?;
        Ok(ContainerResponse { status: response.status(), headers: response.headers().clone(), body: response.bytes().await? })
    };
    let error = |error: reqwest::Error| if error.is_timeout() { ContainerError::TimedOut } else { ContainerError::Closed };
    response.await.map_err(error)
}

/// The headers that SageMaker forwards in both directions: the content type and its own.
fn forwarded(headers: &HeaderMap) -> HeaderMap {
    let is_forwarded =
        |name: &HeaderName| *name == header::CONTENT_TYPE || *name == header::ACCEPT || name.as_str().starts_with("x-amzn-sagemaker-");
    headers.iter().filter(|(name, _)| is_forwarded(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
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
    with_request_id((status, headers, body.to_string()).into_response())
}

fn with_request_id(mut response: Response) -> Response {
    if let Ok(id) = HeaderValue::try_from(Uuid::new_v4().to_string()) {
        response.headers_mut().entry("x-amzn-requestid").or_insert(id);
    }
    response
}
