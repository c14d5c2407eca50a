//! The faults of AWS and of the authority that a healthy suite cannot be made to show on demand.

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
use crate::{Client, Way, tests::ids, token::tests::token};

/// What was asked: `init`, `request`, `count`, or the lines that were sent.
type Seen = Arc<Mutex<Vec<String>>>;

/// AWS and the authority in one: the endpoint gives the scripted answers in turn, and whatever is counted is answered with `counting`.
async fn scripted(answers: Vec<Response>, counting: StatusCode) -> (Client, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (seen, answers) = (Seen::default(), Arc::new(Mutex::new(VecDeque::from(answers))));
    let log = seen.clone();
    let app = Router::new().fallback(move |uri: Uri, body: String| async move {
        let note = |said: &str| log.lock().unwrap().push(said.into());
        match uri.path() {
            "/Prod/token/request" => {
                note("request");
                format!(r#"{{"smart_token":"{}"}}"#, token(900)).into_response()
            }
            "/Prod/token/init" => {
                note("init");
                format!(r#"{{"init_token":"{}"}}"#, token(900)).into_response()
            }
            "/endpoints/e/invocations" => {
                let lines = body.lines().map(|line| if line.starts_with('#') { line.split('=').next().unwrap_or_default() } else { line });
                note(&lines.collect::<Vec<_>>().join(" "));
                answers.lock().unwrap().pop_front().unwrap_or_else(|| StatusCode::IM_A_TEAPOT.into_response())
            }
            _ => {
                note("count");
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
    let mut endpoint = Endpoint::connect(&Environment::over(environment), credentials, None).await.unwrap();
    endpoint.retry.pause = Duration::from_millis(1);
    endpoint.retry.attempts = 3;
    (Client(Way::Endpoint(Box::new(endpoint))), seen)
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

fn seen(seen: &Seen) -> Vec<String> {
    seen.lock().unwrap().clone()
}

const TWO: [(&str, &str); 2] = [("XY1005a", "1006"), ("XY1005b", "1006")];

#[tokio::test]
async fn what_is_translated_is_counted_before_it_is_given_out() {
    let (client, log) = scripted(vec![lines("XY1006a,\n,E002\n", "1005-1006:1")], StatusCode::OK).await;
    let outcomes = client.translate(&ids(&TWO)).await.unwrap();
    assert_eq!(outcomes.get(0), Ok("XY1006a"));
    assert_eq!(seen(&log), ["request", "#smart_token XY1005a XY1005b", "count"]);
}

#[tokio::test]
async fn what_cannot_be_counted_is_not_given_out() {
    let answer = || lines("XY1006a,\nXY1006b,\n", "1005-1006:2");
    let (client, _) = scripted(vec![answer()], StatusCode::BAD_REQUEST).await;
    let error = client.translate(&ids(&TWO)).await.unwrap_err();
    assert!(matches!(error, Error::NotCounted { .. }), "{error}");
    assert!(error.to_string().contains("dynamodb:UpdateItem"), "{error}");

    let (client, log) = scripted(vec![lines("XY1006a,\nXY1006b,\n", "1005-1006:1")], StatusCode::OK).await;
    assert!(matches!(client.translate(&ids(&TWO)).await, Err(Error::Nonsense(_))));
    assert!(!seen(&log).contains(&"count".into()));
}

#[tokio::test]
async fn an_instance_without_keys_gets_the_init_token_with_the_same_request() {
    let lacking = || model_error(503, "S007", "no keys");
    let answers = vec![lacking(), lines("XY1006a,\nXY1006b,\n", "1005-1006:2"), lacking(), lines("XY1006a,\n,E002\n", "1005-1006:1")];
    let (client, log) = scripted(answers, StatusCode::OK).await;
    client.translate(&ids(&TWO)).await.unwrap();
    client.translate(&ids(&TWO)).await.unwrap();
    let (bare, with) = ("#smart_token XY1005a XY1005b", "#smart_token #init_token XY1005a XY1005b");
    assert_eq!(seen(&log), ["request", bare, "init", with, "count", bare, with, "count"]);
}

#[tokio::test]
async fn an_expired_token_is_replaced_and_the_request_repeated_once() {
    let expired = || model_error(401, "S012", "Refresh Required");
    let (client, log) = scripted(vec![expired(), expired()], StatusCode::OK).await;
    assert!(matches!(client.translate(&ids(&TWO)).await, Err(Error::Refused { .. })));
    assert_eq!(seen(&log).iter().filter(|said| *said == "request").count(), 2);
}

#[tokio::test]
async fn whom_aws_does_not_let_through_is_told_at_once() {
    let denied = aws_error(StatusCode::FORBIDDEN, "AccessDeniedException", r#"{"Message":"not authorized to perform"}"#);
    let (client, log) = scripted(vec![denied], StatusCode::OK).await;
    let error = client.translate(&ids(&TWO)).await.unwrap_err();
    assert!(matches!(error, Error::Denied { .. }), "{error}");
    assert!(error.to_string().contains("AccessDeniedException") && error.to_string().contains("sagemaker:InvokeEndpoint"), "{error}");
    assert_eq!(seen(&log).len(), 2);
}

#[tokio::test]
async fn a_busy_endpoint_is_asked_again() {
    let busy = || aws_error(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", r#"{"Message":"busy"}"#);
    let answers = vec![busy(), busy(), busy(), model_error(0, "", ""), lines("XY1006a,\nXY1006b,\n", "1005-1006:2")];
    let (client, _) = scripted(answers, StatusCode::OK).await;
    assert_eq!(client.translate(&ids(&TWO)).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_body_over_the_endpoint_s_limit_is_halved_before_it_is_sent() {
    let many: Vec<_> = (0..30).map(|_| ("XY1005aaaaaa", "1006")).collect();
    let half = "XY1006a,\n".repeat(15).leak();
    let (client, log) = scripted(vec![lines(half, "1005-1006:15"), lines(half, "1005-1006:15")], StatusCode::OK).await;
    assert_eq!(client.translate(&ids(&many)).await.unwrap().len(), 30);
    assert_eq!(seen(&log).iter().filter(|said| said.starts_with('#')).count(), 2);
}

#[tokio::test]
async fn a_setting_that_is_missing_is_told_with_where_it_comes_from() {
    let credentials = Credentials { client_id: "demo".into(), client_secret: SecretText::default() };
    let environment: BTreeMap<_, _> = [("AUTHORITY_URL".to_owned(), "https://authority.example".to_owned())].into();
    let error = Endpoint::connect(&Environment::over(environment), credentials, None).await.unwrap_err().to_string();
    assert!(error.starts_with("ENDPOINT_NAME is not set") && error.contains("TranslateEnvironment"), "{error}");
}
