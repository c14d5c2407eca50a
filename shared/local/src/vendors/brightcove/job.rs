//! Jobs: from what lies in the bucket to a video, and word of it to whoever wanted to be called.

use std::{io::Read, time::Duration};

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::encoding::hex;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Brightcove, Bucket, PoisonError, refusal::Api, written};

/// How long a job takes for each of its steps: long enough for two states to be seen.
const STEP: Duration = Duration::from_millis(20);

/// The vendor calls no more addresses.
const CALLED: usize = 10;

/// A job.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Job {
    /// Its id.
    pub id: String,
    /// The video's.
    pub video: String,
    /// How far it is.
    pub state: JobState,
    /// The ingest request.
    pub request: Value,
    /// How many bytes were ingested.
    pub bytes: Option<u64>,
    /// Their SHA-256, in hexadecimal digits.
    pub sha256: Option<String>,
    /// What the callbacks were answered, one after the other; 0 is no answer.
    pub callbacks: Vec<u16>,
    submitted_at: i64,
}

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// It works.
    Processing,
    /// The video can be seen.
    Published,
    /// Everything is done.
    Finished,
    /// There was nothing to do it with.
    Failed,
}

impl Job {
    pub(super) fn new(video: String, request: Value) -> Self {
        Self {
            id: Uuid::new_v4().to_string(),
            video,
            state: JobState::Processing,
            request,
            bytes: None,
            sha256: None,
            callbacks: Vec::new(),
            submitted_at: OffsetDateTime::now_utc().unix_timestamp(),
        }
    }

    pub(super) fn is_running(&self) -> bool {
        !matches!(self.state, JobState::Finished | JobState::Failed)
    }

    fn json(&self, account: &str) -> Value {
        json!({
            "id": self.id,
            "account_id": account,
            "video_id": self.video,
            "state": self.state,
            "priority": self.request["priority"].as_str().unwrap_or("normal"),
            "submitted_at": written(self.submitted_at),
            "error_code": if self.state == JobState::Failed { json!("FAILED_TO_FETCH") } else { Value::Null },
        })
    }
}

pub(super) async fn list(State(brightcove): State<Brightcove>, Path((account, video)): Path<(String, String)>) -> Response {
    let jobs = brightcove.jobs().into_iter().filter(|job| job.video == video);
    Json(jobs.map(|job| job.json(&account)).collect::<Vec<_>>()).into_response()
}

pub(super) async fn read(State(brightcove): State<Brightcove>, Path((account, video, id)): Path<(String, String, String)>) -> Response {
    match brightcove.jobs().into_iter().find(|job| job.video == video && job.id == id) {
        Some(job) => Json(job.json(&account)).into_response(),
        None => Api::Cms.refuse(StatusCode::NOT_FOUND, "RESOURCE_NOT_FOUND", "There is no such job."),
    }
}

impl Brightcove {
    /// Starts a job.
    pub(super) fn begin(&self, job: Job) {
        let brightcove = self.clone();
        let mut running = self.0.running.lock().unwrap_or_else(PoisonError::into_inner);
        while running.try_join_next().is_some() {}
        running.spawn(async move { brightcove.run(job).await });
    }

    async fn run(&self, job: Job) {
        tokio::time::sleep(STEP).await;
        while self.desk().held {
            tokio::time::sleep(STEP).await;
        }
        let said = |entity: &str, action: &str, status: &str| {
            json!({
                "entity": job.video,
                "entityType": entity,
                "version": "1",
                "action": action,
                "status": status,
                "jobId": job.id,
                "videoId": job.video,
                "accountId": self.account(),
            })
        };
        let Some((bytes, sha256)) = self.fetch(job.request["master"]["url"].as_str().unwrap_or_default()).await else {
            self.change(&job.id, |job| job.state = JobState::Failed);
            let mut said = said("TITLE", "CREATE", "FAILED");
            said["errorMessage"] = "The source file cannot be fetched.".into();
            return self.call_back(&job, &said).await;
        };
        self.change(&job.id, |job| {
            job.state = JobState::Published;
            (job.bytes, job.sha256) = (Some(bytes), Some(sha256));
        });
        if let Some(video) = self.desk().videos.get_mut(&job.video) {
            video.complete = true;
        }
        self.call_back(&job, &said("TITLE", "CREATE", "SUCCESS")).await;
        tokio::time::sleep(STEP).await;
        self.change(&job.id, |job| job.state = JobState::Finished);
        self.call_back(&job, &said("TITLE", "PUBLISH", "SUCCESS")).await;
    }

    /// How long the object at an address is, and its hash; `None` when it is not in the bucket.
    async fn fetch(&self, address: &str) -> Option<(u64, String)> {
        let file = self.0.bucket.file(Bucket::key(address)?);
        let read = move || -> std::io::Result<(u64, String)> {
            let (mut file, mut digest, mut length) = (std::fs::File::open(file)?, Sha256::new(), 0);
            let mut buffer = vec![0; 256 * 1024];
            loop {
                match file.read(&mut buffer)? {
                    0 => return Ok((length, hex(&digest.finalize()))),
                    count => {
                        digest.update(&buffer[..count]);
                        length += count as u64;
                    }
                }
            }
        };
        tokio::task::spawn_blocking(read).await.ok()?.ok()
    }

    fn change(&self, id: &str, change: impl FnOnce(&mut Job)) {
        if let Some(job) = self.desk().jobs.iter_mut().find(|job| job.id == id) {
            change(job);
        }
    }

    async fn call_back(&self, job: &Job, said: &Value) {
        let addresses = job.request["callbacks"].as_array().into_iter().flatten().filter_map(Value::as_str).take(CALLED);
        for address in addresses {
            let answer = self.0.http.post(address).json(said).send().await;
            let status = answer.map_or(0, |answer| answer.status().as_u16());
            if !(200..300).contains(&status) {
                // The address is a capability: it is nobody's business here.
                self.0.logs.line("brightcove", &format!("the callback of job {} was answered {status}", job.id));
            }
            self.change(&job.id, |job| job.callbacks.push(status));
        }
    }
}
