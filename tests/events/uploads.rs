//! What the events of uploads stand on: callers' tokens, and uploads that are at different points of their way.

use std::{collections::BTreeMap, time::Duration};

use cloud::setting::now;
use reqwest::Url;
use serde_json::{Value, json};
use shared::{
    crypto::{jws::SigningKey, sha256},
    encoding::hex,
};

use crate::identity::suite::Running;

const HOUR: u64 = 60 * 60;
/// What tokens of callers are for.
const AUDIENCE: &str = "rampway-upload";
/// The multipart upload, as S3 would name it.
const UPLOAD_ID: &str = "VXBsb2FkIElEIGZvciBPZmZpY2VfUGVya3Mud2VibQ";

/// The uploads that there are, by the prefix of their placeholders: one just begun, one whose parts are being sent, one that is gone on
/// with after a pause, one that is all in the bucket, and one that Brightcove has.
const FRESH: &str = "";
const UNDER_WAY: &str = "UNDER_WAY_";
const RESUMED: &str = "RESUMED_";
const SENT: &str = "SENT_";
const ACCEPTED: &str = "ACCEPTED_";

/// Who begins uploads.
pub struct Callers {
    key: SigningKey,
}

impl Callers {
    pub fn new() -> Self {
        Self { key: SigningKey::generate().unwrap() }
    }

    /// The template's parameters under which they are known.
    pub fn parameters(&self) -> BTreeMap<String, String> {
        let keys = json!({"keys": [self.key.public()]}).to_string();
        [("UploadCallers", "token".to_owned()), ("UploadCallerKeys", keys)].map(|(name, value)| (name.to_owned(), value)).into()
    }

    /// Their tokens: good ones, and those that are refused.
    pub fn given(&self) -> Vec<(String, String)> {
        let (soon, forger) = (now() + HOUR, Self::new());
        let limits = json!({"max_bytes": 1 << 30, "types": ["mp4", "mov"], "uploads_per_hour": 10});
        [
            ("CALLER_TOKEN", self.token("visitor-17", AUDIENCE, soon, json!({}))),
            ("LIMITED_TOKEN", self.token("visitor-17", AUDIENCE, soon, limits)),
            ("EXPIRED_CALLER_TOKEN", self.token("visitor-17", AUDIENCE, now() - 60, json!({}))),
            ("FORGED_CALLER_TOKEN", forger.token("visitor-17", AUDIENCE, soon, json!({}))),
            ("OTHER_AUDIENCE_TOKEN", self.token("visitor-17", "another-service", soon, json!({}))),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    fn token(&self, subject: &str, audience: &str, expires: u64, mut claims: Value) -> String {
        claims["sub"] = subject.into();
        claims["aud"] = audience.into();
        claims["exp"] = expires.into();
        self.key.sign(&claims)
    }
}

/// Uploads at each point of their way, and the time.
pub async fn given(running: &Running, callers: &Callers) -> Vec<(String, String)> {
    let brightcove = running.suite.brightcove().unwrap();
    // Whoever would be called back is at the events' addresses, which are nobody's.
    brightcove.hold_jobs(true);
    let datetime = datetime(running).await;
    let mut given = vec![
        ("ACCOUNT".to_owned(), brightcove.account().to_owned()),
        ("UPLOAD_ID".to_owned(), UPLOAD_ID.to_owned()),
        // More than any body of an upload's routes may have.
        ("LONG".to_owned(), "a".repeat(64 << 10)),
        ("DATE".to_owned(), datetime[..8].to_owned()),
        ("DATETIME".to_owned(), datetime.clone()),
    ];
    let token = callers.token("visitor-17", AUDIENCE, now() + HOUR, json!({}));
    for name in [FRESH, UNDER_WAY, RESUMED, SENT, ACCEPTED] {
        let upload = create(running, &token, &format!("{name}.webm")).await;
        if name == UNDER_WAY {
            sign_part(running, &upload, &datetime).await;
        }
        if [SENT, ACCEPTED].contains(&name) {
            sign_complete(running, &upload, &datetime).await;
        }
        if name == ACCEPTED {
            let job = ingest(running, &upload).await;
            let job_of = brightcove.jobs().into_iter().find(|known| known.id == job).unwrap();
            let tag = job_of.request["callbacks"][0].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
            given.extend([("JOB_ID".to_owned(), job), ("CALLBACK_TAG".to_owned(), tag)]);
        }
        let member = |member: &str| upload[member].as_str().unwrap().to_owned();
        let of = |placeholder: &str| format!("{name}{placeholder}");
        given.extend([
            (of("BUCKET"), member("bucket")),
            (of("VIDEO_ID"), member("videoId")),
            (of("OBJECT_KEY"), member("objectKey")),
            (of("SESSION_TOKEN"), member("sessionToken")),
            (of("STATUS_TAG"), member("statusPath").rsplit('/').next().unwrap().to_owned()),
        ]);
    }
    // Somebody who may begin one upload an hour has begun it, in an hour that does not end before the event comes.
    let left = HOUR - now() % HOUR;
    if left < 30 {
        tokio::time::sleep(Duration::from_secs(left)).await;
    }
    let once = callers.token("visitor-once", AUDIENCE, now() + HOUR, json!({"uploads_per_hour": 1}));
    create(running, &once, "once.webm").await;
    given
}

/// The time as requests to S3 say it.
async fn datetime(running: &Running) -> String {
    let time = running.get("/time", "").await.text;
    format!("{}Z", time[..19].replace(['-', ':'], ""))
}

async fn create(running: &Running, token: &str, name: &str) -> Value {
    let answer = running.post(&format!("/upload/{token}"), &json!({"name": name})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body
}

async fn sign_part(running: &Running, upload: &Value, datetime: &str) {
    let query = format!("partNumber=1&uploadId={UPLOAD_ID}");
    sign(running, upload, datetime, "PUT", &query, ["content-md5", "1B2M2Y8AsgTpgAmY7PhCfg=="], "UNSIGNED-PAYLOAD").await;
}

async fn sign_complete(running: &Running, upload: &Value, datetime: &str) {
    let query = format!("uploadId={UPLOAD_ID}");
    sign(running, upload, datetime, "POST", &query, ["content-type", "application/xml"], &hex(&sha256(b""))).await;
}

async fn sign(running: &Running, upload: &Value, datetime: &str, method: &str, query: &str, header: [&str; 2], payload: &str) {
    let member = |member: &str| upload[member].as_str().unwrap();
    let (path, token) = (format!("/{}/{}", member("bucket"), member("objectKey")), member("sessionToken"));
    let [name, value] = header;
    let headers = format!("{name}:{value}\nhost:s3.amazonaws.com\nx-amz-date:{datetime}\nx-amz-security-token:{token}");
    let request = format!("{method}\n{path}\n{query}\n{headers}\n\n{name};host;x-amz-date;x-amz-security-token\n{payload}");
    let hash = hex(&sha256(request.as_bytes()));
    let to_sign = format!("AWS4-HMAC-SHA256\n{datetime}\n{}/us-east-1/s3/aws4_request\n{hash}", &datetime[..8]);
    let url = format!("{}/sign/{}", running.suite.api(), member("videoId"));
    let query = [("to_sign", to_sign.as_str()), ("datetime", datetime), ("canonical_request", &request)];
    let answer = running.send(running.client.get(Url::parse_with_params(&url, query).unwrap())).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

/// Hands an upload over to Brightcove: the job that makes a video of it.
async fn ingest(running: &Running, upload: &Value) -> String {
    let path = format!("/ingest/{}", upload["videoId"].as_str().unwrap());
    let answer = running.post(&path, &json!({"bucket": upload["bucket"], "objectKey": upload["objectKey"]})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body["result"]["id"].as_str().unwrap().to_owned()
}
