//! Which callers may create uploads, how many, and from which origins.

use reqwest::Method;
use serde_json::{Value, json};
use shared::crypto::jws::SigningKey;

use super::{
    fixture::{Fixture, start},
    page::Page,
};
use crate::response::Response;

const ORIGIN: &str = "https://studio.example";

/// A local cloud that accepts the tokens of a site, and the signing key of that site.
async fn start_with_callers(parameters: &[(&str, &str)]) -> (Fixture, SigningKey) {
    let key = SigningKey::generate().expect("a key");
    let keys = json!({"keys": [key.public()]}).to_string();
    let own = [("UploadCallers", "token"), ("UploadCallerKeys", &keys), ("UploadOrigins", "https://a.example,https://studio.example")];
    (start(&[&own, parameters].concat()).await, key)
}

fn claims(name: &str) -> Value {
    json!({"aud": "rampway-upload", "sub": name, "exp": cloud::clock::now() + 600})
}

async fn create(fixture: &Fixture, token: &str, name: &str, query: &str) -> Response {
    fixture.post(&format!("/upload/{token}{query}"), json!({"name": name})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_caller_with_a_valid_token_creates_an_upload() {
    let (fixture, key) = start_with_callers(&[]).await;
    let token = key.sign(&claims("alice"));
    let url = format!("{}/upload", fixture.cloud.api());
    let with = |cookie: String| Response::to(fixture.client.post(&url).header("cookie", cookie).json(&json!({"name": "a.mp4"})));
    assert_eq!(with(format!("a=b; rampway_upload={token}")).await.status, 200);
    assert_eq!(create(&fixture, &token, "b.mp4", "").await.status, 200);
    let mut expired = claims("alice");
    expired["exp"] = (cloud::clock::now() - 60).into();
    let mut other_audience = claims("alice");
    other_audience["aud"] = "another".into();
    let forged = SigningKey::generate().expect("a key").sign(&claims("alice"));
    for (token, expected) in [
        ("hello".to_owned(), "401 unauthenticated"),
        (forged, "401 unauthenticated"),
        (key.sign(&expired), "401 unauthenticated"),
        (key.sign(&other_audience), "403 forbidden"),
    ] {
        assert_eq!(create(&fixture, &token, "c.mp4", "").await.status_and_code(), expected);
    }
    assert_eq!(with("a=b".into()).await.status_and_code(), "401 unauthenticated");
    assert_eq!(fixture.brightcove().videos().len(), 2);
    fixture.cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resumed_upload_continues_in_the_same_video() {
    let (fixture, key) = start_with_callers(&[]).await;
    let (alice, bob) = (key.sign(&claims("alice")), key.sign(&claims("bob")));
    let video = |response: Response| response.body["videoId"].as_str().unwrap_or_else(|| panic!("{}", response.text)).to_owned();
    let first = create(&fixture, &alice, "a.mp4", "?resume=1-2").await;
    let again = create(&fixture, &alice, "a.mp4", "?resume=1-2").await;
    assert_eq!((&first.body["objectKey"], &first.body["sessionToken"]), (&again.body["objectKey"], &again.body["sessionToken"]));
    let first = video(first);
    assert_eq!(first, video(again));
    for other in [
        create(&fixture, &alice, "a.mp4", "?resume=1-3").await,
        create(&fixture, &alice, "b.mp4", "?resume=1-2").await,
        create(&fixture, &bob, "a.mp4", "?resume=1-2").await,
    ] {
        assert_ne!(video(other), first);
    }
    let page: Page = fixture.page_of(create(&fixture, &alice, "a.mp4", "?resume=1-2").await);
    page.upload_file().await;
    assert_ne!(video(create(&fixture, &alice, "a.mp4", "?resume=1-2").await), first, "a complete upload is not resumed");
    let long = format!("?resume={}", "x".repeat(129));
    assert_eq!(create(&fixture, &alice, "a.mp4", &long).await.status_and_code(), "400 bad_resume");
    fixture.cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_principal_s_uploads_are_limited_in_number_size_and_type() {
    let (fixture, key) = start_with_callers(&[("UploadsPerHour", "2")]).await;
    let alice = key.sign(&claims("alice"));
    for name in ["a.mp4", "b.mp4"] {
        assert_eq!(create(&fixture, &alice, name, "").await.status, 200);
    }
    let third = create(&fixture, &alice, "c.mp4", "").await;
    assert_eq!(third.status_and_code(), "429 throttled");
    assert!(third.header("retry-after").is_some_and(|wait| wait.parse::<u64>().is_ok_and(|wait| wait <= 3600)), "{third:?}");
    let mut none = claims("carol");
    none["uploads_per_hour"] = 0.into();
    assert_eq!(create(&fixture, &key.sign(&none), "a.mp4", "").await.status_and_code(), "403 forbidden");
    let mut narrow = claims("bob");
    (narrow["types"], narrow["max_bytes"], narrow["uploads_per_hour"]) = (json!(["webm"]), 3.into(), 5.into());
    let bob = key.sign(&narrow);
    assert_eq!(create(&fixture, &bob, "a.mp4", "").await.status_and_code(), "422 type_not_allowed");
    let page = fixture.page_of(create(&fixture, &bob, "a.webm", "").await);
    page.upload_file().await;
    assert_eq!(page.ingest().await.status_and_code(), "422 object_too_large");
    assert!(fixture.brightcove().jobs().is_empty());
    fixture.cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_allowed_origins_get_cors_headers() {
    let (fixture, key) = start_with_callers(&[]).await;
    let token = key.sign(&claims("alice"));
    let api = fixture.cloud.api();
    let from = |origin: &'static str, method: Method, path: String| {
        let request = fixture.client.request(method, format!("{api}{path}")).header("origin", origin);
        Response::to(request.json(&json!({"name": "a.mp4"})))
    };
    let read = |response: &Response| response.header("access-control-allow-origin").map(str::to_owned);
    for path in [format!("/upload/{token}"), "/upload".into(), "/ingest/1".into()] {
        let preflight = from(ORIGIN, Method::OPTIONS, path.clone()).await;
        assert_eq!((preflight.status, read(&preflight).as_deref()), (204, Some(ORIGIN)), "{path}");
        assert_eq!(preflight.header("access-control-allow-headers").map(str::to_ascii_lowercase).as_deref(), Some("content-type"));
        let other_origin = from("https://evil.example", Method::OPTIONS, path.clone()).await;
        assert_eq!((other_origin.status, read(&other_origin)), (204, None), "{path}");
    }
    for (method, path, status) in [
        (Method::POST, format!("/upload/{token}"), 200),
        (Method::POST, "/ingest/1".into(), 400),
        (Method::GET, "/sign/1".into(), 400),
        (Method::GET, "/time".into(), 200),
        (Method::PUT, "/time".into(), 405),
    ] {
        let response = from(ORIGIN, method.clone(), path.clone()).await;
        assert_eq!((response.status, read(&response).as_deref()), (status, Some(ORIGIN)), "{method} {path}");
        assert!(response.header("vary").is_some_and(|vary| vary.eq_ignore_ascii_case("origin")), "{method} {path}");
        let other_origin = from("https://evil.example", method.clone(), path.clone()).await;
        assert_eq!((other_origin.status, read(&other_origin)), (status, None), "{method} {path}");
    }
    // Responses of the gateway itself hold nothing secret, and a page must be able to read the
    // error.
    let refused = from(ORIGIN, Method::POST, "/upload".into()).await;
    assert_eq!((refused.status, read(&refused).as_deref()), (401, Some(ORIGIN)));
    fixture.cloud.stop().await;
}
