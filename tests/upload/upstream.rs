//! Uploads while Brightcove fails or is slow.

use std::time::Duration;

use local::Call;
use serde_json::json;

use super::fixture::start;

#[tokio::test(flavor = "multi_thread")]
async fn brightcove_errors_have_documented_codes_and_leave_no_video() {
    let fixture = start(&[]).await;
    let brightcove = fixture.brightcove();
    let errors = [
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
    for (call, status, body, expected) in errors {
        brightcove.refuse(call, 50, status, body);
        let response = fixture.create("a.mp4").await;
        assert_eq!(response.status_and_code(), expected, "{call:?} {status}: {}", response.text);
        assert!(!response.text.contains("hello") && !response.text.contains("html"), "{}", response.text);
        brightcove.clear_faults();
        assert!(brightcove.videos().is_empty(), "{call:?} {status} leaves a video");
    }
    // A token that is revoked before it expires costs a retry.
    fixture.page("a.mp4").await;
    brightcove.revoke_tokens();
    fixture.page("b.mp4").await;
    fixture.cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ingest_whose_response_is_lost_is_requested_once() {
    let fixture = start(&[]).await;
    let page = fixture.page("a.mp4").await;
    page.upload_file().await;
    fixture.brightcove().refuse(Call::Ingest, 50, 422, r#"[{"error_code":"ILLEGAL_FIELD","message":"no"}]"#);
    let rejected = page.ingest().await;
    assert_eq!((rejected.status_and_code().as_str(), &rejected.body["upstream_code"]), ("422 upstream_rejected", &json!("ILLEGAL_FIELD")));
    fixture.brightcove().clear_faults();
    fixture.brightcove().drop_responses(Call::Ingest, 1);
    let ingested = page.ingest().await;
    assert_eq!(ingested.status, 200, "{}", ingested.text);
    assert_eq!(fixture.brightcove().jobs().len(), 1);
    fixture.cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_brightcove_is_awaited_and_a_hanging_one_times_out() {
    let fixture = start(&[]).await;
    fixture.brightcove().delay(Call::Create, Duration::from_millis(800));
    assert_eq!(fixture.create("a.mp4").await.status, 200);
    fixture.brightcove().delay(Call::UploadUrls, Duration::from_mins(1));
    assert_eq!(fixture.create("b.mp4").await.status_and_code(), "503 upstream_busy");
    fixture.brightcove().clear_faults();
    assert_eq!(fixture.brightcove().videos().len(), 1, "the second is deleted");
}
