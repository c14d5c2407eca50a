//! `GET /sign/{videoId}` and `GET /time`.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use shared::{secret::SecretText, upload::signature};

use crate::desk::{DATETIME, DAY, Desk, NOW, canonical, error, request, sign, sign_text};

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_is_64_digits_and_nothing_else() {
    let desk = Desk::new().await;
    let upload = desk.upload("a b+c.webm").await;
    let got = desk.signed(&upload, "initiate").await;
    assert_eq!((got.status, &got.headers["Content-Type"]), (200, &json!("text/plain")));
    let secret = SecretText::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into());
    let request = sign(&upload, "initiate");
    let (_, to_sign) = request.query.iter().find(|(name, _)| name == "to_sign").unwrap();
    assert_eq!(got.text, signature::sign(&secret, &DATETIME[..8], "us-east-1", to_sign).to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_bound_to_the_first_multipart_upload_that_it_names() {
    let desk = Desk::new().await;
    let upload = desk.upload("a.webm").await;
    for (operation, status) in [
        ("initiate", 200),
        ("initiate", 200),
        ("part one", 200),
        ("part two", 403),
        ("list two", 403),
        ("initiate", 403),
        ("list one", 200),
        ("initiate", 200),
        ("part two", 200),
        ("part one", 403),
        ("complete one", 403),
        ("complete two", 200),
        ("complete two", 200),
        ("part two", 200),
        ("list two", 200),
        ("initiate", 403),
    ] {
        // Each by another process: all that binds is stored.
        let got = desk.signed(&upload, operation).await;
        assert_eq!(got.status, status, "{operation}: {got:?}");
        if status == 403 {
            assert_eq!(got.error(), error(403, "upload_mismatch"));
        }
    }
    assert_eq!(desk.state(&upload).await, "completing");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_one_binds() {
    let desk = Desk::new().await;
    let upload = desk.upload("a.webm").await;
    let signer = desk.signer().await;
    let ask = async |id: usize| {
        let request = sign(&upload, &format!("part upload-{id}"));
        (id, desk.answer(&request, signer.request_at(&request, NOW).await).status)
    };
    let all = tokio::join!(ask(0), ask(1), ask(2), ask(3));
    let bound: Vec<usize> = [all.0, all.1, all.2, all.3].iter().filter(|(_, status)| *status == 200).map(|(id, _)| *id).collect();
    assert_eq!(bound.len(), 1, "{all:?}");
    let stored = desk.item(upload["videoId"].as_str().unwrap()).await["upload_id"].as_s().unwrap().clone();
    assert_eq!(stored, format!("upload-{}", bound[0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_what_changes_nothing_writes_nothing() {
    let desk = Desk::new().await;
    let upload = desk.upload("a.webm").await;
    let version = async || desk.item(upload["videoId"].as_str().unwrap()).await["version"].as_n().unwrap().clone();
    desk.signed(&upload, "part one").await;
    let before = version().await;
    for _ in 0..3 {
        assert_eq!(desk.signed(&upload, "part one").await.status, 200);
    }
    assert_eq!(version().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_signed_for_others_or_after_the_end() {
    let desk = Desk::new().await;
    let upload = desk.upload("a.webm").await;
    let other = desk.upload("b.webm").await;
    let unavailable = error(403, "session_unavailable");
    let mut crossed = other.clone();
    crossed["videoId"] = upload["videoId"].clone();
    assert_eq!(desk.signed(&crossed, "initiate").await.error(), unavailable, "another upload's token");
    crossed["sessionToken"] = upload["sessionToken"].clone();
    assert_eq!(desk.signed(&crossed, "initiate").await.error(), error(403, "key_not_allowed"));
    let long = "1".repeat(1 << 20);
    for video in ["__proto__", "../1", "999", "1,2", "", "%31", &long] {
        assert_eq!(desk.sign(&sign_text(video, &canonical(&upload, "initiate")), NOW).await.error(), unavailable, "{video:.20}");
    }
    // The credentials' end is compared, whatever the table still holds; the request itself is fresh.
    let video = upload["videoId"].as_str().unwrap();
    desk.patch(video, "expires_at", Some(AttributeValue::N(NOW.to_string()))).await;
    assert_eq!(desk.signed(&upload, "initiate").await.error(), unavailable);
    desk.patch(video, "expires_at", Some(AttributeValue::N((NOW + DAY).to_string()))).await;
    assert_eq!(desk.signed(&upload, "initiate").await.status, 200);
    assert_eq!(desk.sign(&sign(&upload, "initiate"), NOW + 896).await.error(), error(400, "clock_skew"));
    let huge = json!({"multiValueQueryStringParameters": {"to_sign": [long]}});
    assert_eq!(desk.sign(&request("GET", "/sign/{videoId}", &[("videoId", video)], &huge), NOW).await.error(), error(400, "bad_query"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sealed_for_one_upload_does_not_open_in_another() {
    let desk = Desk::new().await;
    let upload = desk.upload("a.webm").await;
    let other = desk.upload("b.webm").await;
    let sealed = desk.item(other["videoId"].as_str().unwrap()).await.remove("sealed");
    desk.patch(upload["videoId"].as_str().unwrap(), "sealed", sealed).await;
    let got = desk.signed(&upload, "initiate").await;
    assert_eq!(got.error(), error(503, "unavailable"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warm_function_forgets_credentials_that_were_replaced_or_are_over() {
    let desk = Desk::new().await;
    let upload = desk.upload("a.webm").await;
    let signer = desk.signer().await;
    let ask = async |now| {
        let request = sign(&upload, "initiate");
        desk.answer(&request, signer.request_at(&request, now).await).status
    };
    assert_eq!((ask(NOW).await, ask(NOW + 1).await), (200, 200));
    desk.patch(upload["videoId"].as_str().unwrap(), "sealed", None).await;
    assert_eq!(ask(NOW).await, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_fails_is_nobodys_session_lost() {
    let desk = Desk::new().await;
    let upload = desk.upload("a.webm").await;
    desk.table.delete_table().table_name("uploads").send().await.unwrap();
    let got = desk.signed(&upload, "initiate").await;
    // Not 403, at which the client would give the file up.
    assert_eq!((got.error(), &got.headers["Retry-After"]), (error(503, "unavailable"), &json!("2")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_is_told_to_whoever_asks() {
    let desk = Desk::new().await;
    let got = desk.sign(&request("GET", "/time", &[], &json!({"queryStringParameters": {"requestTime": "x"}})), NOW).await;
    assert_eq!((got.status, &got.headers["Content-Type"], got.text.len()), (200, &json!("text/plain"), 24));
    assert!(got.text.ends_with('Z') && &got.text[10..11] == "T", "{}", got.text);
}
