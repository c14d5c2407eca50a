//! What becomes of an upload while Brightcove fails.

use std::time::Duration;

use local::Call;
use serde_json::json;

use super::start;

#[tokio::test(flavor = "multi_thread")]
async fn brightcove_s_failures_have_answers_and_leave_no_video() {
    let running = start(&[]).await;
    let brightcove = running.brightcove();
    let refusals = [
        (Call::Token, 400, r#"{"error":"invalid_client","error_description":"no"}"#, "502 upstream_auth"),
        (Call::Create, 403, r#"[{"error_code":"ACCESS_DENIED","message":"no"}]"#, "502 upstream_forbidden"),
        (Call::Create, 422, r#"[{"error_code":"VALIDATION_ERROR","message":"no"}]"#, "422 upstream_rejected"),
        (Call::Create, 503, "<html>down</html>", "503 upstream_busy"),
        (Call::Create, 200, "hello", "502 upstream_invalid"),
        (Call::Create, 201, r#"{"name":"no id"}"#, "502 upstream_invalid"),
        (Call::UploadUrls, 200, r#"{"bucket":"b"}"#, "502 upstream_invalid"),
        (Call::UploadUrls, 429, "[]", "503 upstream_busy"),
        (Call::UploadUrls, 404, r#"[{"error_code":"RESOURCE_NOT_FOUND","message":"no"}]"#, "422 upstream_rejected"),
    ];
    for (call, status, body, expected) in refusals {
        brightcove.refuse(call, 50, status, body);
        let refused = running.create("a.mp4").await;
        assert_eq!(refused.refusal(), expected, "{call:?} {status}: {}", refused.text);
        assert!(!refused.text.contains("hello") && !refused.text.contains("html"), "{}", refused.text);
        brightcove.relent();
        assert!(brightcove.videos().is_empty(), "{call:?} {status} leaves a video");
    }
    // Tokens that end early cost a repetition.
    running.page("a.mp4").await;
    brightcove.revoke_tokens();
    running.page("b.mp4").await;
    running.suite.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ingest_whose_answer_is_lost_is_made_once() {
    let running = start(&[]).await;
    let page = running.page("a.mp4").await;
    page.file().await;
    running.brightcove().refuse(Call::Ingest, 50, 422, r#"[{"error_code":"ILLEGAL_FIELD","message":"no"}]"#);
    let rejected = page.ingest().await;
    assert_eq!((rejected.refusal().as_str(), &rejected.body["upstream_code"]), ("422 upstream_rejected", &json!("ILLEGAL_FIELD")));
    running.brightcove().relent();
    running.brightcove().lose(Call::Ingest, 1);
    let ingested = page.ingest().await;
    assert_eq!(ingested.status, 200, "{}", ingested.text);
    assert_eq!(running.brightcove().jobs().len(), 1);
    running.suite.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_brightcove_is_waited_for_and_a_silent_one_is_not() {
    let running = start(&[]).await;
    running.brightcove().slow(Call::Create, Duration::from_millis(800));
    assert_eq!(running.create("a.mp4").await.status, 200);
    running.brightcove().slow(Call::UploadUrls, Duration::from_mins(1));
    assert_eq!(running.create("b.mp4").await.refusal(), "503 upstream_busy");
    running.brightcove().relent();
    assert_eq!(running.brightcove().videos().len(), 1, "the second was taken back");
}
