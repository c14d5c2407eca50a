//! `POST /upload`.

use cloud::upload::Uploads;
use local::Call;
use serde_json::{Value, json};

use crate::fixture::{ACCOUNT, BUCKET, DAY, FIRST_VIDEO, Fixture, NOW, ORIGIN, create, error, request, sign};

const SLOW: &str = "slow down";

#[tokio::test(flavor = "multi_thread")]
async fn a_page_gets_the_location_of_its_file_and_no_secret() {
    let fixture = Fixture::with(&[("VIDEO_TEMPLATE", r#"{"tags":["a"],"name":"x"}"#)]).await;
    fixture.use_example_urls();
    let response = fixture.create(&create("Büro Perks+1.WEBM", "alice")).await;
    assert_eq!((response.status, &response.headers["Content-Type"]), (200, &json!("application/json; charset=utf-8")));
    assert_eq!((&response.headers["Access-Control-Allow-Origin"], &response.headers["Vary"]), (&json!(ORIGIN), &json!("Origin")));
    assert_eq!(response.headers["Cache-Control"], "no-store");
    let page = response.json();
    let members = ["accountId", "region", "videoId", "bucket", "awsAccessKeyId", "expiresAt"].map(|name| page[name].as_str().unwrap());
    assert_eq!(members, [ACCOUNT, "us-east-1", FIRST_VIDEO, BUCKET, "ASIAISEXAMPLE", "2026-01-16T09:30:05Z"]);
    assert!(page["statusPath"].as_str().unwrap().starts_with(&format!("/status/{FIRST_VIDEO}/")));
    assert!(!response.text.contains("wJalr") && !response.text.contains("signed.example"));

    let video = fixture.brightcove.video(FIRST_VIDEO).unwrap();
    let reference = video.created["reference_id"].as_str().unwrap();
    assert!(reference.starts_with("rampway-") && reference.len() == 40, "{reference}");
    let expected = json!({"name": "Büro Perks+1.WEBM", "tags": ["a"], "reference_id": reference});
    let key = fixture.brightcove.upload_credentials(FIRST_VIDEO).unwrap().key;
    assert_eq!((&video.created, key.rsplit('/').next()), (&expected, Some("source.webm")));
    let stored = format!("{:?}", fixture.item(FIRST_VIDEO).await);
    for secret in ["wJalr", "a/token", "s3://", "signed.example", "alice"] {
        assert!(!stored.contains(secret), "{secret} is stored as plain text");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_request_is_refused_before_brightcove_is_called() {
    let fixture = Fixture::with(&[("UPLOAD_TYPES", "webm, .MP4")]).await;
    let with_event = |more: Value| request("POST", "/upload", &[], &more);
    let known = json!({"principalId": "alice", "mode": "token"});
    let with = |body: &str| with_event(json!({"body": body, "authorizer": known}));
    let long = json!({"name": "a.webm", "more": "x".repeat(16 << 10)}).to_string();
    for (request, expected) in [
        (with_event(json!({"body": r#"{"name":"a.webm"}"#})), error(401, "unauthenticated")),
        (with_event(json!({"body": "{}", "authorizer": {"principalId": "203.0.113.17", "mode": "open"}})), error(403, "forbidden")),
        (with_event(json!({"body": "{}", "authorizer": known, "headers": {"Content-Type": "text/plain"}})), error(415, "media_type")),
        (with(&long), error(413, "too_large")),
        (with(r#"["a.webm"]"#), error(400, "bad_body")),
        (with("name=a"), error(400, "bad_body")),
        (with("{}"), error(400, "name_invalid")),
        (with(r#"{"name":5}"#), error(400, "name_invalid")),
        (with(r#"{"name":"../a.webm"}"#), error(400, "name_invalid")),
        (with(r#"{"name":"a.exe"}"#), error(422, "type_not_allowed")),
        (with(r#"{"name":"webm"}"#), error(422, "type_not_allowed")),
    ] {
        let response = fixture.create(&request).await;
        assert_eq!(response.error(), expected);
        assert_eq!(response.headers["Access-Control-Allow-Origin"], ORIGIN, "a page reads its errors");
    }
    let resume = |values: Value| {
        let query = json!({"resume": values});
        with_event(json!({"body": r#"{"name":"a.mp4"}"#, "authorizer": known, "multiValueQueryStringParameters": query}))
    };
    assert_eq!(fixture.create(&resume(json!(["x".repeat(129)]))).await.error(), error(400, "bad_resume"));
    assert_eq!(fixture.create(&resume(json!(["1", "2"]))).await.error(), error(400, "bad_resume"));
    assert_eq!((fixture.brightcove.requests(Call::Token), fixture.brightcove.requests(Call::Create)), (0, 0));
    assert_eq!(fixture.create(&resume(json!(["x".repeat(128)]))).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_listed_origin_gets_cors_headers() {
    let fixture = Fixture::new().await;
    let preflight = request("OPTIONS", "/upload/{caller}", &[("caller", "x")], &json!({}));
    let response = fixture.create(&preflight).await;
    assert_eq!((response.status, response.text.as_str()), (204, ""));
    assert_eq!(response.headers["Access-Control-Allow-Methods"], "POST, OPTIONS");
    let unlisted = request("OPTIONS", "/upload", &[], &json!({"headers": {"Origin": "https://evil.example"}}));
    assert_eq!(fixture.create(&unlisted).await.headers, json!({"Cache-Control": "no-store", "Vary": "Origin"}));
    let wrong = fixture.create(&request("GET", "/upload", &[], &json!({}))).await;
    assert_eq!((wrong.error(), &wrong.headers["Allow"]), (error(405, "method_not_allowed"), &json!("POST, OPTIONS")));
    assert_eq!(fixture.create(&request("POST", "/other", &[], &json!({}))).await.error(), error(404, "not_found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_cached_and_renewed_once_per_request() {
    let fixture = Fixture::new().await;
    let creator = fixture.creator().await;
    let ask = async |name: &str| {
        let request = create(name, "alice");
        fixture.answer(&request, creator.request_at(&request, NOW).await)
    };
    let (first, second) = tokio::join!(ask("a"), ask("b"));
    assert_eq!((first.status, second.status, ask("c").await.status), (200, 200, 200));
    assert_eq!(fixture.brightcove.requests(Call::Token), 1);
    fixture.brightcove.revoke_tokens();
    assert_eq!((ask("d").await.status, fixture.brightcove.requests(Call::Token)), (200, 2));

    fixture.brightcove.refuse(Call::Create, 2, 401, "[]");
    assert_eq!(ask("e").await.error(), error(502, "upstream_auth"));
    assert_eq!(fixture.brightcove.requests(Call::Token), 3);
    fixture.brightcove.revoke_tokens();
    fixture.brightcove.refuse(Call::Token, 1, 400, r#"{"error":"invalid_client"}"#);
    assert_eq!(ask("f").await.error(), error(502, "upstream_auth"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_brightcove_has_a_code_and_leaves_no_video() {
    let fixture = Fixture::new().await;
    let rejected = r#"[{"error_code":"ILLEGAL_FIELD","message":"secret words"}]"#;
    for (call, times, status, body, expected) in [
        (Call::Create, 4, 429, SLOW, error(503, "upstream_busy")),
        (Call::UploadUrls, 4, 429, SLOW, error(503, "upstream_busy")),
        (Call::UploadUrls, 4, 500, SLOW, error(503, "upstream_busy")),
        (Call::Token, 4, 503, SLOW, error(503, "upstream_busy")),
        (Call::UploadUrls, 1, 200, "nonsense", error(502, "upstream_invalid")),
        (Call::UploadUrls, 1, 200, r#"{"bucket":"b"}"#, error(502, "upstream_invalid")),
        (Call::UploadUrls, 1, 302, "", error(502, "upstream_invalid")),
        (Call::UploadUrls, 1, 403, "[]", error(502, "upstream_forbidden")),
        (Call::Create, 1, 422, rejected, error(422, "upstream_rejected")),
        (Call::UploadUrls, 1, 404, "", error(422, "upstream_rejected")),
    ] {
        let before = fixture.brightcove.requests(call);
        fixture.brightcove.refuse(call, times, status, body);
        let response = fixture.create(&create("a.webm", "alice")).await;
        assert_eq!(response.error(), expected, "{call:?} {status}");
        assert!(!response.text.contains("secret words"));
        assert_eq!(response.json().get("upstream_code").is_some(), body == rejected);
        assert_eq!((fixture.brightcove.requests(call) - before, fixture.brightcove.videos().len()), (times, 0), "{call:?} {status}");
    }
    let upload = fixture.upload("a.webm").await;
    assert_eq!(fixture.brightcove.videos().len(), 1, "{upload}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transient_error_is_retried() {
    let fixture = Fixture::new().await;
    fixture.brightcove.refuse(Call::Token, 1, 500, "");
    fixture.brightcove.refuse(Call::Create, 2, 429, "");
    fixture.brightcove.refuse(Call::UploadUrls, 3, 503, "");
    fixture.upload("a.webm").await;
    // The video may exist: a second one would be an orphan.
    fixture.brightcove.replace_responses(Call::Create, 1, 500, "");
    assert_eq!(fixture.create(&create("b.webm", "alice")).await.error(), error(503, "upstream_busy"));
    assert_eq!((fixture.brightcove.requests(Call::Create), fixture.brightcove.videos().len()), (4, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_video_of_another_upload_is_not_deleted() {
    let fixture = Fixture::new().await;
    let upload = fixture.upload("a.webm").await;
    fixture.brightcove.set_next_video_id(FIRST_VIDEO.parse().unwrap());
    assert_eq!(fixture.create(&create("a.webm", "bob")).await.error(), error(502, "upstream_invalid"));
    assert_eq!((fixture.brightcove.requests(Call::Delete), fixture.state(&upload).await.as_str()), (0, "open"));
    assert_eq!(fixture.signed(&upload, "part one").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orphan_that_cannot_be_deleted_is_reaped() {
    let fixture = Fixture::new().await;
    fixture.brightcove.refuse(Call::UploadUrls, 1, 200, "nonsense");
    fixture.brightcove.refuse(Call::Delete, 4, 500, "");
    assert_eq!(fixture.create(&create("a.webm", "alice")).await.error(), error(502, "upstream_invalid"));
    assert_eq!(fixture.state(&json!({"videoId": FIRST_VIDEO})).await, "pending");
    let reaper = fixture.reaper().await;
    assert_eq!(reaper.run_at(false, NOW + 15 * 60).await.unwrap().reaped, [""; 0]);
    assert_eq!(reaper.run_at(false, NOW + 15 * 60 + 1).await.unwrap().reaped, [FIRST_VIDEO]);
    assert_eq!(fixture.brightcove.videos().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_same_caller_resumes_the_same_file() {
    let fixture = Fixture::new().await;
    let first = fixture.upload("a.webm").await;
    assert_eq!(fixture.upload("a.webm").await, first);
    let other = async |request| fixture.create(&request).await.json()["videoId"] != first["videoId"];
    assert!(other(create("b.webm", "alice")).await);
    assert!(other(create("a.webm", "bob")).await);
    let body = json!({"name": "a.webm"}).to_string();
    let resume = json!({"body": body, "authorizer": {"principalId": "alice", "mode": "token"}, "queryStringParameters": {"resume": "1"}});
    assert!(other(request("POST", "/upload", &[], &resume)).await);
    assert_eq!(fixture.upload("a.webm").await, first);

    // Its parts were listed and it is resumed: another multipart upload would be another file.
    assert_eq!(fixture.signed(&first, "list one").await.status, 200);
    assert_eq!(fixture.upload("a.webm").await, first);
    assert_eq!(fixture.signed(&first, "initiate").await.error(), error(403, "upload_mismatch"));
    assert_eq!(fixture.signed(&first, "abort one").await.status, 200);
    assert!(other(create("a.webm", "alice")).await, "it was aborted");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_expires_soon_or_is_completed_is_not_resumed() {
    let fixture = Fixture::new().await;
    let creator = fixture.creator().await;
    let first = fixture.upload("a.webm").await;
    let at = async |now| {
        let request = create("a.webm", "alice");
        fixture.answer(&request, creator.request_at(&request, now).await).json()["videoId"].clone()
    };
    assert_eq!(at(NOW + DAY - 3600).await, first["videoId"]);
    let second = at(NOW + DAY - 3599).await;
    assert_ne!(second, first["videoId"]);
    let upload = fixture.upload("c.webm").await;
    assert_eq!(fixture.sign(&sign(&upload, "complete one"), NOW).await.status, 200);
    assert_ne!(fixture.upload("c.webm").await["videoId"], upload["videoId"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_creates_leave_one_upload_to_resume() {
    let fixture = Fixture::new().await;
    let (first, second) = tokio::join!(fixture.upload("a.webm"), fixture.upload("a.webm"));
    let again = fixture.upload("a.webm").await;
    assert!(again == first || again == second);
    // If there are two, the reaper deletes the other.
    let known = Uploads::from_env(&fixture.environment).await.unwrap().list().await.unwrap();
    assert_eq!(known.len(), fixture.brightcove.requests(Call::Create));
    let report = fixture.reaper().await.run_at(false, NOW + DAY + 1).await.unwrap();
    assert_eq!((report.reaped.len(), fixture.brightcove.videos().len()), (fixture.brightcove.requests(Call::Create), 0));
}
