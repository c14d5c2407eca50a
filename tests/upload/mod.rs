//! Uploads: from a browser into the bucket of Brightcove, ingested, or reaped.

mod callers;
mod fixture;
mod invalid_requests;
pub mod page;
mod upstream;
mod vectors;

use std::time::Duration;

use local::{Call, JobState};
use serde_json::json;

use crate::response::Response;
use fixture::start;
use page::{Operation, PART, Page, datetime};

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_uploaded_from_a_page_and_ingested() {
    let fixture = start(&[]).await;
    let page = fixture.page("Büro, 50 % + Garten (1).mp4").await;
    assert_eq!(page.text("region"), "us-east-1");
    assert!(page.text("objectKey").ends_with("/source.mp4"), "{}", page.text("objectKey"));
    assert_eq!(fixture.brightcove().videos()[0].name(), "Büro, 50 % + Garten (1).mp4");
    assert_eq!(page.ingest().await.status_and_code(), "409 upload_incomplete");
    page.upload_file().await;
    assert_eq!(fixture.cloud.object(page.text("objectKey")).as_deref(), Some(PART.0.as_bytes()));

    let ingested = page.ingest().await;
    assert_eq!(ingested.status, 200, "{}", ingested.text);
    assert!(ingested.body["result"]["id"].is_string(), "{}", ingested.text);
    // A repeated call gets the same response without a call of Brightcove.
    assert_eq!(page.ingest().await.text, ingested.text);
    assert_eq!(fixture.brightcove().requests(Call::Ingest), 1);
    for _ in 0..100 {
        if page.status().await.body["state"] == "done" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(page.status().await.body["state"], "done");
    let job = &fixture.brightcove().jobs()[0];
    assert_eq!((job.state, job.bytes), (JobState::Finished, Some(4)));
    assert!(job.callbacks.iter().all(|status| *status == 204), "{:?}", job.callbacks);
    // The upload's credentials are deleted.
    assert_eq!(page.sign(&Operation::part(1, "x"), &datetime()).await.status_and_code(), "403 session_unavailable");
    fixture.cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_is_rfc_3339_in_plain_text() {
    let fixture = start(&[]).await;
    let response = Response::to(fixture.client.get(format!("{}/time?requestTime=1", fixture.cloud.api()))).await;
    assert_eq!((response.status, response.header("content-type")), (200, Some("text/plain")));
    let format = time::format_description::well_known::Rfc3339;
    let time = time::OffsetDateTime::parse(&response.text, &format).unwrap();
    assert!((time::OffsetDateTime::now_utc() - time).abs() < time::Duration::minutes(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_secret_is_logged() {
    let fixture = start(&[("LogLevel", "trace")]).await;
    let page = fixture.page("a.mp4").await;
    let credentials = fixture.credentials(&page).await;
    let signature = page.sign(&Operation::initiate(), &datetime()).await.text;
    page.upload_file().await;
    assert_eq!(page.ingest().await.status, 200);
    assert_eq!(page.status().await.status, 200);
    assert_eq!(page.sign(&Operation::part(1, "other"), "yesterday").await.status, 400);
    let other_page = Page { upload: page.upload.clone(), ..fixture.page("b.mp4").await };
    let refused = other_page.sign(&Operation::part(1, "other"), &datetime()).await;
    assert_eq!(refused.status_and_code(), "403 session_unavailable");
    let log = fixture.cloud.log();
    assert!(log.contains(page.text("videoId")), "the log names the upload: {log}");
    let tag = page.text("statusPath").rsplit('/').next().unwrap();
    let [secret_key, address] = ["secret_access_key", "api_request_url"].map(|name| credentials[name].as_str().unwrap());
    let client_secret = fixture.brightcove().client_secret().expose();
    for secret in [
        page.text("sessionToken"),
        secret_key,
        address,
        &signature,
        tag,
        client_secret,
        "AWS4-HMAC",
        "x-amz-",
        "to_sign=",
        "Bearer ",
        "Basic ",
    ] {
        assert!(!log.contains(secret), "the log holds {secret:?}");
    }
    fixture.cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_that_are_never_completed_are_reaped() {
    let fixture = start(&[]).await;
    let (kept, lost) = (fixture.page("kept.mp4").await, fixture.page("lost.mp4").await);
    fixture.expire(&lost).await;
    let report = fixture.cloud.invoke("UploadReaperFunction", &json!({"dry_run": true})).await.unwrap();
    assert_eq!(fixture.brightcove().videos().len(), 2, "a dry run deletes nothing: {report}");
    assert!(report.to_string().contains(lost.text("videoId")), "{report}");
    let report = fixture.cloud.trigger_schedule("UploadReaperFunction").await.unwrap();
    let left: Vec<String> = fixture.brightcove().videos().into_iter().map(|video| video.id).collect();
    assert_eq!(left, [kept.text("videoId")], "{report}");
    assert_eq!(lost.status().await.body["state"], "reaped");
    assert_eq!(lost.sign(&Operation::initiate(), &datetime()).await.status_and_code(), "403 session_unavailable");
    assert_eq!(kept.sign(&Operation::initiate(), &datetime()).await.status, 200);
    fixture.cloud.stop().await;
}
