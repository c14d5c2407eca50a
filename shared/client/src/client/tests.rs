//! Responses that the local cloud cannot be made to send on demand: a scripted server sends them.

use std::{
    collections::VecDeque,
    sync::Mutex as StdMutex,
    time::{Duration, Instant},
};

use axum::{
    Router,
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use shared::secret::SecretText;
use tokio::net::TcpListener;

use super::*;
use crate::{ids::tests::ids, outcomes::Refusal, token::tests::token};

const OK: StatusCode = StatusCode::OK;
const SECRET: &str = "open sesame";

/// The requests that a server received: paths and bodies.
type Requests = Arc<StdMutex<Vec<(String, String)>>>;

/// Starts a server that drops the first `drops` connections and then sends the responses in turn.
async fn scripted(drops: usize, responses: Vec<Response>) -> (Client, Requests) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/Prod/", listener.local_addr().unwrap());
    let requests = Requests::default();
    let responses = Arc::new(StdMutex::new(VecDeque::from(responses)));
    let log = requests.clone();
    let app = Router::new().fallback(move |uri: Uri, body: String| async move {
        log.lock().unwrap().push((uri.path().into(), body));
        responses.lock().unwrap().pop_front().unwrap_or_else(|| StatusCode::IM_A_TEAPOT.into_response())
    });
    tokio::spawn(async move {
        for _ in 0..drops {
            drop(listener.accept().await.unwrap());
        }
        axum::serve(listener, app).await.unwrap();
    });
    (client(&url), requests)
}

fn client(url: &str) -> Client {
    let credentials = Credentials { client_id: "demo".into(), client_secret: SecretText::new(SECRET.into()) };
    let mut api = Api::new(url, credentials).unwrap();
    api.retry.initial_backoff = Duration::from_millis(1);
    api.retry.max_attempts = 4;
    Client(Transport::Api(Box::new(api)))
}

fn smart_token() -> Response {
    smart_token_for(900)
}

fn smart_token_for(seconds: i64) -> Response {
    (OK, format!(r#"{{"smart_token":"{}"}}"#, token(seconds))).into_response()
}

fn values(values: &[&str]) -> Response {
    (OK, serde_json::json!([{ "values": values }]).to_string()).into_response()
}

fn refusal(status: u16, code: &str, message: &str) -> Response {
    let body = serde_json::json!({ "code": code, "message": message }).to_string();
    (StatusCode::from_u16(status).unwrap(), body).into_response()
}

fn some(count: usize) -> Ids {
    ids(&vec![("XY1005a", "1006"); count])
}

fn list(outcomes: &Outcomes) -> Vec<Result<&str, Refusal<'_>>> {
    outcomes.iter().collect()
}

fn paths(requests: &Requests) -> Vec<String> {
    let named = |(path, body): &(String, String)| {
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        format!("{path} {}", body["rpc"].as_str().unwrap())
    };
    requests.lock().unwrap().iter().map(named).collect()
}

#[tokio::test]
async fn a_token_is_fetched_once_and_reused() {
    let (client, requests) = scripted(0, vec![smart_token(), values(&["XY1006a"]), values(&["XY1006b"])]).await;
    assert_eq!(list(&client.translate(&some(1)).await.unwrap()), [Ok("XY1006a")]);
    assert_eq!(list(&client.translate(&some(1)).await.unwrap()), [Ok("XY1006b")]);
    assert_eq!(paths(&requests), ["/Prod/auth/request refresh", "/Prod/auth/request request", "/Prod/auth/request request"]);
}

#[tokio::test]
async fn a_token_in_its_last_minute_is_replaced_before_use() {
    let (client, requests) = scripted(0, vec![smart_token_for(30), smart_token(), smart_token()]).await;
    for _ in 0..3 {
        client.token().await.unwrap();
    }
    assert_eq!(requests.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn an_expired_token_is_replaced_and_the_request_retried_once() {
    let expired = || refusal(401, "S012", "Refresh Required");
    let (client, _) = scripted(0, vec![smart_token(), expired(), smart_token(), values(&["XY1006a"])]).await;
    assert!(client.translate(&some(1)).await.is_ok());

    let (client, requests) = scripted(0, vec![smart_token(), expired(), smart_token(), expired()]).await;
    assert!(matches!(client.translate(&some(1)).await, Err(Error::Refused { .. })));
    assert_eq!(requests.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn a_request_to_a_busy_server_is_retried() {
    let busy = [429, 502, 503].map(|status| refusal(status, "E000", "busy"));
    let responses = [smart_token()].into_iter().chain(busy).chain([values(&["XY1006a"])]).collect();
    let (client, _) = scripted(0, responses).await;
    assert!(client.translate(&some(1)).await.is_ok());
}

#[tokio::test]
async fn retries_end_if_the_server_stays_busy() {
    let responses = (0..9).map(|_| refusal(504, "E000", "too slow")).collect();
    let (client, requests) = scripted(0, responses).await;
    let error = client.token().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the server is still busy after 4 attempts (504, E000: too slow); try again later, or with fewer concurrent requests"
    );
    assert_eq!(requests.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn retry_after_is_honoured() {
    let mut wait = ([("retry-after", "1")], refusal(429, "E000", "quota")).into_response();
    *wait.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    let (client, _) = scripted(0, vec![wait, smart_token()]).await;
    let start = Instant::now();
    client.token().await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_request_on_a_dropped_connection_is_retried() {
    let (client, _) = scripted(2, vec![smart_token()]).await;
    assert!(client.token().await.is_ok());
}

#[tokio::test]
async fn an_address_that_never_responded_is_tried_three_times() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/Prod", listener.local_addr().unwrap());
    drop(listener);
    let error = client(&url).token().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { attempts: 3, .. }), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn a_response_that_does_not_match_is_an_error() {
    let (client, _) = scripted(0, vec![smart_token(), values(&["XY1006a"])]).await;
    let error = client.translate(&some(2)).await.unwrap_err();
    assert_eq!(error.to_string(), "the server's response is invalid and was not used: expected 2 outcomes, found 1");
    let (client, _) = scripted(0, vec![(OK, "<html>").into_response()]).await;
    assert!(matches!(client.token().await, Err(Error::InvalidResponse(_))));
}

#[tokio::test]
async fn a_request_that_is_too_large_is_split() {
    let too_large = || refusal(413, "E003", "2 ids fit");
    let responses = vec![smart_token(), too_large(), values(&["XY1006a"]), too_large(), values(&["XY1006b"]), values(&["XY1006c"])];
    let (client, _) = scripted(0, responses).await;
    assert_eq!(list(&client.translate(&some(3)).await.unwrap()), [Ok("XY1006a"), Ok("XY1006b"), Ok("XY1006c")]);

    let (client, _) = scripted(0, vec![smart_token(), too_large()]).await;
    assert!(matches!(client.translate(&some(1)).await, Err(Error::TooLarge { .. })));
}

#[tokio::test]
async fn a_direction_without_permission_is_refused_for_each_id() {
    let (client, _) = scripted(0, vec![smart_token(), refusal(403, "S010", "not authorised")]).await;
    let refusal = Refusal { code: "S010", message: "not authorised" };
    assert_eq!(list(&client.translate(&some(2)).await.unwrap()), [Err(refusal); 2]);
}

#[tokio::test]
async fn a_transcoder_without_keys_is_initialised_once() {
    let without_keys = || refusal(503, "S007", "no keys");
    let responses = vec![smart_token(), without_keys(), smart_token(), without_keys(), values(&["XY1006a"])];
    let (client, requests) = scripted(0, responses).await;
    assert!(client.translate(&some(1)).await.is_ok());
    assert_eq!(
        paths(&requests)[1..],
        ["/Prod/auth/request request", "/Prod/auth/init init", "/Prod/auth/request request", "/Prod/auth/request request"]
    );
}

#[tokio::test]
async fn rejected_credentials_are_reported_at_once_and_not_shown() {
    let message = format!("client demo with secret {SECRET} is unknown\u{1b}[2J");
    let (client, requests) = scripted(0, vec![refusal(401, "S001", &message)]).await;
    let error = client.init().await.unwrap_err();
    assert!(matches!(error, Error::Credentials { .. }));
    for text in [error.to_string(), format!("{error:?}"), format!("{client:?}")] {
        assert!(!text.contains(SECRET) && !text.contains('\u{1b}'), "{text}");
    }
    assert_eq!(requests.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn an_address_of_another_server_is_reported() {
    let (client, _) = scripted(0, vec![StatusCode::NOT_FOUND.into_response()]).await;
    let error = client.token().await.unwrap_err().to_string();
    assert!(error.contains("is not a translation API (404 Not Found)"), "{error}");
}

#[test]
fn an_address_that_would_expose_the_secret_is_refused() {
    let client = |url| Client::new(url, Credentials { client_id: "demo".into(), client_secret: SecretText::default() });
    for (url, reason) in [
        ("http://api.example/Prod", "unencrypted"),
        ("http://127.0.0.1.example/Prod", "unencrypted"),
        ("ftp://127.0.0.1/", "not an HTTP address"),
        ("api.example", "is not a URL"),
    ] {
        assert!(client(url).unwrap_err().to_string().contains(reason), "{url}");
    }
    assert!(client("http://localhost:3000/Prod").is_ok() && client("https://api.example/Prod").is_ok());
}
