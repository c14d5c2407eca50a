//! `GET /sign/{videoId}` and `GET /time`.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use shared::{secret::SecretText, upload::signature};

use crate::fixture::{DATETIME, DAY, Fixture, NOW, TABLE, canonical, error, request, sign, sign_text};

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_is_64_digits_and_nothing_else() {
    let fixture = Fixture::new().await;
    fixture.use_example_urls();
    let upload = fixture.upload("a b+c.webm").await;
    let response = fixture.signed(&upload, "initiate").await;
    assert_eq!((response.status, &response.headers["Content-Type"]), (200, &json!("text/plain")));
    let secret = SecretText::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into());
    let request = sign(&upload, "initiate");
    let (_, to_sign) = request.query.iter().find(|(name, _)| name == "to_sign").unwrap();
    assert_eq!(response.text, signature::sign(&secret, &DATETIME[..8], "us-east-1", to_sign).to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_bound_to_the_first_multipart_upload_that_it_names() {
    let fixture = Fixture::new().await;
    let upload = fixture.upload("a.webm").await;
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
        // Each by a new signer: the binding is stored.
        let response = fixture.signed(&upload, operation).await;
        assert_eq!(response.status, status, "{operation}: {response:?}");
        if status == 403 {
            assert_eq!(response.error(), error(403, "upload_mismatch"));
        }
    }
    assert_eq!(fixture.state(&upload).await, "completing");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_concurrent_requests_binds() {
    let fixture = Fixture::new().await;
    let upload = fixture.upload("a.webm").await;
    let signer = fixture.signer().await;
    let ask = async |id: usize| {
        let request = sign(&upload, &format!("part upload-{id}"));
        (id, fixture.answer(&request, signer.request_at(&request, NOW).await).status)
    };
    let all = tokio::join!(ask(0), ask(1), ask(2), ask(3));
    let bound: Vec<usize> = [all.0, all.1, all.2, all.3].iter().filter(|(_, status)| *status == 200).map(|(id, _)| *id).collect();
    assert_eq!(bound.len(), 1, "{all:?}");
    let stored = fixture.item(upload["videoId"].as_str().unwrap()).await["upload_id"].as_s().unwrap().clone();
    assert_eq!(stored, format!("upload-{}", bound[0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_what_changes_nothing_writes_nothing() {
    let fixture = Fixture::new().await;
    let upload = fixture.upload("a.webm").await;
    let version = async || fixture.item(upload["videoId"].as_str().unwrap()).await["version"].as_n().unwrap().clone();
    fixture.signed(&upload, "part one").await;
    let before = version().await;
    for _ in 0..3 {
        assert_eq!(fixture.signed(&upload, "part one").await.status, 200);
    }
    assert_eq!(version().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_signed_for_another_upload_or_after_expiry() {
    let fixture = Fixture::new().await;
    let upload = fixture.upload("a.webm").await;
    let other = fixture.upload("b.webm").await;
    let unavailable = error(403, "session_unavailable");
    let mut crossed = other.clone();
    crossed["videoId"] = upload["videoId"].clone();
    assert_eq!(fixture.signed(&crossed, "initiate").await.error(), unavailable, "another upload's token");
    crossed["sessionToken"] = upload["sessionToken"].clone();
    assert_eq!(fixture.signed(&crossed, "initiate").await.error(), error(403, "key_not_allowed"));
    let long = "1".repeat(1 << 20);
    for video in ["__proto__", "../1", "999", "1,2", "", "%31", &long] {
        assert_eq!(fixture.sign(&sign_text(video, &canonical(&upload, "initiate")), NOW).await.error(), unavailable, "{video:.20}");
    }
    // The expiry is compared, although the table still has the item; the request itself is fresh.
    let video = upload["videoId"].as_str().unwrap();
    fixture.patch(video, "expires_at", Some(AttributeValue::N(NOW.to_string()))).await;
    assert_eq!(fixture.signed(&upload, "initiate").await.error(), unavailable);
    fixture.patch(video, "expires_at", Some(AttributeValue::N((NOW + DAY).to_string()))).await;
    assert_eq!(fixture.signed(&upload, "initiate").await.status, 200);
    assert_eq!(fixture.sign(&sign(&upload, "initiate"), NOW + 896).await.error(), error(400, "clock_skew"));
    let huge = json!({"multiValueQueryStringParameters": {"to_sign": [long]}});
    assert_eq!(fixture.sign(&request("GET", "/sign/{videoId}", &[("videoId", video)], &huge), NOW).await.error(), error(400, "bad_query"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ciphertext_copied_to_another_upload_is_not_decrypted() {
    let fixture = Fixture::new().await;
    let upload = fixture.upload("a.webm").await;
    let other = fixture.upload("b.webm").await;
    let sealed = fixture.item(other["videoId"].as_str().unwrap()).await.remove("sealed");
    fixture.patch(upload["videoId"].as_str().unwrap(), "sealed", sealed).await;
    let response = fixture.signed(&upload, "initiate").await;
    assert_eq!(response.error(), error(503, "unavailable"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warm_function_does_not_use_cached_credentials_that_were_removed() {
    let fixture = Fixture::new().await;
    let upload = fixture.upload("a.webm").await;
    let signer = fixture.signer().await;
    let ask = async |now| {
        let request = sign(&upload, "initiate");
        fixture.answer(&request, signer.request_at(&request, now).await).status
    };
    assert_eq!((ask(NOW).await, ask(NOW + 1).await), (200, 200));
    fixture.patch(upload["videoId"].as_str().unwrap(), "sealed", None).await;
    assert_eq!(ask(NOW).await, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_table_is_503_and_not_403() {
    let fixture = Fixture::new().await;
    let upload = fixture.upload("a.webm").await;
    fixture.table.delete_table().table_name(TABLE).send().await.unwrap();
    let response = fixture.signed(&upload, "initiate").await;
    // After 403 the client would abort the file.
    assert_eq!((response.error(), &response.headers["Retry-After"]), (error(503, "unavailable"), &json!("2")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_needs_no_authentication() {
    let fixture = Fixture::new().await;
    let response = fixture.sign(&request("GET", "/time", &[], &json!({"queryStringParameters": {"requestTime": "x"}})), NOW).await;
    assert_eq!((response.status, &response.headers["Content-Type"], response.text.len()), (200, &json!("text/plain"), 24));
    assert!(response.text.ends_with('Z') && &response.text[10..11] == "T", "{}", response.text);
}
