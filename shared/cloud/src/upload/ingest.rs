//! `POST /ingest/{videoId}`: lets Brightcove ingest an uploaded file, once.

use std::{sync::Arc, time::Instant};

use lambda_http::http::Method;
use serde::Deserialize;
use serde_json::json;
use shared::upload::{Code, Refusal, State, VideoId, tag::Purpose};
use subtle::ConstantTimeEq;

use super::{
    brightcove::{Accepted, Brightcove},
    error::Error,
    object::{Bucket, HeadResult},
    quota,
    record::{self, Credentials, Record},
    route::{REQUEST_TIMEOUT, json_body, not_found, require_method, video_id},
    store::Change,
    template::IngestTemplate,
    uploads::{MAX_CONFLICT_RETRIES, Uploads},
};
use crate::{
    clock::now,
    gateway::{ApiError, Request, Response},
    setting::Environment,
    vault::{flag, n, s},
};

/// How long one request holds the lease of an upload, in seconds.
const LEASE_SECONDS: u64 = 60;

/// The maximum number of ingest requests whose outcome is unknown.
const MAX_INGEST_ATTEMPTS: usize = 3;

/// The ingester of uploads. It also receives Brightcove's callbacks and reports the status.
pub struct Ingester {
    pub(super) uploads: Arc<Uploads>,
    brightcove: Brightcove,
    template: IngestTemplate,
    environment: Environment,
    bytes_per_day: Option<u64>,
}

/// The body of `POST /ingest/{videoId}`.
#[derive(Deserialize)]
struct IngestRequest {
    bucket: String,
    #[serde(rename = "objectKey")]
    object_key: String,
}

impl Ingester {
    /// Connects to the resources that the environment names.
    pub async fn from_env(environment: &Environment) -> Result<Self, Error> {
        let uploads = Arc::new(Uploads::from_env(environment).await?);
        Ok(Self {
            brightcove: Brightcove::new(environment, uploads.clone()),
            uploads,
            template: IngestTemplate::from_env(environment)?,
            environment: environment.clone(),
            bytes_per_day: environment.upload_bytes_per_day()?,
        })
    }

    /// Handles a request to any of its routes.
    pub async fn request(&self, request: Request) -> Result<Response, ApiError> {
        self.request_at(&request, now()).await
    }

    /// Handles a request at `now`, in seconds since 1970.
    pub async fn request_at(&self, request: &Request, now: u64) -> Result<Response, ApiError> {
        match request.route.as_str() {
            "/ingest/{videoId}" => require_method(Method::POST, "ingest", request, Box::pin(self.ingest(request, now))).await,
            "/callback/{videoId}/{tag}" => require_method(Method::POST, "callback", request, self.callback(request)).await,
            "/status/{videoId}/{tag}" => require_method(Method::GET, "status", request, self.status(request)).await,
            _ => Err(not_found()),
        }
    }

    async fn ingest(&self, request: &Request, now: u64) -> Result<Response, Error> {
        let deadline = Instant::now() + REQUEST_TIMEOUT;
        let body: IngestRequest = serde_json::from_value(json_body(request)?.into()).map_err(|_| Error::Code(Code::BadBody))?;
        let video = video_id(request)?;
        for _ in 0..MAX_CONFLICT_RETRIES {
            let mut record = self.uploads.find(&video).await?.ok_or(Refusal::SessionUnavailable)?;
            if now >= record.expires_at || !body.names_object_of(&record) {
                return Err(Refusal::SessionUnavailable.into());
            }
            if let Some(result) = &record.result {
                return Ok(respond(result));
            }
            match record.progress.state {
                State::Open => return Err(Error::Code(Code::UploadIncomplete)),
                State::Ingesting if record.lease_until.is_some_and(|end| now < end) => return Err(Error::Code(Code::IngestInProgress)),
                // There is no lease, or it has expired.
                State::Completing | State::Ingesting => {}
                _ => return Err(Refusal::SessionUnavailable.into()),
            }
            let credentials = self.uploads.open(&record, now).await?.ok_or(Refusal::SessionUnavailable)?;
            let lease_until = now + LEASE_SECONDS;
            let lease =
                Change::default().set("state", s(State::Ingesting.name())).set("lease_until", n(lease_until)).set("tried", flag(true));
            if self.uploads.write(&record, lease).await? {
                record.version += 1;
                return match self.submit(&mut record, &credentials, request, now, deadline).await {
                    Ok(accepted) => self.store_result(&video, accepted).await,
                    Err(error) => {
                        self.release_lease(&video, lease_until).await;
                        Err(error)
                    }
                };
            }
        }
        Err(Error::Conflict)
    }

    /// Sends the ingest request, unless an earlier one was accepted.
    async fn submit(
        &self,
        record: &mut Record,
        credentials: &Credentials,
        request: &Request,
        now: u64,
        deadline: Instant,
    ) -> Result<Accepted, Error> {
        self.check_object(record, credentials, now).await?;
        let video = record.video.clone();
        if record.tried
            && let Some(accepted) = self.find_accepted(&video, deadline).await?
        {
            return Ok(accepted);
        }
        let body = self.template.body(&credentials.api_request_url, self.callback_url(request, &video).await?);
        let mut attempt = 1;
        loop {
            match self.brightcove.ingest(&video, &body, deadline).await {
                // If it was accepted, a second request would ingest the file twice.
                Err(error) if error.may_have_succeeded() => match self.find_accepted(&video, deadline).await {
                    Ok(Some(accepted)) => return Ok(accepted),
                    Ok(None) if attempt < MAX_INGEST_ATTEMPTS && Instant::now() < deadline => attempt += 1,
                    _ => return Err(error),
                },
                outcome => return outcome,
            }
        }
    }

    /// Checks the size of the object, if there is a limit.
    async fn check_object(&self, record: &mut Record, credentials: &Credentials, now: u64) -> Result<(), Error> {
        if record.max_bytes.is_none() && self.bytes_per_day.is_none() {
            return Ok(());
        }
        let bucket = Bucket::new(&self.environment, self.uploads.store().vault().sdk(), record, credentials);
        let bytes = match bucket.head(record).await {
            HeadResult::Missing => return Err(Error::Code(Code::ObjectMissing)),
            HeadResult::Bytes(bytes) if record.max_bytes.is_some_and(|max| bytes > max) => return Err(Error::Code(Code::ObjectTooLarge)),
            HeadResult::Bytes(bytes) => bytes,
            HeadResult::Unknown => return Ok(()),
        };
        // Counted once per upload, however many ingest requests there are.
        if let Some(per_day) = self.bytes_per_day
            && record.bytes.is_none()
        {
            quota::count_bytes(self.uploads.store(), &record.principal, bytes, per_day, now).await?;
            if !self.uploads.write(record, Change::default().set("bytes", n(bytes))).await? {
                return Err(Error::Conflict);
            }
            record.version += 1;
        }
        Ok(())
    }

    /// The ingest job that a video already has.
    async fn find_accepted(&self, video: &VideoId, deadline: Instant) -> Result<Option<Accepted>, Error> {
        let job = self.brightcove.jobs(video, deadline).await?.into_iter().find(|job| job.state != "failed");
        Ok(job.map(|job| Accepted { response: json!({"id": job.id}).to_string(), job: job.id }))
    }

    /// The URL that Brightcove calls back.
    async fn callback_url(&self, request: &Request, video: &VideoId) -> Result<Option<String>, Error> {
        let base_url = self.environment.callback_url().unwrap_or_else(|| request.base_url.clone());
        let tag = self.uploads.known_tag(Purpose::Callback, video).await?;
        Ok(tag.filter(|_| !base_url.ends_with('/')).map(|tag| format!("{base_url}/callback/{video}/{tag}")))
    }

    /// Stores an accepted job. Brightcove may have called back before.
    async fn store_result(&self, video: &VideoId, accepted: Accepted) -> Result<Response, Error> {
        for _ in 0..MAX_CONFLICT_RETRIES {
            let record = self.uploads.find(video).await?.ok_or(Refusal::SessionUnavailable)?;
            let state = match record.progress.state {
                ended @ (State::Done | State::Failed | State::Reaped) => ended,
                _ => State::Ingested,
            };
            let change = record::close(state).set("job", s(&accepted.job)).set("result", s(&accepted.response));
            if self.uploads.write(&record, change).await? {
                return Ok(respond(&accepted.response));
            }
        }
        Err(Error::Conflict)
    }

    /// Releases a lease. If this fails, the lease expires.
    async fn release_lease(&self, video: &VideoId, lease_until: u64) {
        let released = async {
            for _ in 0..MAX_CONFLICT_RETRIES {
                let Some(record) = self.uploads.find(video).await? else { break };
                if record.progress.state != State::Ingesting || record.lease_until != Some(lease_until) {
                    break;
                }
                let change = Change::default().set("state", s(State::Completing.name())).remove("lease_until");
                if self.uploads.write(&record, change).await? {
                    break;
                }
            }
            Ok::<_, Error>(())
        };
        if let Err(error) = released.await {
            tracing::warn!(video = video.as_str(), "a lease was not released: {error}");
        }
    }
}

impl IngestRequest {
    fn names_object_of(&self, record: &Record) -> bool {
        let bucket = self.bucket.as_bytes().ct_eq(record.bucket.as_bytes());
        let key = self.object_key.as_bytes().ct_eq(record.object_key.as_bytes());
        (bucket & key).into()
    }
}

/// The response with Brightcove's response, JSON, inside.
fn respond(result: &str) -> Response {
    Response::json(format!(r#"{{"result":{result}}}"#))
}
