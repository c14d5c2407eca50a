//! `POST /upload`.

use cloud::upload::Uploads;
use serde_json::{Value, json};

use crate::{
    brightcove::{ACCOUNT, BUCKET, FIRST_VIDEO, Fault},
    desk::{DAY, Desk, NOW, ORIGIN, create, error, request, sign},
};

const SLOW: &str = "slow down";

#[tokio::test(flavor = "multi_thread")]
async fn a_page_gets_the_place_of_its_file_and_no_secret() {
    let desk = Desk::with(&[("VIDEO_TEMPLATE", r#"{"tags":["a"],"name":"x"}"#)]).await;
    let got = desk.create(&create("Büro Perks+1.WEBM", "alice")).await;
    assert_eq!((got.status, &got.headers["Content-Type"]), (200, &json!("application/json; charset=utf-8")));
    assert_eq!((&got.headers["Access-Control-Allow-Origin"], &got.headers["Vary"]), (&json!(ORIGIN), &json!("Origin")));
    assert_eq!(got.headers["Cache-Control"], "no-store");
    let told = got.json();
    let members = ["accountId", "region", "videoId", "bucket", "awsAccessKeyId", "expiresAt"].map(|name| told[name].as_str().unwrap());
    assert_eq!(members, [ACCOUNT, "us-east-1", FIRST_VIDEO, BUCKET, "ASIAISEXAMPLE", "2026-01-16T09:30:05Z"]);
    assert!(told["statusPath"].as_str().unwrap().starts_with(&format!("/status/{FIRST_VIDEO}/")));
    assert!(!got.text.contains("wJalr") && !got.text.contains("signed.example"));

    let video = desk.brightcove.video(FIRST_VIDEO).unwrap();
    let reference = video.body["reference_id"].as_str().unwrap();
    assert!(reference.starts_with("rampway-") && reference.len() == 40, "{reference}");
    let expected = json!({"name": "Büro Perks+1.WEBM", "tags": ["a"], "reference_id": reference});
    assert_eq!((&video.body, video.source.as_str()), (&expected, "source.webm"));
    let stored = format!("{:?}", desk.item(FIRST_VIDEO).await);
    for secret in ["wJalr", "a/token", "s3://", "signed.example", "alice"] {
        assert!(!stored.contains(secret), "{secret} is stored for everybody to read");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_name_is_refused_before_anybody_is_asked() {
    let desk = Desk::with(&[("UPLOAD_TYPES", "webm, .MP4")]).await;
    let asked = |more: Value| request("POST", "/upload", &[], &more);
    let known = json!({"principalId": "alice", "mode": "token"});
    let with = |body: &str| asked(json!({"body": body, "authorizer": known}));
    let long = json!({"name": "a.webm", "more": "x".repeat(16 << 10)}).to_string();
    for (request, expected) in [
        (asked(json!({"body": r#"{"name":"a.webm"}"#})), error(401, "unauthenticated")),
        (asked(json!({"body": "{}", "authorizer": {"principalId": "203.0.113.17", "mode": "open"}})), error(403, "forbidden")),
        (asked(json!({"body": "{}", "authorizer": known, "headers": {"Content-Type": "text/plain"}})), error(415, "media_type")),
        (with(&long), error(413, "too_large")),
        (with(r#"["a.webm"]"#), error(400, "bad_body")),
        (with("name=a"), error(400, "bad_body")),
        (with("{}"), error(400, "name_invalid")),
        (with(r#"{"name":5}"#), error(400, "name_invalid")),
        (with(r#"{"name":"../a.webm"}"#), error(400, "name_invalid")),
        (with(r#"{"name":"a.exe"}"#), error(422, "type_not_allowed")),
        (with(r#"{"name":"webm"}"#), error(422, "type_not_allowed")),
    ] {
        let got = desk.create(&request).await;
        assert_eq!(got.error(), expected);
        assert_eq!(got.headers["Access-Control-Allow-Origin"], ORIGIN, "a page reads its errors");
    }
    let resume = |values: Value| {
        let query = json!({"resume": values});
        asked(json!({"body": r#"{"name":"a.mp4"}"#, "authorizer": known, "multiValueQueryStringParameters": query}))
    };
    assert_eq!(desk.create(&resume(json!(["x".repeat(129)]))).await.error(), error(400, "bad_resume"));
    assert_eq!(desk.create(&resume(json!(["1", "2"]))).await.error(), error(400, "bad_resume"));
    assert_eq!((desk.brightcove.count("token"), desk.brightcove.count("create")), (0, 0));
    assert_eq!(desk.create(&resume(json!(["x".repeat(128)]))).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_asks_first_is_told_and_others_are_not() {
    let desk = Desk::new().await;
    let preflight = request("OPTIONS", "/upload/{caller}", &[("caller", "x")], &json!({}));
    let got = desk.create(&preflight).await;
    assert_eq!((got.status, got.text.as_str()), (204, ""));
    assert_eq!(got.headers["Access-Control-Allow-Methods"], "POST, OPTIONS");
    let stranger = request("OPTIONS", "/upload", &[], &json!({"headers": {"Origin": "https://evil.example"}}));
    assert_eq!(desk.create(&stranger).await.headers, json!({"Cache-Control": "no-store", "Vary": "Origin"}));
    let wrong = desk.create(&request("GET", "/upload", &[], &json!({}))).await;
    assert_eq!((wrong.error(), &wrong.headers["Allow"]), (error(405, "method_not_allowed"), &json!("POST, OPTIONS")));
    assert_eq!(desk.create(&request("POST", "/other", &[], &json!({}))).await.error(), error(404, "not_found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_used_again_and_renewed_once() {
    let desk = Desk::new().await;
    let creator = desk.creator().await;
    let ask = async |name: &str| {
        let request = create(name, "alice");
        desk.answer(&request, creator.request_at(&request, NOW).await)
    };
    let (first, second) = tokio::join!(ask("a"), ask("b"));
    assert_eq!((first.status, second.status, ask("c").await.status), (200, 200, 200));
    assert_eq!(desk.brightcove.count("token"), 1);
    desk.brightcove.expire_tokens();
    assert_eq!((ask("d").await.status, desk.brightcove.count("token")), (200, 2));

    desk.brightcove.fail("create", 2, &Fault::Refused(401, "[]"));
    assert_eq!(ask("e").await.error(), error(502, "upstream_auth"));
    assert_eq!(desk.brightcove.count("token"), 3);
    desk.brightcove.expire_tokens();
    desk.brightcove.fail("token", 1, &Fault::Refused(400, r#"{"error":"invalid_client"}"#));
    assert_eq!(ask("f").await.error(), error(502, "upstream_auth"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_brightcove_does_is_told_and_leaves_no_video() {
    let desk = Desk::new().await;
    let rejected = r#"[{"error_code":"ILLEGAL_FIELD","message":"secret words"}]"#;
    for (call, times, status, body, expected) in [
        ("create", 4, 429, SLOW, error(503, "upstream_busy")),
        ("urls", 4, 429, SLOW, error(503, "upstream_busy")),
        ("urls", 4, 500, SLOW, error(503, "upstream_busy")),
        ("token", 4, 503, SLOW, error(503, "upstream_busy")),
        ("urls", 1, 200, "nonsense", error(502, "upstream_invalid")),
        ("urls", 1, 200, r#"{"bucket":"b"}"#, error(502, "upstream_invalid")),
        ("urls", 1, 302, "", error(502, "upstream_invalid")),
        ("urls", 1, 403, "[]", error(502, "upstream_forbidden")),
        ("create", 1, 422, rejected, error(422, "upstream_rejected")),
        ("urls", 1, 404, "", error(422, "upstream_rejected")),
    ] {
        let before = desk.brightcove.count(call);
        desk.brightcove.fail(call, times, &Fault::Refused(status, body));
        let got = desk.create(&create("a.webm", "alice")).await;
        assert_eq!(got.error(), expected, "{call} {status}");
        assert!(!got.text.contains("secret words"));
        assert_eq!(got.json().get("upstream_code").is_some(), body == rejected);
        assert_eq!((desk.brightcove.count(call) - before, desk.brightcove.videos()), (times, 0), "{call} {status}");
    }
    let upload = desk.upload("a.webm").await;
    assert_eq!(desk.brightcove.videos(), 1, "{upload}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_tried_again() {
    let desk = Desk::new().await;
    desk.brightcove.fail("token", 1, &Fault::Refused(500, ""));
    desk.brightcove.fail("create", 2, &Fault::Refused(429, ""));
    desk.brightcove.fail("urls", 3, &Fault::Refused(503, ""));
    desk.upload("a.webm").await;
    // It may have been created: a second would be an orphan.
    desk.brightcove.fail("create", 1, &Fault::Lost(500, ""));
    assert_eq!(desk.create(&create("b.webm", "alice")).await.error(), error(503, "upstream_busy"));
    assert_eq!((desk.brightcove.count("create"), desk.brightcove.videos()), (4, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_video_that_another_has_is_not_taken_from_him() {
    let desk = Desk::new().await;
    let upload = desk.upload("a.webm").await;
    desk.brightcove.next(FIRST_VIDEO);
    assert_eq!(desk.create(&create("a.webm", "bob")).await.error(), error(502, "upstream_invalid"));
    assert_eq!((desk.brightcove.count("delete"), desk.state(&upload).await.as_str()), (0, "open"));
    assert_eq!(desk.signed(&upload, "part one").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_video_that_cannot_be_taken_back_is_the_reapers() {
    let desk = Desk::new().await;
    desk.brightcove.fail("urls", 1, &Fault::Refused(200, "nonsense"));
    desk.brightcove.fail("delete", 4, &Fault::Refused(500, ""));
    assert_eq!(desk.create(&create("a.webm", "alice")).await.error(), error(502, "upstream_invalid"));
    assert_eq!(desk.state(&json!({"videoId": FIRST_VIDEO})).await, "pending");
    let reaper = desk.reaper().await;
    assert_eq!(reaper.run_at(false, NOW + 15 * 60).await.unwrap().reaped, [""; 0]);
    assert_eq!(reaper.run_at(false, NOW + 15 * 60 + 1).await.unwrap().reaped, [FIRST_VIDEO]);
    assert_eq!(desk.brightcove.videos(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_file_is_gone_on_with_by_the_same_caller_alone() {
    let desk = Desk::new().await;
    let first = desk.upload("a.webm").await;
    assert_eq!(desk.upload("a.webm").await, first);
    let other = async |request| desk.create(&request).await.json()["videoId"] != first["videoId"];
    assert!(other(create("b.webm", "alice")).await);
    assert!(other(create("a.webm", "bob")).await);
    let body = json!({"name": "a.webm"}).to_string();
    let resume = json!({"body": body, "authorizer": {"principalId": "alice", "mode": "token"}, "queryStringParameters": {"resume": "1"}});
    assert!(other(request("POST", "/upload", &[], &resume)).await);
    assert_eq!(desk.upload("a.webm").await, first);

    // Its parts were listed, and it is given out again: now another multipart upload is another file.
    assert_eq!(desk.signed(&first, "list one").await.status, 200);
    assert_eq!(desk.upload("a.webm").await, first);
    assert_eq!(desk.signed(&first, "initiate").await.error(), error(403, "upload_mismatch"));
    assert_eq!(desk.signed(&first, "abort one").await.status, 200);
    assert!(other(create("a.webm", "alice")).await, "it was given up");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_nearly_over_or_completed_is_not_given_out_again() {
    let desk = Desk::new().await;
    let creator = desk.creator().await;
    let first = desk.upload("a.webm").await;
    let at = async |now| {
        let request = create("a.webm", "alice");
        desk.answer(&request, creator.request_at(&request, now).await).json()["videoId"].clone()
    };
    assert_eq!(at(NOW + DAY - 3600).await, first["videoId"]);
    let second = at(NOW + DAY - 3599).await;
    assert_ne!(second, first["videoId"]);
    let upload = desk.upload("c.webm").await;
    assert_eq!(desk.sign(&sign(&upload, "complete one"), NOW).await.status, 200);
    assert_ne!(desk.upload("c.webm").await["videoId"], upload["videoId"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_creates_at_once_leave_one_upload_to_go_on_with() {
    let desk = Desk::new().await;
    let (first, second) = tokio::join!(desk.upload("a.webm"), desk.upload("a.webm"));
    let again = desk.upload("a.webm").await;
    assert!(again == first || again == second);
    // The other is the reaper's, if there are two.
    let known = Uploads::from_env(&desk.environment).await.unwrap().list().await.unwrap();
    assert_eq!(known.len(), desk.brightcove.count("create"));
    let report = desk.reaper().await.run_at(false, NOW + DAY + 1).await.unwrap();
    assert_eq!((report.reaped.len(), desk.brightcove.videos()), (desk.brightcove.count("create"), 0));
}
