//! `POST /ingest/{videoId}`, `POST /callback/{videoId}/{tag}`, `GET /status/{videoId}/{tag}`.

use aws_sdk_dynamodb::types::AttributeValue;
use cloud::gateway::Request;
use serde_json::{Value, json};

use crate::{
    brightcove::{ACCOUNT, FIRST_VIDEO, Fault},
    desk::{DAY, Desk, NOW, error, ingest, request},
};

/// Brightcove calls back, at the address that it was given.
fn callback(address: &str, notice: &Value) -> Request {
    let tag = address.rsplit('/').next().unwrap();
    request("POST", "/callback/{videoId}/{tag}", &[("videoId", FIRST_VIDEO), ("tag", tag)], &json!({"body": notice.to_string()}))
}

fn notice(job: &str, status: &str) -> Value {
    json!({
        "entity": FIRST_VIDEO, "entityType": "TITLE", "action": "CREATE", "status": status, "errorMessage": "no sound",
        "jobId": job, "videoId": FIRST_VIDEO, "accountId": ACCOUNT, "version": "1"
    })
}

impl Desk {
    /// The address that Brightcove was told to call.
    fn address(&self) -> String {
        let ingests = self.brightcove.video(FIRST_VIDEO).unwrap().ingests;
        ingests.last().unwrap()["callbacks"][0].as_str().unwrap().to_owned()
    }

    async fn status(&self, upload: &Value) -> Value {
        let tag = upload["statusPath"].as_str().unwrap().rsplit('/').next().unwrap();
        let request = request("GET", "/status/{videoId}/{tag}", &[("videoId", FIRST_VIDEO), ("tag", tag)], &json!({}));
        self.ask(&request, NOW).await.json()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_completed_is_not_handed_over() {
    let desk = Desk::new().await;
    let upload = desk.upload("a.webm").await;
    assert_eq!(desk.ask(&ingest(&upload), NOW).await.error(), error(409, "upload_incomplete"));
    assert_eq!(desk.brightcove.count("ingest"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_handed_over_once_and_brightcoves_answer_passed_on() {
    let desk = Desk::with(&[("INGEST_TEMPLATE", r#"{"profile":"p","capture-images":true}"#)]).await;
    let upload = desk.completed().await;
    let first = desk.ask(&ingest(&upload), NOW).await;
    assert_eq!((first.status, first.json()), (200, json!({"result": {"id": "job-1", "more": true}})));
    let second = desk.ask(&ingest(&upload), NOW + 100).await;
    assert_eq!((second.text, desk.brightcove.count("ingest")), (first.text, 1));

    let asked = desk.brightcove.video(FIRST_VIDEO).unwrap().ingests.remove(0);
    assert_eq!((&asked["profile"], &asked["capture-images"]), (&json!("p"), &json!(true)));
    let url = asked["master"]["url"].as_str().unwrap();
    assert!(url.starts_with("s3://") && url.ends_with("/source.webm"), "{url}");
    assert!(desk.address().starts_with(&format!("https://api.example/Prod/callback/{FIRST_VIDEO}/")), "{}", desk.address());
    let item = desk.item(FIRST_VIDEO).await;
    assert!(!item.contains_key("sealed") && !item.contains_key("unfinished"));
    assert_eq!(desk.signed(&upload, "part one").await.error(), error(403, "session_unavailable"));
    assert_eq!(desk.ask(&ingest(&upload), NOW + DAY).await.error(), error(403, "session_unavailable"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_its_own_object_is_handed_over() {
    let desk = Desk::new().await;
    let upload = desk.completed().await;
    for (member, value) in [("bucket", "other"), ("objectKey", "1/2/3/source.webm"), ("videoId", "999"), ("videoId", "1,2")] {
        let mut other = upload.clone();
        other[member] = value.into();
        assert_eq!(desk.ask(&ingest(&other), NOW).await.error(), error(403, "session_unavailable"), "{member}");
    }
    for body in [r#"{"bucket":"b"}"#, r#"{"bucket":1,"objectKey":"k"}"#, r#"["b","k"]"#, "", "bucket=b"] {
        let request = request("POST", "/ingest/{videoId}", &[("videoId", FIRST_VIDEO)], &json!({"body": body}));
        assert_eq!(desk.ask(&request, NOW).await.error(), error(400, "bad_body"), "{body}");
    }
    let text = json!({"body": "{}", "headers": {"Content-Type": "text/plain"}});
    let request = request("POST", "/ingest/{videoId}", &[("videoId", FIRST_VIDEO)], &text);
    assert_eq!(desk.ask(&request, NOW).await.error(), error(415, "media_type"));
    assert_eq!(desk.brightcove.count("ingest"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_at_once_one_hands_over() {
    let desk = Desk::new().await;
    let upload = desk.completed().await;
    let request = ingest(&upload);
    let (first, second) = tokio::join!(desk.ask(&request, NOW), desk.ask(&request, NOW));
    for got in [&first, &second] {
        assert!(got.status == 200 || got.error() == error(409, "ingest_in_progress"), "{got:?}");
    }
    assert!(first.status == 200 || second.status == 200);
    assert_eq!(desk.brightcove.count("ingest"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_ends_and_the_next_asks_what_became_of_it() {
    let desk = Desk::new().await;
    let upload = desk.completed().await;
    // Somebody took it, handed it over, and was gone.
    for (name, value) in [
        ("state", AttributeValue::S("ingesting".into())),
        ("lease_until", AttributeValue::N((NOW + 60).to_string())),
        ("tried", AttributeValue::Bool(true)),
    ] {
        desk.patch(FIRST_VIDEO, name, Some(value)).await;
    }
    desk.brightcove.change(FIRST_VIDEO, |video| video.jobs.push(("theirs".into(), "processing".into())));
    assert_eq!(desk.ask(&ingest(&upload), NOW + 59).await.error(), error(409, "ingest_in_progress"));
    assert_eq!(desk.ask(&ingest(&upload), NOW + 60).await.json(), json!({"result": {"id": "theirs"}}));
    assert_eq!(desk.brightcove.count("ingest"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_asked_for_before_it_is_tried_again() {
    let desk = Desk::new().await;
    let upload = desk.completed().await;
    desk.brightcove.fail("ingest", 1, &Fault::Refused(500, ""));
    desk.brightcove.fail("ingest", 1, &Fault::Lost(200, "nonsense"));
    let got = desk.ask(&ingest(&upload), NOW).await;
    assert_eq!((got.status, got.json()), (200, json!({"result": {"id": "job-1"}})));
    assert_eq!((desk.brightcove.count("ingest"), desk.brightcove.count("jobs")), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_can_be_tried_again() {
    let desk = Desk::new().await;
    let upload = desk.completed().await;
    let rejected = r#"{"error_code":"TOO_MANY_JOBS","message":"m"}"#;
    for (times, status, body, expected) in [
        (1, 422, rejected, error(422, "upstream_rejected")),
        (3, 200, "{}", error(502, "upstream_invalid")),
        (3, 503, "", error(503, "upstream_busy")),
        (1, 403, "", error(502, "upstream_forbidden")),
    ] {
        desk.brightcove.fail("ingest", times, &Fault::Refused(status, body));
        let got = desk.ask(&ingest(&upload), NOW).await;
        assert_eq!(got.error(), expected);
        assert_eq!(got.json()["upstream_code"] == "TOO_MANY_JOBS", body == rejected);
        assert_eq!(desk.state(&upload).await, "completing");
    }
    assert_eq!(desk.ask(&ingest(&upload), NOW).await.status, 200);
    assert_eq!(desk.brightcove.video(FIRST_VIDEO).unwrap().jobs.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_much_for_now_is_not_asked_for_on_and_on() {
    let desk = Desk::new().await;
    let upload = desk.completed().await;
    desk.brightcove.fail("ingest", 12, &Fault::Refused(429, ""));
    assert_eq!(desk.ask(&ingest(&upload), NOW).await.error(), error(503, "upstream_busy"));
    assert_eq!((desk.brightcove.count("ingest"), desk.brightcove.count("jobs")), (4, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_looked_at_where_there_is_a_limit() {
    let desk = Desk::with(&[("UPLOAD_MAX_BYTES", "1000"), ("UPLOAD_BYTES_PER_DAY", "1000")]).await;
    let upload = desk.completed().await;
    assert_eq!(desk.ask(&ingest(&upload), NOW).await.error(), error(409, "object_missing"));
    desk.brightcove.object(Some(1001));
    assert_eq!(desk.ask(&ingest(&upload), NOW).await.error(), error(422, "object_too_large"));
    assert_eq!((desk.brightcove.count("ingest"), desk.brightcove.count("head")), (0, 2));
    desk.brightcove.object(Some(1000));
    assert_eq!(desk.ask(&ingest(&upload), NOW).await.status, 200);
    let more = desk.create(&crate::desk::create("b.webm", "alice")).await;
    assert_eq!((more.error(), &more.headers["Retry-After"]), (error(429, "throttled"), &json!("52195")));
    assert_eq!(desk.create(&crate::desk::create("b.webm", "bob")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_takes_so_many_bytes_of_a_principal() {
    let desk = Desk::with(&[("UPLOAD_BYTES_PER_DAY", "1000")]).await;
    let (first, second) = (desk.completed().await, desk.upload("b.webm").await);
    assert_eq!(desk.signed(&second, "complete one").await.status, 200);
    desk.brightcove.object(Some(1001));
    assert_eq!(desk.ask(&ingest(&first), NOW).await.error(), error(429, "throttled"), "more than any day takes");
    desk.brightcove.object(Some(600));
    assert_eq!(desk.ask(&ingest(&first), NOW).await.status, 200);
    let more = desk.ask(&ingest(&second), NOW).await;
    assert_eq!((more.error(), &more.headers["Retry-After"]), (error(429, "throttled"), &json!("52195")));
    assert_eq!((desk.brightcove.count("ingest"), desk.state(&second).await.as_str()), (1, "completing"));
    desk.brightcove.object(Some(400));
    desk.brightcove.fail("ingest", 1, &Fault::Refused(422, ""));
    assert_eq!(desk.ask(&ingest(&second), NOW).await.error(), error(422, "upstream_rejected"));
    assert_eq!(desk.ask(&ingest(&second), NOW).await.status, 200, "it is counted once");
    assert_eq!(desk.create(&crate::desk::create("c.webm", "alice")).await.error(), error(429, "throttled"));
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_may_not_look_do_not_hold_an_upload_up() {
    let desk = Desk::with(&[("UPLOAD_MAX_BYTES", "1000")]).await;
    let upload = desk.completed().await;
    desk.brightcove.fail("head", 1, &Fault::Refused(403, ""));
    assert_eq!(desk.ask(&ingest(&upload), NOW).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn brightcove_tells_what_became_of_a_file() {
    let desk = Desk::with(&[("CALLBACK_URL", "https://calls.example/x/")]).await;
    let upload = desk.completed().await;
    assert_eq!(desk.status(&upload).await, json!({"videoId": FIRST_VIDEO, "state": "completing"}));
    desk.ask(&ingest(&upload), NOW).await;
    let address = desk.address();
    assert!(address.starts_with("https://calls.example/x/callback/"), "{address}");
    let send = async |notice: &Value| desk.ask(&callback(&address, notice), NOW).await.status;

    for ignored in [notice("other-job", "FAILED"), json!({"entityType": "ASSET", "accountId": ACCOUNT, "videoId": FIRST_VIDEO})] {
        assert_eq!(send(&ignored).await, 204);
    }
    let mut published = notice("job-1", "SUCCESS");
    published["action"] = "PUBLISH".into();
    assert_eq!(send(&published).await, 204);
    assert_eq!(desk.state(&upload).await, "ingested");
    assert_eq!(send(&notice("job-1", "FAILED")).await, 204);
    let failed = json!({"videoId": FIRST_VIDEO, "state": "failed", "message": "no sound"});
    assert_eq!(desk.status(&upload).await, failed);
    // What is final stays.
    assert_eq!((send(&notice("job-1", "SUCCESS")).await, send(&notice("job-1", "FAILED")).await), (204, 204));
    assert_eq!(desk.status(&upload).await, failed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_may_come_before_the_answer() {
    let desk = Desk::new().await;
    let upload = desk.completed().await;
    desk.brightcove.fail("ingest", 1, &Fault::Lost(500, ""));
    desk.brightcove.fail("jobs", 4, &Fault::Refused(500, ""));
    assert_eq!(desk.ask(&ingest(&upload), NOW).await.error(), error(503, "upstream_busy"));
    assert_eq!(desk.ask(&callback(&desk.address(), &notice("job-1", "SUCCESS")), NOW).await.status, 204);
    assert_eq!(desk.status(&upload).await["state"], "done");
    assert_eq!(desk.ask(&ingest(&upload), NOW).await.json(), json!({"result": {"id": "job-1"}}));
    assert_eq!(desk.brightcove.count("ingest"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_did_not_come_from_brightcove_changes_nothing() {
    let desk = Desk::new().await;
    let upload = desk.completed().await;
    desk.ask(&ingest(&upload), NOW).await;
    let address = desk.address();
    let good = notice("job-1", "SUCCESS");
    let mut others = good.clone();
    others["accountId"] = "1".into();
    let mut another = good.clone();
    another["videoId"] = "6000000000002".into();
    let status = upload["statusPath"].as_str().unwrap();
    for (address, notice) in [("/x/", &good), ("/x/00", &good), (status, &good), (&address, &others), (&address, &another)] {
        assert_eq!(desk.ask(&callback(address, notice), NOW).await.error(), error(403, "forbidden"), "{address}");
    }
    let tag = address.rsplit('/').next().unwrap();
    let text = |body: &str| request("POST", "/callback/{videoId}/{tag}", &[("videoId", FIRST_VIDEO), ("tag", tag)], &json!({"body": body}));
    assert_eq!(desk.ask(&text("nonsense"), NOW).await.error(), error(400, "bad_body"));
    assert_eq!(desk.ask(&text(&" ".repeat((64 << 10) + 1)), NOW).await.error(), error(413, "too_large"));
    let stranger = request("GET", "/status/{videoId}/{tag}", &[("videoId", FIRST_VIDEO), ("tag", tag)], &json!({}));
    assert_eq!(desk.ask(&stranger, NOW).await.error(), error(403, "forbidden"));
    assert_eq!(desk.state(&upload).await, "ingested");
}
