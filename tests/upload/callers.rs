//! Who may begin an upload, how many, and from which page.

use reqwest::Method;
use serde_json::{Value, json};
use shared::crypto::jws::SigningKey;

use super::{Running, page::Page, start};
use crate::answer::Answer;

const ORIGIN: &str = "https://studio.example";

/// A site that gives its users tokens, and a suite that takes them.
async fn site(parameters: &[(&str, &str)]) -> (Running, SigningKey) {
    let key = SigningKey::generate().expect("a key");
    let keys = json!({"keys": [key.public()]}).to_string();
    let own = [("UploadCallers", "token"), ("UploadCallerKeys", &keys), ("UploadOrigins", "https://a.example,https://studio.example")];
    (start(&[&own, parameters].concat()).await, key)
}

fn claims(name: &str) -> Value {
    json!({"aud": "rampway-upload", "sub": name, "exp": cloud::setting::now() + 600})
}

async fn create(running: &Running, token: &str, name: &str, query: &str) -> Answer {
    running.post(&format!("/upload/{token}{query}"), json!({"name": name})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_shows_a_token_begins_an_upload_and_nobody_else_does() {
    let (running, key) = site(&[]).await;
    let token = key.sign(&claims("alice"));
    let url = format!("{}/upload", running.suite.api());
    let with = |cookie: String| Answer::to(running.client.post(&url).header("cookie", cookie).json(&json!({"name": "a.mp4"})));
    assert_eq!(with(format!("a=b; rampway_upload={token}")).await.status, 200);
    assert_eq!(create(&running, &token, "b.mp4", "").await.status, 200);
    let mut over = claims("alice");
    over["exp"] = (cloud::setting::now() - 60).into();
    let mut elsewhere = claims("alice");
    elsewhere["aud"] = "another".into();
    let stranger = SigningKey::generate().expect("a key").sign(&claims("alice"));
    for (token, expected) in [
        ("hello".to_owned(), "401 unauthenticated"),
        (stranger, "401 unauthenticated"),
        (key.sign(&over), "401 unauthenticated"),
        (key.sign(&elsewhere), "403 forbidden"),
    ] {
        assert_eq!(create(&running, &token, "c.mp4", "").await.refusal(), expected);
    }
    assert_eq!(with("a=b".into()).await.refusal(), "401 unauthenticated");
    assert_eq!(running.brightcove().videos().len(), 2);
    running.suite.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resumed_upload_goes_on_into_the_same_video() {
    let (running, key) = site(&[]).await;
    let (alice, bob) = (key.sign(&claims("alice")), key.sign(&claims("bob")));
    let video = |answer: Answer| answer.body["videoId"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned();
    let first = create(&running, &alice, "a.mp4", "?resume=1-2").await;
    let again = create(&running, &alice, "a.mp4", "?resume=1-2").await;
    assert_eq!((&first.body["objectKey"], &first.body["sessionToken"]), (&again.body["objectKey"], &again.body["sessionToken"]));
    let first = video(first);
    assert_eq!(first, video(again));
    for other in [
        create(&running, &alice, "a.mp4", "?resume=1-3").await,
        create(&running, &alice, "b.mp4", "?resume=1-2").await,
        create(&running, &bob, "a.mp4", "?resume=1-2").await,
    ] {
        assert_ne!(video(other), first);
    }
    let page: Page = running.page_of(create(&running, &alice, "a.mp4", "?resume=1-2").await);
    page.file().await;
    assert_ne!(video(create(&running, &alice, "a.mp4", "?resume=1-2").await), first, "what is complete is not begun again");
    let long = format!("?resume={}", "x".repeat(129));
    assert_eq!(create(&running, &alice, "a.mp4", &long).await.refusal(), "400 bad_resume");
    running.suite.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_principal_has_so_many_uploads_so_large_and_of_such_types() {
    let (running, key) = site(&[("UploadsPerHour", "2")]).await;
    let alice = key.sign(&claims("alice"));
    for name in ["a.mp4", "b.mp4"] {
        assert_eq!(create(&running, &alice, name, "").await.status, 200);
    }
    let third = create(&running, &alice, "c.mp4", "").await;
    assert_eq!(third.refusal(), "429 throttled");
    assert!(third.header("retry-after").is_some_and(|wait| wait.parse::<u64>().is_ok_and(|wait| wait <= 3600)), "{third:?}");
    let mut none = claims("carol");
    none["uploads_per_hour"] = 0.into();
    assert_eq!(create(&running, &key.sign(&none), "a.mp4", "").await.refusal(), "403 forbidden");
    let mut narrow = claims("bob");
    (narrow["types"], narrow["max_bytes"], narrow["uploads_per_hour"]) = (json!(["webm"]), 3.into(), 5.into());
    let bob = key.sign(&narrow);
    assert_eq!(create(&running, &bob, "a.mp4", "").await.refusal(), "422 type_not_allowed");
    let page = running.page_of(create(&running, &bob, "a.webm", "").await);
    page.file().await;
    assert_eq!(page.ingest().await.refusal(), "422 object_too_large");
    assert!(running.brightcove().jobs().is_empty());
    running.suite.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_known_origins_may_read_answers_and_others_may_not() {
    let (running, key) = site(&[]).await;
    let token = key.sign(&claims("alice"));
    let api = running.suite.api();
    let from = |origin: &'static str, method: Method, path: String| {
        let request = running.client.request(method, format!("{api}{path}")).header("origin", origin);
        Answer::to(request.json(&json!({"name": "a.mp4"})))
    };
    let read = |answer: &Answer| answer.header("access-control-allow-origin").map(str::to_owned);
    for path in [format!("/upload/{token}"), "/upload".into(), "/ingest/1".into()] {
        let preflight = from(ORIGIN, Method::OPTIONS, path.clone()).await;
        assert_eq!((preflight.status, read(&preflight).as_deref()), (204, Some(ORIGIN)), "{path}");
        assert_eq!(preflight.header("access-control-allow-headers").map(str::to_ascii_lowercase).as_deref(), Some("content-type"));
        let stranger = from("https://evil.example", Method::OPTIONS, path.clone()).await;
        assert_eq!((stranger.status, read(&stranger)), (204, None), "{path}");
    }
    for (method, path, status) in [
        (Method::POST, format!("/upload/{token}"), 200),
        (Method::POST, "/ingest/1".into(), 400),
        (Method::GET, "/sign/1".into(), 400),
        (Method::GET, "/time".into(), 200),
        (Method::PUT, "/time".into(), 405),
    ] {
        let answer = from(ORIGIN, method.clone(), path.clone()).await;
        assert_eq!((answer.status, read(&answer).as_deref()), (status, Some(ORIGIN)), "{method} {path}");
        assert!(answer.header("vary").is_some_and(|vary| vary.eq_ignore_ascii_case("origin")), "{method} {path}");
        let stranger = from("https://evil.example", method.clone(), path.clone()).await;
        assert_eq!((stranger.status, read(&stranger)), (status, None), "{method} {path}");
    }
    // What the gateway says itself tells nothing secret, and a page must be able to read why it may not.
    let refused = from(ORIGIN, Method::POST, "/upload".into()).await;
    assert_eq!((refused.status, read(&refused).as_deref()), (401, Some(ORIGIN)));
    running.suite.stop().await;
}
