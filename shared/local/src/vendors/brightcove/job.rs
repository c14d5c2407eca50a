//! Ingest jobs.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::time::timestamp;

/// An ingest job.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Job {
    /// The id.
    pub id: String,
    /// The id of its video.
    pub video: String,
    /// The state.
    pub state: JobState,
    /// The ingest request.
    pub request: Value,
    /// The number of ingested bytes.
    pub bytes: Option<u64>,
    /// The SHA-256 of the ingested bytes, in hexadecimal.
    pub sha256: Option<String>,
    /// The response statuses of the callbacks, in the order they were made; 0 is no response.
    pub callbacks: Vec<u16>,
    /// Seconds since 1970.
    submitted_at: i64,
}

/// The state of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// The source file is being ingested.
    Processing,
    /// The video can be played.
    Published,
    /// The job is complete.
    Finished,
    /// The source file could not be fetched.
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

    /// The job as the CMS API returns it.
    pub(super) fn json(&self, account: &str) -> Value {
        json!({
            "id": self.id,
            "account_id": account,
            "video_id": self.video,
            "state": self.state,
            "priority": self.request["priority"].as_str().unwrap_or("normal"),
            "submitted_at": timestamp(self.submitted_at),
            "error_code": if self.state == JobState::Failed { json!("FAILED_TO_FETCH") } else { Value::Null },
        })
    }
}
