//! `POST /upload`: a video, the place of its file, and the half of the credentials that a page may have.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use lambda_http::http::Method;
use serde_json::{Value, json};
use shared::{
    crypto::sha256,
    encoding::hex,
    secret::SecretText,
    upload::{Code, REGION, State, VideoId, session::Progress, tag::Purpose},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    Error, Uploads, absent, body,
    brightcove::{Brightcove, Deleted, UploadUrls, invalid},
    caller::Principal,
    intent::Reference,
    name::FileName,
    only, quota,
    record::{Credentials, KEPT, Record, progress},
    template::VideoTemplate,
    uploads::{Beginning, ROUNDS},
};
use crate::{
    gateway::{Failure, Reply, Request},
    setting::{self, Environment, UploadCallers, UploadLimits, now},
    vault::{self, n, s, string},
};

/// How long credentials last, in seconds.
const LIFE: u64 = 24 * 60 * 60;
/// How much of it must be left of an upload that is given out again, in seconds.
const LEFT: u64 = 60 * 60;
/// The longest value that tells two files of one name apart, in bytes.
const MAX_RESUME: usize = 128;
/// How long it is tried to take a video back.
const UNDOING: Duration = Duration::from_secs(2);

/// Who creates videos.
pub struct Creator {
    uploads: Arc<Uploads>,
    brightcove: Brightcove,
    template: VideoTemplate,
    callers: UploadCallers,
    limits: UploadLimits,
}

/// What a page is given.
struct Given<'a> {
    video: &'a VideoId,
    bucket: &'a str,
    object_key: &'a str,
    access_key_id: &'a str,
    session_token: &'a SecretText,
    expires_at: u64,
}

impl Creator {
    /// Connects to what the environment names.
    pub async fn from_env(environment: &Environment) -> Result<Self, Error> {
        let callers = environment.upload_callers().map_err(vault::Error::from)?;
        let limits = environment.upload_limits().map_err(vault::Error::from)?;
        if callers == UploadCallers::Open && limits.per_hour == 0 {
            let why = "where everybody may upload, uploads are counted: 0 does not count them";
            return Err(vault::Error::from(setting::Error::Refused { name: "UPLOADS_PER_HOUR", why }).into());
        }
        let uploads = Arc::new(Uploads::from_env(environment).await?);
        let template = VideoTemplate::from_env(environment)?;
        Ok(Self { brightcove: Brightcove::new(environment, uploads.clone()), uploads, template, callers, limits })
    }

    /// Either of its routes.
    pub async fn request(&self, request: Request) -> Result<Reply, Failure> {
        self.request_at(&request, now()).await
    }

    /// Either of its routes at `now`, in seconds since 1970.
    pub async fn request_at(&self, request: &Request, now: u64) -> Result<Reply, Failure> {
        match request.route.as_str() {
            "/upload" | "/upload/{caller}" => only(Method::POST, "create", request, Box::pin(self.create(request, now))).await,
            _ => Err(absent()),
        }
    }

    async fn create(&self, request: &Request, now: u64) -> Result<Reply, Error> {
        let until = Instant::now() + super::PATIENCE;
        let principal = Principal::of(request, self.callers)?;
        let name = match body(request)?.remove("name") {
            Some(Value::String(name)) => FileName::parse(name)?,
            _ => return Err(Error::Code(Code::NameInvalid)),
        };
        let resume = resume(request)?;
        let extension = name.extension();
        let known = |types: &[String]| types.is_empty() || types.iter().any(|known| Some(known) == extension.as_ref());
        if !known(&self.limits.types) || !principal.takes(extension.as_deref()) {
            return Err(Error::Code(Code::TypeNotAllowed));
        }

        let resumable = principal.known.then(|| resumable(&principal.hash, name.as_str(), resume));
        if let Some(item) = &resumable
            && let Some(reply) = self.again(item, &principal, now).await?
        {
            return Ok(reply);
        }
        if let Some(per_day) = self.limits.bytes_per_day {
            quota::check_bytes(self.uploads.store(), &principal.hash, per_day, now).await?;
        }
        quota::begin(self.uploads.store(), &principal.hash, principal.per_hour.unwrap_or(self.limits.per_hour), now).await?;

        let reference = self.uploads.intend(now).await?;
        let created = self.brightcove.create(&self.template.body(name.as_str(), &reference), until).await;
        // Where its answer is lost there may be a video: that is the reaper's to find.
        if created.as_ref().is_err_and(|error| !error.is_lost()) {
            self.settle(&reference).await;
        }
        let video = created?;
        // The route does not name it, so the line on what came of the request cannot.
        tracing::info!(video = video.as_str(), "a video was created");
        // Where this fails, the reaper finds the video by its reference.
        if !self.begin(&video, &name, &principal, now).await? {
            // Somebody has a video of this id: it is not ours to take back.
            return Err(invalid("the id of a new video is another's"));
        }
        self.settle(&reference).await;
        let opened = self.open(&video, &name, resumable, now, until).await;
        if opened.is_err() {
            self.take_back(&video).await;
        }
        opened
    }

    /// The upload of a file that was begun before, if it can be gone on with.
    async fn again(&self, item: &str, principal: &Principal, now: u64) -> Result<Option<Reply>, Error> {
        let Some(found) = self.uploads.store().get(item).await? else { return Ok(None) };
        let video: VideoId = string(&found, "video")?.parse()?;
        for _ in 0..ROUNDS {
            let Some(record) = self.uploads.find(&video).await? else { return Ok(None) };
            let open = record.progress.state == State::Open && !record.progress.aborted;
            if !open || record.principal != principal.hash || record.expires_at < now + LEFT {
                return Ok(None);
            }
            let Some(credentials) = self.uploads.open(&record, now).await? else { return Ok(None) };
            // From here a list of its parts tells that the client begins again.
            let unlisted = Progress { listed: false, ..record.progress.clone() };
            if record.progress.listed && !self.uploads.write(&record, progress(&unlisted)).await? {
                continue;
            }
            return self.reply(&Given::of(&record, &credentials)).await.map(Some);
        }
        Err(Error::Contended)
    }

    /// Notes a new video. Whether it is new.
    async fn begin(&self, video: &VideoId, name: &FileName, principal: &Principal, now: u64) -> Result<bool, Error> {
        let max_bytes = [self.limits.max_bytes, principal.max_bytes].into_iter().flatten().min();
        let max_parts = u16::try_from(self.limits.max_parts).unwrap_or(u16::MAX);
        self.uploads.begin(&Beginning { video, name: name.as_str(), principal: &principal.hash, max_bytes, max_parts }, now).await
    }

    /// Gets a new video's credentials and keeps them.
    async fn open(&self, video: &VideoId, name: &FileName, resumable: Option<String>, now: u64, until: Instant) -> Result<Reply, Error> {
        let urls = self.brightcove.upload_urls(video, &name.source(), until).await?;
        let UploadUrls { bucket, object_key, access_key_id, secret_access_key, session_token, api_request_url } = urls;
        let credentials = Credentials { secret_access_key, session_token, api_request_url };
        let expires_at = now + LIFE;
        let opened = progress(&Progress::open())
            .set("bucket", s(&bucket))
            .set("object_key", s(&object_key))
            .set("access_key_id", s(&access_key_id))
            .set("sealed", self.uploads.seal(video, &credentials).await?)
            .set("expires_at", n(expires_at))
            .set("ttl", n(expires_at + KEPT));
        let pending = self.uploads.find(video).await?.ok_or(Error::Contended)?;
        if !self.uploads.write(&pending, opened).await? {
            return Err(Error::Contended);
        }
        if let Some(item) = resumable {
            let item = [("item", s(item)), ("video", s(video.as_str())), ("ttl", n(expires_at))];
            self.uploads.store().put(item.map(|(name, value)| (name.to_owned(), value)).into(), false).await?;
        }
        let session_token = &credentials.session_token;
        let (bucket, object_key, access_key_id) = (bucket.as_str(), object_key.as_str(), access_key_id.as_str());
        self.reply(&Given { video, bucket, object_key, access_key_id, session_token, expires_at }).await
    }

    /// Settles what was to be created. Where that fails, the reaper does.
    async fn settle(&self, reference: &Reference) {
        if let Err(error) = self.uploads.settle(reference).await {
            tracing::warn!(reference = reference.as_str(), "what was to be created is not settled: {error}");
        }
    }

    /// Deletes a video that nobody will hear of. Where that fails, the reaper finds it.
    async fn take_back(&self, video: &VideoId) {
        let undone = async {
            if self.brightcove.delete(video, Instant::now() + UNDOING).await? == Deleted::Gone
                && let Some(record) = self.uploads.find(video).await?
            {
                self.uploads.end(&record, State::Reaped).await?;
            }
            Ok::<_, Error>(())
        };
        if let Err(error) = undone.await {
            tracing::warn!(video = video.as_str(), "a video was not taken back: {error}");
        }
    }

    async fn reply(&self, given: &Given<'_>) -> Result<Reply, Error> {
        let tag = self.uploads.tag(Purpose::Status, given.video).await?;
        let expires = i64::try_from(given.expires_at).ok().and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
        let answer = json!({
            "accountId": self.uploads.account(),
            "region": REGION,
            "videoId": given.video.as_str(),
            "bucket": given.bucket,
            "objectKey": given.object_key,
            "awsAccessKeyId": given.access_key_id,
            "sessionToken": given.session_token.expose(),
            "expiresAt": expires.and_then(|expires| expires.format(&Rfc3339).ok()),
            "statusPath": format!("/status/{}/{tag}", given.video),
        });
        Ok(Reply::from(answer).of_type("application/json; charset=utf-8"))
    }
}

impl<'a> Given<'a> {
    fn of(record: &'a Record, credentials: &'a Credentials) -> Self {
        Self {
            video: &record.video,
            bucket: &record.bucket,
            object_key: &record.object_key,
            access_key_id: &record.access_key_id,
            session_token: &credentials.session_token,
            expires_at: record.expires_at,
        }
    }
}

/// What tells files of one name apart: the query's `resume`.
fn resume(request: &Request) -> Result<&str, Error> {
    let mut values = request.query.iter().filter(|(name, _)| name == "resume").map(|(_, value)| value.as_str());
    match (values.next().unwrap_or_default(), values.next()) {
        (value, None) if value.len() <= MAX_RESUME => Ok(value),
        _ => Err(Error::Code(Code::BadResume)),
    }
}

/// The name of the item that leads from a file to its upload.
fn resumable(principal: &str, name: &str, resume: &str) -> String {
    // Neither a hash nor a name has a line's end.
    format!("resume#{}", hex(&sha256(format!("{principal}\n{name}\n{resume}").as_bytes())))
}
