//! The state that events of uploads need: callers' tokens, and uploads in different states.

use std::{collections::BTreeMap, time::Duration};

use cloud::clock::now;
use serde_json::{Value, json};
use shared::crypto::jws::SigningKey;

use crate::{
    identity::fixture::Fixture,
    upload::page::{self, Operation, Page},
};

const HOUR: u64 = 60 * 60;
/// The audience of callers' tokens.
const AUDIENCE: &str = "rampway-upload";
/// The id of the multipart upload, in S3's form.
const UPLOAD_ID: &str = "VXBsb2FkIElEIGZvciBPZmZpY2VfUGVya3Mud2VibQ";

/// The uploads, by the prefix of their placeholders: one just created, one whose parts are being
/// sent, one that is resumed, one that is complete in the bucket, and one that is ingested.
const FRESH: &str = "";
const IN_PROGRESS: &str = "IN_PROGRESS_";
const RESUMED: &str = "RESUMED_";
const COMPLETED: &str = "COMPLETED_";
const INGESTED: &str = "INGESTED_";

/// The callers of create, and the key that signs their tokens.
pub struct Callers {
    key: SigningKey,
}

impl Callers {
    pub fn new() -> Self {
        Self { key: SigningKey::generate().unwrap() }
    }

    /// The template's parameters that accept their tokens.
    pub fn parameters(&self) -> BTreeMap<String, String> {
        let keys = json!({"keys": [self.key.public()]}).to_string();
        [("UploadCallers", "token".to_owned()), ("UploadCallerKeys", keys)].map(|(name, value)| (name.to_owned(), value)).into()
    }

    /// Placeholders for their tokens, valid and invalid ones.
    pub fn placeholders(&self) -> Vec<(String, String)> {
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

/// Creates the uploads, and returns placeholders for them and for the time.
pub async fn placeholders(fixture: &Fixture, callers: &Callers) -> Vec<(String, String)> {
    let brightcove = fixture.cloud.brightcove().unwrap();
    // The callback URLs of the events are not reachable.
    brightcove.hold_jobs(true);
    let datetime = page::datetime();
    let mut placeholders = vec![
        ("ACCOUNT".to_owned(), brightcove.account().to_owned()),
        ("UPLOAD_ID".to_owned(), UPLOAD_ID.to_owned()),
        // More than the body limit of any of the uploads' routes.
        ("LONG".to_owned(), "a".repeat(64 << 10)),
        ("DATE".to_owned(), datetime[..8].to_owned()),
        ("DATETIME".to_owned(), datetime.clone()),
    ];
    let token = callers.token("visitor-17", AUDIENCE, now() + HOUR, json!({}));
    for name in [FRESH, IN_PROGRESS, RESUMED, COMPLETED, INGESTED] {
        let page = create(fixture, &token, &format!("{name}.webm")).await;
        if name == IN_PROGRESS {
            sign(&page, &Operation::part(1, UPLOAD_ID), &datetime).await;
        }
        if [COMPLETED, INGESTED].contains(&name) {
            sign(&page, &Operation::complete(UPLOAD_ID, String::new()), &datetime).await;
        }
        if name == INGESTED {
            let job = ingest(&page).await;
            let job_of = brightcove.jobs().into_iter().find(|known| known.id == job).unwrap();
            let tag = job_of.request["callbacks"][0].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
            placeholders.extend([("JOB_ID".to_owned(), job), ("CALLBACK_TAG".to_owned(), tag)]);
        }
        let member = |member: &str| page.text(member).to_owned();
        let of = |placeholder: &str| format!("{name}{placeholder}");
        placeholders.extend([
            (of("BUCKET"), member("bucket")),
            (of("VIDEO_ID"), member("videoId")),
            (of("OBJECT_KEY"), member("objectKey")),
            (of("SESSION_TOKEN"), member("sessionToken")),
            (of("STATUS_TAG"), member("statusPath").rsplit('/').next().unwrap().to_owned()),
        ]);
    }
    // A caller with a limit of one upload per hour creates one. The hour must not end before the
    // event is sent.
    let left = HOUR - now() % HOUR;
    if left < 30 {
        tokio::time::sleep(Duration::from_secs(left)).await;
    }
    let once = callers.token("visitor-once", AUDIENCE, now() + HOUR, json!({"uploads_per_hour": 1}));
    create(fixture, &once, "once.webm").await;
    placeholders
}

/// Creates an upload with a caller's token.
async fn create(fixture: &Fixture, token: &str, name: &str) -> Page {
    let created = fixture.post(&format!("/upload/{token}"), &json!({"name": name})).await;
    assert_eq!(created.status, 200, "{}", created.text);
    Page::new(&fixture.cloud, &fixture.client, created.body)
}

/// Has an operation signed, without sending it to the bucket.
async fn sign(page: &Page, operation: &Operation, datetime: &str) {
    let response = page.sign(operation, datetime).await;
    assert_eq!(response.status, 200, "{}", response.text);
}

/// Ingests an upload and returns the id of the job.
async fn ingest(page: &Page) -> String {
    let response = page.ingest().await;
    assert_eq!(response.status, 200, "{}", response.text);
    response.body["result"]["id"].as_str().unwrap().to_owned()
}
