//! How tests control the stand-in, and inspect it.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use serde_json::Value;
use shared::secret::SecretText;

use super::{
    call::Call,
    fault_injection::InjectedFault,
    job::{Job, JobState},
    stand_in::Brightcove,
    video::Video,
};

/// The temporary credentials of an upload, as the upload URLs return them.
#[derive(Clone, Debug)]
pub struct UploadCredentials {
    /// The bucket.
    pub bucket: String,
    /// The object's key.
    pub key: String,
    /// The object's URL.
    pub url: String,
    /// The access key's id.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: SecretText,
    /// The session token.
    pub session_token: SecretText,
}

impl Brightcove {
    /// Refuses the next calls of an operation with this response. The calls have no effect.
    ///
    /// # Panics
    /// When the status is invalid.
    pub fn refuse(&self, call: Call, times: usize, status: u16, body: &str) {
        let fault = InjectedFault::Refuse { status: status_code(status), body: body.into() };
        self.state().faults.inject(call, times, fault);
    }

    /// Replaces the responses of the next calls of an operation. The calls have their effect.
    ///
    /// # Panics
    /// When the status is invalid.
    pub fn replace_responses(&self, call: Call, times: usize, status: u16, body: &str) {
        let fault = InjectedFault::ReplaceResponse { status: status_code(status), body: body.into() };
        self.state().faults.inject(call, times, fault);
    }

    /// Drops the responses of the next calls of an operation, and returns 504. The calls have their
    /// effect.
    pub fn drop_responses(&self, call: Call, times: usize) {
        self.state().faults.inject(call, times, InjectedFault::DropResponse);
    }

    /// Removes the faults that were injected and have not been applied.
    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    /// Delays every call of an operation. Zero removes the delay.
    pub fn delay(&self, call: Call, delay: Duration) {
        self.state().faults.delay(call, delay);
    }

    /// Removes the rate limits, so that tests may send requests without pauses.
    pub fn remove_rate_limits(&self) {
        self.state().has_no_rate_limits = true;
    }

    /// Expires all access tokens.
    pub fn revoke_tokens(&self) {
        let now = Instant::now();
        self.state().tokens.values_mut().for_each(|expiry| *expiry = now);
    }

    /// Revokes an OAuth scope of the client, such as `video-cloud/video/create`.
    pub fn revoke_scope(&self, scope: &str) {
        self.state().revoked_scopes.insert(scope.into());
    }

    /// Grants an OAuth scope again.
    pub fn grant_scope(&self, scope: &str) {
        self.state().revoked_scopes.remove(scope);
    }

    /// Expires the temporary credentials of a video's uploads.
    pub fn expire_credentials(&self, video: &str) {
        self.bucket().expire(&format!("{}/{video}/", self.account()));
    }

    /// Holds new jobs in the state `processing`, or lets them continue.
    pub fn hold_jobs(&self, held: bool) {
        self.state().jobs_are_held = held;
    }

    /// Sets the id of the next video.
    pub fn set_next_video_id(&self, id: u64) {
        self.state().next_video_id = Some(id.into());
    }

    /// Marks a video as complete, as an ingest outside of this project would.
    pub fn set_complete(&self, video: &str) {
        if let Some(video) = self.state().videos.get_mut(video) {
            video.complete = true;
        }
    }

    /// Adds a job to a video, as an ingest outside of this project would.
    pub fn add_job(&self, video: &str, id: &str, state: JobState) {
        let mut job = Job::new(video.into(), Value::Null);
        (job.id, job.state) = (id.into(), state);
        self.state().jobs.push(job);
    }

    /// Removes a video, as the vendor's studio would.
    pub fn remove(&self, video: &str) {
        self.state().videos.remove(video);
    }

    /// All videos, by id.
    #[must_use]
    pub fn videos(&self) -> Vec<Video> {
        self.state().videos.values().cloned().collect()
    }

    /// A video.
    #[must_use]
    pub fn video(&self, id: &str) -> Option<Video> {
        self.state().videos.get(id).cloned()
    }

    /// All jobs, the oldest first.
    #[must_use]
    pub fn jobs(&self) -> Vec<Job> {
        self.state().jobs.clone()
    }

    /// The number of calls of an operation so far, failed ones included.
    #[must_use]
    pub fn requests(&self, call: Call) -> usize {
        self.state().faults.requests(call)
    }

    /// All access tokens that were issued.
    #[must_use]
    pub fn access_tokens(&self) -> Vec<String> {
        self.state().tokens.keys().cloned().collect()
    }

    /// The temporary credentials that were issued last for a video's upload.
    #[must_use]
    pub fn upload_credentials(&self, video: &str) -> Option<UploadCredentials> {
        let grant = self.state().grants.get(video).cloned()?;
        Some(UploadCredentials {
            url: self.bucket().object_url(&grant.key),
            bucket: grant.bucket,
            key: grant.key,
            access_key_id: grant.access_key_id,
            secret_access_key: grant.secret_access_key,
            session_token: grant.session_token,
        })
    }
}

fn status_code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).expect("a status code has three digits")
}
