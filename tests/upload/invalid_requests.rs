//! The errors for hostile and malformed requests.

use reqwest::Method;
use serde_json::json;

use super::{
    fixture::start,
    page::{Operation, amz_date, datetime},
};
use crate::response::Response;

#[tokio::test(flavor = "multi_thread")]
async fn each_invalid_create_has_its_documented_error() {
    let fixture = start(&[("UploadTypes", "mp4,webm")]).await;
    let url = format!("{}/upload", fixture.cloud.api());
    let post = |media: &'static str, body: String| Response::to(fixture.client.post(&url).header("content-type", media).body(body));
    for (media, body, expected) in [
        ("text/plain", r#"{"name":"a.mp4"}"#.to_owned(), "415 media_type"),
        ("application/json", "hello".into(), "400 bad_body"),
        ("application/json", "[1]".into(), "400 bad_body"),
        ("application/json", format!(r#"{{"name":"a.mp4","x":"{}"}}"#, "x".repeat(16 << 10)), "413 too_large"),
        ("application/json", r#"{"title":"a.mp4"}"#.into(), "400 name_invalid"),
        ("application/json", json!({"name": 7}).to_string(), "400 name_invalid"),
        ("application/json", json!({"name": "  "}).to_string(), "400 name_invalid"),
        ("application/json", json!({"name": "../a.mp4"}).to_string(), "400 name_invalid"),
        ("application/json", json!({"name": "a\\b.mp4"}).to_string(), "400 name_invalid"),
        ("application/json", json!({"name": "a\u{7}.mp4"}).to_string(), "400 name_invalid"),
        ("application/json", json!({"name": "ä".repeat(256)}).to_string(), "400 name_invalid"),
        ("application/json", json!({"name": "a.exe"}).to_string(), "422 type_not_allowed"),
        ("application/json", json!({"name": "mp4"}).to_string(), "422 type_not_allowed"),
    ] {
        let response = post(media, body).await;
        assert_eq!(response.status_and_code(), expected, "{}", response.text);
        assert_eq!(response.header("cache-control"), Some("no-store"));
    }
    assert!(fixture.brightcove().videos().is_empty());
    assert_eq!(post("application/json; charset=utf-8", json!({"name": "a.MP4", "size": 1}).to_string()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_ids_and_queries_are_not_signed() {
    let fixture = start(&[]).await;
    let page = fixture.page("a.mp4").await;
    let (canonical, to_sign) = page.canonical(&Operation::initiate(), &datetime());
    let query = [("to_sign", to_sign.as_str()), ("datetime", &datetime()), ("canonical_request", &canonical)];
    let escaped = reqwest::Url::parse_with_params("http://x/", &query).unwrap().query().unwrap().to_owned();
    let sign = |path: &str, query: &str| Response::to(fixture.client.get(format!("{}{path}?{query}", fixture.cloud.api())));
    for id in ["__proto__", "constructor", "ref:a", "1,2", "%2e%2e%2f1", "1%00", "%F0%9F%8E%AC", "9".repeat(21).as_str(), "404"] {
        assert_eq!(sign(&format!("/sign/{id}"), &escaped).await.status_and_code(), "403 session_unavailable", "{id}");
    }
    let path = format!("/sign/{}", page.text("videoId"));
    for (query, expected) in [
        (String::new(), "400 bad_query"),
        (escaped.split('&').next().unwrap().to_owned(), "400 bad_query"),
        (escaped.rsplit_once('&').unwrap().0.to_owned(), "400 canonical_request_required"),
        (format!("{escaped}&to_sign=again"), "400 bad_query"),
        (format!("{escaped}&x={}", "x".repeat(8 << 10)), "400 bad_query"),
        (escaped.replace('%', "%25"), "400 not_sigv4"),
        (escaped.replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"), "400 not_sigv4"),
        // Signature version 2 has another string to sign.
        ("to_sign=POST%0A%0A%0A%0Ax-amz-date%3ATue&datetime=20260115T093000Z&canonical_request=x".into(), "400 not_sigv4"),
        (escaped.replace("us-east-1", "eu-west-1"), "400 bad_scope"),
        (escaped.replace("uploads", "uploadz"), "400 hash_mismatch"),
    ] {
        assert_eq!(sign(&path, &query).await.status_and_code(), expected, "{}", &query[..query.len().min(300)]);
    }
    let oversized = fixture.client.get(format!("{}{path}?x={}", fixture.cloud.api(), "x".repeat(1 << 20))).send().await;
    assert!(oversized.map_or(true, |response| response.status().is_client_error()), "a query of one megabyte is refused");
    for minutes in [-16, 16] {
        let then = amz_date(time::OffsetDateTime::now_utc() + time::Duration::minutes(minutes));
        assert_eq!(page.sign(&Operation::initiate(), &then).await.status_and_code(), "400 clock_skew");
    }
    assert_eq!(page.sign(&Operation::initiate(), &datetime()).await.status, 200, "a valid request is still signed");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_accepts_a_request_without_its_credentials() {
    let fixture = start(&[]).await;
    let page = fixture.page("a.mp4").await;
    let (video, api) = (page.text("videoId"), fixture.cloud.api());
    let call = |method: Method, path: String| Response::to(fixture.client.request(method, format!("{api}{path}")).json(&json!({})));
    for (method, path, expected) in [
        (Method::GET, "/unknown".to_owned(), "404 not_found"),
        (Method::GET, "/upload".into(), "405 method_not_allowed"),
        (Method::POST, format!("/sign/{video}"), "405 method_not_allowed"),
        (Method::POST, "/time".into(), "405 method_not_allowed"),
        (Method::DELETE, format!("/ingest/{video}"), "405 method_not_allowed"),
        (Method::POST, format!("/ingest/{video}"), "400 bad_body"),
        (Method::POST, format!("/callback/{video}/{}", "0".repeat(64)), "403 forbidden"),
        (Method::GET, format!("/status/{video}/{}", "0".repeat(64)), "403 forbidden"),
        (Method::GET, "/status/404/x".into(), "403 forbidden"),
    ] {
        let response = call(method.clone(), path.clone()).await;
        assert_eq!(response.status_and_code(), expected, "{method} {path}: {}", response.text);
    }
    let other_object = json!({"bucket": page.text("bucket"), "objectKey": "another/source.mp4"});
    assert_eq!(fixture.post(&format!("/ingest/{video}"), other_object).await.status_and_code(), "403 session_unavailable");
    fixture.expire(&page).await;
    assert_eq!(page.sign(&Operation::initiate(), &datetime()).await.status_and_code(), "403 session_unavailable", "the upload has expired");
    assert_eq!(page.ingest().await.status_and_code(), "403 session_unavailable");
}
