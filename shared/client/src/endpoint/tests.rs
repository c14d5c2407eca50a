//! Responses of AWS and of the authority that the local cloud cannot be made to send on demand.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Mutex,
    time::Duration,
};

use axum::{
    Router,
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use shared::secret::SecretText;
use tokio::net::TcpListener;

use super::*;
use crate::{
    client::{Client, Transport},
    ids::tests::ids,
    token::tests::token,
};

/// The requests in order: `init`, `request`, `count`, or the lines of a translation.
type Requests = Arc<Mutex<Vec<String>>>;

/// Starts a server that stands for AWS and the authority. The endpoint sends the responses in turn,
/// and DynamoDB responds with the status `counting`.
async fn scripted(responses: Vec<Response>, counting: StatusCode) -> (Client, Requests) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (requests, responses) = (Requests::default(), Arc::new(Mutex::new(VecDeque::from(responses))));
    let log = requests.clone();
    let app = Router::new().fallback(move |uri: Uri, body: String| async move {
        let record = |request: &str| log.lock().unwrap().push(request.into());
        match uri.path() {
            "/Prod/token/request" => {
                record("request");
                format!(r#"{{"smart_token":"{}"}}"#, token(900)).into_response()
            }
            "/Prod/token/init" => {
                record("init");
                format!(r#"{{"init_token":"{}"}}"#, token(900)).into_response()
            }
            "/endpoints/e/invocations" => {
                let lines = body.lines().map(|line| if line.starts_with('#') { line.split('=').next().unwrap_or_default() } else { line });
                record(&lines.collect::<Vec<_>>().join(" "));
                responses.lock().unwrap().pop_front().unwrap_or_else(|| StatusCode::IM_A_TEAPOT.into_response())
            }
            _ => {
                record("count");
                (counting, [("content-type", "application/x-amz-json-1.0")], r#"{"__type":"AccessDeniedException","message":"no"}"#)
                    .into_response()
            }
        }
    });
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let settings = [
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_ENDPOINT_URL_DYNAMODB", &url),
        ("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", &url),
        ("AUTHORITY_URL", &format!("{url}/Prod")),
        ("ENDPOINT_NAME", "e"),
        ("ENDPOINT_MAX_BYTES", "300"),
        ("USAGE_TABLE", "usage"),
    ];
    let environment: BTreeMap<_, _> = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let credentials = Credentials { client_id: "demo".into(), client_secret: SecretText::new("open sesame".into()) };
    let mut endpoint = Endpoint::connect(&Environment::with_defaults(environment), credentials, None).await.unwrap();
    endpoint.retry.initial_backoff = Duration::from_millis(1);
    endpoint.retry.max_attempts = 3;
    (Client(Transport::Endpoint(Box::new(endpoint))), requests)
}

fn lines(text: &'static str, usage: &str) -> Response {
    ([("x-amzn-sagemaker-custom-attributes", format!("packet=p;previous=0;usage={usage}"))], text).into_response()
}

fn model_error(status: u16, code: &str, message: &str) -> Response {
    let original = serde_json::json!({"code": code, "message": message}).to_string();
    let body = serde_json::json!({"Message": "…", "OriginalStatusCode": status, "OriginalMessage": original});
    aws_error(StatusCode::FAILED_DEPENDENCY, "ModelError", &body.to_string())
}

fn aws_error(status: StatusCode, kind: &'static str, body: &str) -> Response {
    (status, [("x-amzn-errortype", kind)], body.to_owned()).into_response()
}

fn list(requests: &Requests) -> Vec<String> {
    requests.lock().unwrap().clone()
}

const TWO: [(&str, &str); 2] = [("XY1005a", "1006"), ("XY1005b", "1006")];

#[tokio::test]
async fn translations_are_counted_before_they_are_returned() {
    let (client, requests) = scripted(vec![lines("XY1006a,\n,E002\n", "1005-1006:1")], StatusCode::OK).await;
    let outcomes = client.translate(&ids(&TWO)).await.unwrap();
    assert_eq!(outcomes.get(0), Ok("XY1006a"));
    assert_eq!(list(&requests), ["request", "#smart_token XY1005a XY1005b", "count"]);
}

#[tokio::test]
async fn translations_that_cannot_be_counted_are_not_returned() {
    let response = || lines("XY1006a,\nXY1006b,\n", "1005-1006:2");
    let (client, _) = scripted(vec![response()], StatusCode::BAD_REQUEST).await;
    let error = client.translate(&ids(&TWO)).await.unwrap_err();
    assert!(matches!(error, Error::NotCounted { .. }), "{error}");
    assert!(error.to_string().contains("dynamodb:UpdateItem"), "{error}");

    let (client, requests) = scripted(vec![lines("XY1006a,\nXY1006b,\n", "1005-1006:1")], StatusCode::OK).await;
    assert!(matches!(client.translate(&ids(&TWO)).await, Err(Error::InvalidResponse(_))));
    assert!(!list(&requests).contains(&"count".into()));
}

#[tokio::test]
async fn an_instance_without_keys_receives_the_init_token_with_the_request() {
    let without_keys = || model_error(503, "S007", "no keys");
    let responses =
        vec![without_keys(), lines("XY1006a,\nXY1006b,\n", "1005-1006:2"), without_keys(), lines("XY1006a,\n,E002\n", "1005-1006:1")];
    let (client, requests) = scripted(responses, StatusCode::OK).await;
    client.translate(&ids(&TWO)).await.unwrap();
    client.translate(&ids(&TWO)).await.unwrap();
    let (bare, with) = ("#smart_token XY1005a XY1005b", "#smart_token #init_token XY1005a XY1005b");
    assert_eq!(list(&requests), ["request", bare, "init", with, "count", bare, with, "count"]);
}

#[tokio::test]
async fn an_expired_token_is_replaced_and_the_request_retried_once() {
    let expired = || model_error(401, "S012", "Refresh Required");
    let (client, requests) = scripted(vec![expired(), expired()], StatusCode::OK).await;
    assert!(matches!(client.translate(&ids(&TWO)).await, Err(Error::Refused { .. })));
    assert_eq!(list(&requests).iter().filter(|request| *request == "request").count(), 2);
}

#[tokio::test]
async fn a_denial_by_aws_is_reported_at_once() {
    let denied = aws_error(StatusCode::FORBIDDEN, "AccessDeniedException", r#"{"Message":"not authorized to perform"}"#);
    let (client, requests) = scripted(vec![denied], StatusCode::OK).await;
    let error = client.translate(&ids(&TWO)).await.unwrap_err();
    assert!(matches!(error, Error::Denied { .. }), "{error}");
    assert!(error.to_string().contains("AccessDeniedException") && error.to_string().contains("sagemaker:InvokeEndpoint"), "{error}");
    assert_eq!(list(&requests).len(), 2);
}

#[tokio::test]
async fn a_request_to_a_busy_endpoint_is_retried() {
    let busy = || aws_error(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", r#"{"Message":"busy"}"#);
    let responses = vec![busy(), busy(), busy(), model_error(0, "", ""), lines("XY1006a,\nXY1006b,\n", "1005-1006:2")];
    let (client, _) = scripted(responses, StatusCode::OK).await;
    assert_eq!(client.translate(&ids(&TWO)).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_body_over_the_endpoint_s_limit_is_split_before_it_is_sent() {
    let many: Vec<_> = (0..30).map(|_| ("XY1005aaaaaa", "1006")).collect();
    let half = "XY1006a,\n".repeat(15).leak();
    let (client, requests) = scripted(vec![lines(half, "1005-1006:15"), lines(half, "1005-1006:15")], StatusCode::OK).await;
    assert_eq!(client.translate(&ids(&many)).await.unwrap().len(), 30);
    assert_eq!(list(&requests).iter().filter(|request| request.starts_with('#')).count(), 2);
}

#[tokio::test]
async fn the_error_of_a_missing_variable_names_the_stack_output() {
    let credentials = Credentials { client_id: "demo".into(), client_secret: SecretText::default() };
    let environment: BTreeMap<_, _> = [("AUTHORITY_URL".to_owned(), "https://authority.example".to_owned())].into();
    let error = Endpoint::connect(&Environment::with_defaults(environment), credentials, None).await.unwrap_err().to_string();
    assert!(error.starts_with("ENDPOINT_NAME is not set") && error.contains("TranslateEnvironment"), "{error}");
}
