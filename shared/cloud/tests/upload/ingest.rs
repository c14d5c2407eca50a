//! `POST /ingest/{videoId}`, `POST /callback/{videoId}/{tag}`, `GET /status/{videoId}/{tag}`.

use aws_sdk_dynamodb::types::AttributeValue;
use cloud::gateway::Request;
use local::{Call, JobState, S3Fault};
use serde_json::{Value, json};

use crate::fixture::{ACCOUNT, DAY, FIRST_VIDEO, Fixture, NOW, error, ingest, request};

/// Brightcove's request to the callback URL.
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

impl Fixture {
    /// The callback URL in the ingest request.
    fn address(&self) -> String {
        self.brightcove.jobs().last().unwrap().request["callbacks"][0].as_str().unwrap().to_owned()
    }

    /// The id of the first job.
    fn job(&self) -> String {
        self.brightcove.jobs()[0].id.clone()
    }

    async fn status(&self, upload: &Value) -> Value {
        let tag = upload["statusPath"].as_str().unwrap().rsplit('/').next().unwrap();
        let request = request("GET", "/status/{videoId}/{tag}", &[("videoId", FIRST_VIDEO), ("tag", tag)], &json!({}));
        self.ingester_response(&request, NOW).await.json()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_not_completed_is_not_ingested() {
    let fixture = Fixture::new().await;
    let upload = fixture.upload("a.webm").await;
    assert_eq!(fixture.ingester_response(&ingest(&upload), NOW).await.error(), error(409, "upload_incomplete"));
    assert_eq!(fixture.brightcove.requests(Call::Ingest), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_ingested_once_and_brightcove_s_response_returned() {
    let fixture = Fixture::with(&[("INGEST_TEMPLATE", r#"{"profile":"p","capture-images":true}"#)]).await;
    fixture.use_example_urls();
    let upload = fixture.completed().await;
    fixture.brightcove.replace_responses(Call::Ingest, 1, 200, r#"{"id":"job-1","more":true}"#);
    let first = fixture.ingester_response(&ingest(&upload), NOW).await;
    assert_eq!((first.status, first.json()), (200, json!({"result": {"id": "job-1", "more": true}})));
    let second = fixture.ingester_response(&ingest(&upload), NOW + 100).await;
    assert_eq!((second.text, fixture.brightcove.requests(Call::Ingest)), (first.text, 1));

    let sent = fixture.brightcove.jobs().remove(0).request;
    assert_eq!((&sent["profile"], &sent["capture-images"]), (&json!("p"), &json!(true)));
    let url = sent["master"]["url"].as_str().unwrap();
    assert!(url.starts_with("s3://") && url.ends_with("/source.webm"), "{url}");
    assert!(fixture.address().starts_with(&format!("https://api.example/Prod/callback/{FIRST_VIDEO}/")), "{}", fixture.address());
    let item = fixture.item(FIRST_VIDEO).await;
    assert!(!item.contains_key("sealed") && !item.contains_key("unfinished"));
    assert_eq!(fixture.signed(&upload, "part one").await.error(), error(403, "session_unavailable"));
    assert_eq!(fixture.ingester_response(&ingest(&upload), NOW + DAY).await.error(), error(403, "session_unavailable"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_upload_s_own_object_is_ingested() {
    let fixture = Fixture::new().await;
    let upload = fixture.completed().await;
    for (member, value) in [("bucket", "other"), ("objectKey", "1/2/3/source.webm"), ("videoId", "999"), ("videoId", "1,2")] {
        let mut other = upload.clone();
        other[member] = value.into();
        assert_eq!(fixture.ingester_response(&ingest(&other), NOW).await.error(), error(403, "session_unavailable"), "{member}");
    }
    for body in [r#"{"bucket":"b"}"#, r#"{"bucket":1,"objectKey":"k"}"#, r#"["b","k"]"#, "", "bucket=b"] {
        let request = request("POST", "/ingest/{videoId}", &[("videoId", FIRST_VIDEO)], &json!({"body": body}));
        assert_eq!(fixture.ingester_response(&request, NOW).await.error(), error(400, "bad_body"), "{body}");
    }
    let text = json!({"body": "{}", "headers": {"Content-Type": "text/plain"}});
    let request = request("POST", "/ingest/{videoId}", &[("videoId", FIRST_VIDEO)], &text);
    assert_eq!(fixture.ingester_response(&request, NOW).await.error(), error(415, "media_type"));
    assert_eq!(fixture.brightcove.requests(Call::Ingest), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_concurrent_requests_ingests() {
    let fixture = Fixture::new().await;
    let upload = fixture.completed().await;
    let request = ingest(&upload);
    let (first, second) = tokio::join!(fixture.ingester_response(&request, NOW), fixture.ingester_response(&request, NOW));
    for response in [&first, &second] {
        assert!(response.status == 200 || response.error() == error(409, "ingest_in_progress"), "{response:?}");
    }
    assert!(first.status == 200 || second.status == 200);
    assert_eq!(fixture.brightcove.requests(Call::Ingest), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_lease_expires_the_job_is_looked_up() {
    let fixture = Fixture::new().await;
    let upload = fixture.completed().await;
    // A process took the lease, sent the ingest request, and ended.
    for (name, value) in [
        ("state", AttributeValue::S("ingesting".into())),
        ("lease_until", AttributeValue::N((NOW + 60).to_string())),
        ("tried", AttributeValue::Bool(true)),
    ] {
        fixture.patch(FIRST_VIDEO, name, Some(value)).await;
    }
    fixture.brightcove.add_job(FIRST_VIDEO, "theirs", JobState::Processing);
    assert_eq!(fixture.ingester_response(&ingest(&upload), NOW + 59).await.error(), error(409, "ingest_in_progress"));
    assert_eq!(fixture.ingester_response(&ingest(&upload), NOW + 60).await.json(), json!({"result": {"id": "theirs"}}));
    assert_eq!(fixture.brightcove.requests(Call::Ingest), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_lost_response_the_job_is_looked_up_before_a_retry() {
    let fixture = Fixture::new().await;
    let upload = fixture.completed().await;
    fixture.brightcove.refuse(Call::Ingest, 1, 500, "");
    fixture.brightcove.replace_responses(Call::Ingest, 1, 200, "nonsense");
    let response = fixture.ingester_response(&ingest(&upload), NOW).await;
    assert_eq!((response.status, response.json()), (200, json!({"result": {"id": fixture.job()}})));
    assert_eq!((fixture.brightcove.requests(Call::Ingest), fixture.brightcove.requests(Call::Jobs)), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_ingest_can_be_retried() {
    let fixture = Fixture::new().await;
    let upload = fixture.completed().await;
    let rejected = r#"{"error_code":"TOO_MANY_JOBS","message":"m"}"#;
    for (times, status, body, expected) in [
        (1, 422, rejected, error(422, "upstream_rejected")),
        (3, 200, "{}", error(502, "upstream_invalid")),
        (3, 503, "", error(503, "upstream_busy")),
        (1, 403, "", error(502, "upstream_forbidden")),
    ] {
        fixture.brightcove.refuse(Call::Ingest, times, status, body);
        let response = fixture.ingester_response(&ingest(&upload), NOW).await;
        assert_eq!(response.error(), expected);
        assert_eq!(response.json()["upstream_code"] == "TOO_MANY_JOBS", body == rejected);
        assert_eq!(fixture.state(&upload).await, "completing");
    }
    assert_eq!(fixture.ingester_response(&ingest(&upload), NOW).await.status, 200);
    assert_eq!(fixture.brightcove.jobs().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limited_ingest_is_retried_three_times() {
    let fixture = Fixture::new().await;
    let upload = fixture.completed().await;
    fixture.brightcove.refuse(Call::Ingest, 12, 429, "");
    assert_eq!(fixture.ingester_response(&ingest(&upload), NOW).await.error(), error(503, "upstream_busy"));
    assert_eq!((fixture.brightcove.requests(Call::Ingest), fixture.brightcove.requests(Call::Jobs)), (4, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_size_limit_is_checked_on_the_object() {
    let fixture = Fixture::with(&[("UPLOAD_MAX_BYTES", "1000"), ("UPLOAD_BYTES_PER_DAY", "1000")]).await;
    let upload = fixture.completed().await;
    assert_eq!(fixture.ingester_response(&ingest(&upload), NOW).await.error(), error(409, "object_missing"));
    fixture.put_object(&upload, 1001);
    assert_eq!(fixture.ingester_response(&ingest(&upload), NOW).await.error(), error(422, "object_too_large"));
    assert_eq!((fixture.brightcove.requests(Call::Ingest), fixture.s3().head_requests()), (0, 2));
    fixture.put_object(&upload, 1000);
    assert_eq!(fixture.ingester_response(&ingest(&upload), NOW).await.status, 200);
    let more = fixture.create(&crate::fixture::create("b.webm", "alice")).await;
    assert_eq!((more.error(), &more.headers["Retry-After"]), (error(429, "throttled"), &json!("52195")));
    assert_eq!(fixture.create(&crate::fixture::create("b.webm", "bob")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_principal_uploads_a_limited_number_of_bytes_in_a_day() {
    let fixture = Fixture::with(&[("UPLOAD_BYTES_PER_DAY", "1000")]).await;
    let (first, second) = (fixture.completed().await, fixture.upload("b.webm").await);
    assert_eq!(fixture.signed(&second, "complete one").await.status, 200);
    fixture.put_object(&first, 1001);
    assert_eq!(fixture.ingester_response(&ingest(&first), NOW).await.error(), error(429, "throttled"), "more than the quota of a day");
    fixture.put_object(&first, 600);
    fixture.put_object(&second, 600);
    assert_eq!(fixture.ingester_response(&ingest(&first), NOW).await.status, 200);
    let more = fixture.ingester_response(&ingest(&second), NOW).await;
    assert_eq!((more.error(), &more.headers["Retry-After"]), (error(429, "throttled"), &json!("52195")));
    assert_eq!((fixture.brightcove.requests(Call::Ingest), fixture.state(&second).await.as_str()), (1, "completing"));
    fixture.put_object(&second, 400);
    fixture.brightcove.refuse(Call::Ingest, 1, 422, "");
    assert_eq!(fixture.ingester_response(&ingest(&second), NOW).await.error(), error(422, "upstream_rejected"));
    assert_eq!(fixture.ingester_response(&ingest(&second), NOW).await.status, 200, "the bytes are counted once");
    assert_eq!(fixture.create(&crate::fixture::create("c.webm", "alice")).await.error(), error(429, "throttled"));
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_without_head_permission_do_not_prevent_an_ingest() {
    let fixture = Fixture::with(&[("UPLOAD_MAX_BYTES", "1000")]).await;
    let upload = fixture.completed().await;
    fixture.s3().inject(S3Fault::RefuseHead(403), 1);
    assert_eq!(fixture.ingester_response(&ingest(&upload), NOW).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_sets_the_final_state() {
    let fixture = Fixture::with(&[("CALLBACK_URL", "https://calls.example/x/")]).await;
    let upload = fixture.completed().await;
    assert_eq!(fixture.status(&upload).await, json!({"videoId": FIRST_VIDEO, "state": "completing"}));
    fixture.ingester_response(&ingest(&upload), NOW).await;
    let address = fixture.address();
    assert!(address.starts_with("https://calls.example/x/callback/"), "{address}");
    let send = async |notice: &Value| fixture.ingester_response(&callback(&address, notice), NOW).await.status;

    for ignored in [notice("other-job", "FAILED"), json!({"entityType": "ASSET", "accountId": ACCOUNT, "videoId": FIRST_VIDEO})] {
        assert_eq!(send(&ignored).await, 204);
    }
    let mut published = notice(&fixture.job(), "SUCCESS");
    published["action"] = "PUBLISH".into();
    assert_eq!(send(&published).await, 204);
    assert_eq!(fixture.state(&upload).await, "ingested");
    assert_eq!(send(&notice(&fixture.job(), "FAILED")).await, 204);
    let failed = json!({"videoId": FIRST_VIDEO, "state": "failed", "message": "no sound"});
    assert_eq!(fixture.status(&upload).await, failed);
    // A final state stays.
    assert_eq!((send(&notice(&fixture.job(), "SUCCESS")).await, send(&notice(&fixture.job(), "FAILED")).await), (204, 204));
    assert_eq!(fixture.status(&upload).await, failed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_may_arrive_before_the_response() {
    let fixture = Fixture::new().await;
    let upload = fixture.completed().await;
    fixture.brightcove.replace_responses(Call::Ingest, 1, 500, "");
    fixture.brightcove.refuse(Call::Jobs, 4, 500, "");
    assert_eq!(fixture.ingester_response(&ingest(&upload), NOW).await.error(), error(503, "upstream_busy"));
    assert_eq!(fixture.ingester_response(&callback(&fixture.address(), &notice(&fixture.job(), "SUCCESS")), NOW).await.status, 204);
    assert_eq!(fixture.status(&upload).await["state"], "done");
    assert_eq!(fixture.ingester_response(&ingest(&upload), NOW).await.json(), json!({"result": {"id": fixture.job()}}));
    assert_eq!(fixture.brightcove.requests(Call::Ingest), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unauthenticated_callback_changes_nothing() {
    let fixture = Fixture::new().await;
    let upload = fixture.completed().await;
    fixture.ingester_response(&ingest(&upload), NOW).await;
    let address = fixture.address();
    let good = notice(&fixture.job(), "SUCCESS");
    let mut others = good.clone();
    others["accountId"] = "1".into();
    let mut another = good.clone();
    another["videoId"] = "6000000000002".into();
    let status = upload["statusPath"].as_str().unwrap();
    for (address, notice) in [("/x/", &good), ("/x/00", &good), (status, &good), (&address, &others), (&address, &another)] {
        assert_eq!(fixture.ingester_response(&callback(address, notice), NOW).await.error(), error(403, "forbidden"), "{address}");
    }
    let tag = address.rsplit('/').next().unwrap();
    let text = |body: &str| request("POST", "/callback/{videoId}/{tag}", &[("videoId", FIRST_VIDEO), ("tag", tag)], &json!({"body": body}));
    assert_eq!(fixture.ingester_response(&text("nonsense"), NOW).await.error(), error(400, "bad_body"));
    assert_eq!(fixture.ingester_response(&text(&" ".repeat((64 << 10) + 1)), NOW).await.error(), error(413, "too_large"));
    let wrong_tag = request("GET", "/status/{videoId}/{tag}", &[("videoId", FIRST_VIDEO), ("tag", tag)], &json!({}));
    assert_eq!(fixture.ingester_response(&wrong_tag, NOW).await.error(), error(403, "forbidden"));
    assert_eq!(fixture.state(&upload).await, "ingested");
}
