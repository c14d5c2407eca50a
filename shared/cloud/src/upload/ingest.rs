//! `POST /ingest/{videoId}`: hands an uploaded file over, once.

use std::{sync::Arc, time::Instant};

use lambda_http::http::Method;
use serde::Deserialize;
use serde_json::json;
use shared::upload::{Code, Refusal, State, VideoId, tag::Purpose};
use subtle::ConstantTimeEq;

use super::{
    Error, Record, Uploads, absent, body,
    brightcove::{Accepted, Brightcove},
    object::{Bucket, Found},
    only, quota,
    record::Credentials,
    store::Change,
    template::IngestTemplate,
    uploads::ROUNDS,
    video,
};
use crate::{
    gateway::{Failure, Reply, Request},
    setting::{Environment, now},
    vault::{self, flag, n, s},
};

/// How long whoever hands a video over has it for himself, in seconds.
const LEASE: u64 = 60;

/// How often a video is handed over at most, where nobody knows whether it was taken.
const ATTEMPTS: usize = 3;

/// Who hands files over, hears what became of them, and tells it.
pub struct Ingester {
    pub(super) uploads: Arc<Uploads>,
    brightcove: Brightcove,
    template: IngestTemplate,
    environment: Environment,
    bytes_per_day: Option<u64>,
}

/// What a page says of the file that it uploaded.
#[derive(Deserialize)]
struct Asked {
    bucket: String,
    #[serde(rename = "objectKey")]
    object_key: String,
}

impl Ingester {
    /// Connects to what the environment names.
    pub async fn from_env(environment: &Environment) -> Result<Self, Error> {
        let uploads = Arc::new(Uploads::from_env(environment).await?);
        Ok(Self {
            brightcove: Brightcove::new(environment, uploads.clone()),
            uploads,
            template: IngestTemplate::from_env(environment)?,
            environment: environment.clone(),
            bytes_per_day: environment.upload_bytes_per_day().map_err(vault::Error::from)?,
        })
    }

    /// Any of its routes.
    pub async fn request(&self, request: Request) -> Result<Reply, Failure> {
        self.request_at(&request, now()).await
    }

    /// Any of its routes at `now`, in seconds since 1970.
    pub async fn request_at(&self, request: &Request, now: u64) -> Result<Reply, Failure> {
        match request.route.as_str() {
            "/ingest/{videoId}" => only(Method::POST, "ingest", request, Box::pin(self.ingest(request, now))).await,
            "/callback/{videoId}/{tag}" => only(Method::POST, "callback", request, self.callback(request)).await,
            "/status/{videoId}/{tag}" => only(Method::GET, "status", request, self.status(request)).await,
            _ => Err(absent()),
        }
    }

    async fn ingest(&self, request: &Request, now: u64) -> Result<Reply, Error> {
        let until = Instant::now() + super::PATIENCE;
        let asked: Asked = serde_json::from_value(body(request)?.into()).map_err(|_| Error::Code(Code::BadBody))?;
        let video = video(request)?;
        for _ in 0..ROUNDS {
            let mut record = self.uploads.find(&video).await?.ok_or(Refusal::SessionUnavailable)?;
            if now >= record.expires_at || !asked.is_of(&record) {
                return Err(Refusal::SessionUnavailable.into());
            }
            if let Some(result) = &record.result {
                return Ok(reply(result));
            }
            match record.progress.state {
                State::Open => return Err(Error::Code(Code::UploadIncomplete)),
                State::Ingesting if record.lease_until.is_some_and(|end| now < end) => return Err(Error::Code(Code::IngestInProgress)),
                // Nobody has it, or whoever had it is gone.
                State::Completing | State::Ingesting => {}
                _ => return Err(Refusal::SessionUnavailable.into()),
            }
            let credentials = self.uploads.open(&record, now).await?.ok_or(Refusal::SessionUnavailable)?;
            let lease =
                Change::default().set("state", s(State::Ingesting.name())).set("lease_until", n(now + LEASE)).set("tried", flag(true));
            if self.uploads.write(&record, lease).await? {
                record.version += 1;
                return match self.hand_over(&mut record, &credentials, request, now, until).await {
                    Ok(accepted) => self.keep(&video, accepted).await,
                    Err(error) => {
                        self.give_back(&video, now + LEASE).await;
                        Err(error)
                    }
                };
            }
        }
        Err(Error::Contended)
    }

    async fn hand_over(
        &self,
        record: &mut Record,
        credentials: &Credentials,
        request: &Request,
        now: u64,
        until: Instant,
    ) -> Result<Accepted, Error> {
        self.look(record, credentials, now).await?;
        let video = record.video.clone();
        if record.tried
            && let Some(accepted) = self.accepted(&video, until).await?
        {
            return Ok(accepted);
        }
        let body = self.template.body(&credentials.api_request_url, self.callback_url(request, &video).await?);
        let mut attempt = 1;
        loop {
            match self.brightcove.ingest(&video, &body, until).await {
                // It may have been taken, and a second job would be a second video's work.
                Err(error) if error.is_lost() => match self.accepted(&video, until).await {
                    Ok(Some(accepted)) => return Ok(accepted),
                    Ok(None) if attempt < ATTEMPTS && Instant::now() < until => attempt += 1,
                    _ => return Err(error),
                },
                outcome => return outcome,
            }
        }
    }

    /// Looks at the object, where there is a limit.
    async fn look(&self, record: &mut Record, credentials: &Credentials, now: u64) -> Result<(), Error> {
        if record.max_bytes.is_none() && self.bytes_per_day.is_none() {
            return Ok(());
        }
        let bucket = Bucket::new(&self.environment, self.uploads.store().vault().sdk(), record, credentials);
        let bytes = match bucket.find(record).await {
            Found::Missing => return Err(Error::Code(Code::ObjectMissing)),
            Found::Bytes(bytes) if record.max_bytes.is_some_and(|max| bytes > max) => return Err(Error::Code(Code::ObjectTooLarge)),
            Found::Bytes(bytes) => bytes,
            Found::Unknown => return Ok(()),
        };
        // Once for each upload, however often it is handed over.
        if let Some(per_day) = self.bytes_per_day
            && record.bytes.is_none()
        {
            quota::add_bytes(self.uploads.store(), &record.principal, bytes, per_day, now).await?;
            if !self.uploads.write(record, Change::default().set("bytes", n(bytes))).await? {
                return Err(Error::Contended);
            }
            record.version += 1;
        }
        Ok(())
    }

    /// The job that a video has already.
    async fn accepted(&self, video: &VideoId, until: Instant) -> Result<Option<Accepted>, Error> {
        let job = self.brightcove.jobs(video, until).await?.into_iter().find(|job| job.state != "failed");
        Ok(job.map(|job| Accepted { answer: json!({"id": job.id}).to_string(), job: job.id }))
    }

    /// Where Brightcove calls back.
    async fn callback_url(&self, request: &Request, video: &VideoId) -> Result<Option<String>, Error> {
        let base = self.environment.callback_url().unwrap_or_else(|| request.base.clone());
        let tag = self.uploads.known_tag(Purpose::Callback, video).await?;
        Ok(tag.filter(|_| !base.ends_with('/')).map(|tag| format!("{base}/callback/{video}/{tag}")))
    }

    /// Keeps what was accepted. Brightcove may have called back before.
    async fn keep(&self, video: &VideoId, accepted: Accepted) -> Result<Reply, Error> {
        for _ in 0..ROUNDS {
            let record = self.uploads.find(video).await?.ok_or(Refusal::SessionUnavailable)?;
            let state = match record.progress.state {
                over @ (State::Done | State::Failed | State::Reaped) => over,
                _ => State::Ingested,
            };
            let change = super::record::end(state).set("job", s(&accepted.job)).set("result", s(&accepted.answer));
            if self.uploads.write(&record, change).await? {
                return Ok(reply(&accepted.answer));
            }
        }
        Err(Error::Contended)
    }

    /// Gives a lease back. Where that fails, it ends.
    async fn give_back(&self, video: &VideoId, lease: u64) {
        let given_back = async {
            for _ in 0..ROUNDS {
                let Some(record) = self.uploads.find(video).await? else { break };
                if record.progress.state != State::Ingesting || record.lease_until != Some(lease) {
                    break;
                }
                let change = Change::default().set("state", s(State::Completing.name())).remove("lease_until");
                if self.uploads.write(&record, change).await? {
                    break;
                }
            }
            Ok::<_, Error>(())
        };
        if let Err(error) = given_back.await {
            tracing::warn!(video = video.as_str(), "a lease was not given back: {error}");
        }
    }
}

impl Asked {
    fn is_of(&self, record: &Record) -> bool {
        let bucket = self.bucket.as_bytes().ct_eq(record.bucket.as_bytes());
        let key = self.object_key.as_bytes().ct_eq(record.object_key.as_bytes());
        (bucket & key).into()
    }
}

/// Brightcove's answer, as the client reads it.
fn reply(result: &str) -> Reply {
    Reply::json(format!(r#"{{"result":{result}}}"#))
}
