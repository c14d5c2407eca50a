//! `POST /upload`: creates a video, and returns the location of its file and the half of the
//! credentials that a page may have.

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
    brightcove::{Brightcove, Deletion, UploadUrls, invalid_response},
    caller::Principal,
    error::Error,
    intent::Reference,
    name::FileName,
    quota,
    record::{self, Credentials, RECORD_TTL, Record},
    route::{REQUEST_TIMEOUT, json_body, not_found, require_method},
    setting::{CallerPolicy, UploadLimits},
    template::VideoTemplate,
    uploads::{MAX_CONFLICT_RETRIES, NewUpload, Uploads},
};
use crate::{
    clock::{SECONDS_PER_DAY, SECONDS_PER_HOUR, now},
    gateway::{ApiError, Request, Response},
    setting::{self, Environment},
    vault::{n, s, string},
};

/// The lifetime of credentials, in seconds.
const CREDENTIALS_TTL: u64 = SECONDS_PER_DAY;
/// An upload is resumed only if its credentials are valid for at least so many seconds.
const MIN_REMAINING_SECONDS: u64 = SECONDS_PER_HOUR;
/// The maximum size of the query parameter `resume`, in bytes.
const MAX_RESUME_BYTES: usize = 128;
/// The time limit of deleting a video whose upload was not stored.
const ROLLBACK_TIMEOUT: Duration = Duration::from_secs(2);

/// The creator of uploads.
pub struct Creator {
    uploads: Arc<Uploads>,
    brightcove: Brightcove,
    template: VideoTemplate,
    callers: CallerPolicy,
    limits: UploadLimits,
}

/// What a page needs to upload a file.
struct UploadGrant<'a> {
    video: &'a VideoId,
    bucket: &'a str,
    object_key: &'a str,
    access_key_id: &'a str,
    session_token: &'a SecretText,
    expires_at: u64,
}

impl Creator {
    /// Connects to the resources that the environment names.
    pub async fn from_env(environment: &Environment) -> Result<Self, Error> {
        let callers = environment.upload_callers()?;
        let limits = environment.upload_limits()?;
        if callers == CallerPolicy::Open && limits.per_hour == 0 {
            let reason = "it must be 1 or more if every caller may upload";
            return Err(setting::Error::Invalid { name: "UPLOADS_PER_HOUR", reason }.into());
        }
        let uploads = Arc::new(Uploads::from_env(environment).await?);
        let template = VideoTemplate::from_env(environment)?;
        Ok(Self { brightcove: Brightcove::new(environment, uploads.clone()), uploads, template, callers, limits })
    }

    /// Handles a request to either of its routes.
    pub async fn request(&self, request: Request) -> Result<Response, ApiError> {
        self.request_at(&request, now()).await
    }

    /// Handles a request at `now`, in seconds since 1970.
    pub async fn request_at(&self, request: &Request, now: u64) -> Result<Response, ApiError> {
        match request.route.as_str() {
            "/upload" | "/upload/{caller}" => require_method(Method::POST, "create", request, Box::pin(self.create(request, now))).await,
            _ => Err(not_found()),
        }
    }

    async fn create(&self, request: &Request, now: u64) -> Result<Response, Error> {
        let deadline = Instant::now() + REQUEST_TIMEOUT;
        let principal = Principal::of(request, self.callers)?;
        let name = match json_body(request)?.remove("name") {
            Some(Value::String(name)) => FileName::parse(name)?,
            _ => return Err(Error::Code(Code::NameInvalid)),
        };
        let resume = resume(request)?;
        let extension = name.extension();
        let is_known = |types: &[String]| types.is_empty() || types.iter().any(|known| Some(known) == extension.as_ref());
        if !is_known(&self.limits.types) || !principal.allows(extension.as_deref()) {
            return Err(Error::Code(Code::TypeNotAllowed));
        }

        let resume_item = principal.is_authenticated.then(|| resume_item(&principal.hash, name.as_str(), resume));
        if let Some(item) = &resume_item
            && let Some(response) = self.resume_existing(item, &principal, now).await?
        {
            return Ok(response);
        }
        if let Some(per_day) = self.limits.bytes_per_day {
            quota::check_bytes(self.uploads.store(), &principal.hash, per_day, now).await?;
        }
        quota::count_upload(self.uploads.store(), &principal.hash, principal.per_hour.unwrap_or(self.limits.per_hour), now).await?;

        let reference = self.uploads.record_intent(now).await?;
        let created = self.brightcove.create(&self.template.body(name.as_str(), &reference), deadline).await;
        // If the response was lost, a video may exist: the open intent lets the reaper find it.
        if created.as_ref().is_err_and(|error| !error.may_have_succeeded()) {
            self.close_intent(&reference).await;
        }
        let video = created?;
        // The log line of the request has no video id, because the route has none.
        tracing::info!(video = video.as_str(), "a video was created");
        // If this fails, the reaper finds the video by its reference id.
        if !self.insert(&video, &name, &principal, now).await? {
            // Another upload has this video id, so the video must not be deleted.
            return Err(invalid_response("the id of a new video is another's"));
        }
        self.close_intent(&reference).await;
        let opened = self.open(&video, &name, resume_item, now, deadline).await;
        if opened.is_err() {
            self.delete_orphan(&video).await;
        }
        opened
    }

    /// The response of an earlier upload of the same file, if it can be resumed.
    async fn resume_existing(&self, item: &str, principal: &Principal, now: u64) -> Result<Option<Response>, Error> {
        let Some(found) = self.uploads.store().get(item).await? else { return Ok(None) };
        let video: VideoId = string(&found, "video")?.parse()?;
        for _ in 0..MAX_CONFLICT_RETRIES {
            let Some(record) = self.uploads.find(&video).await? else { return Ok(None) };
            let is_open = record.progress.state == State::Open && !record.progress.aborted;
            if !is_open || record.principal != principal.hash || record.expires_at < now + MIN_REMAINING_SECONDS {
                return Ok(None);
            }
            let Some(credentials) = self.uploads.open(&record, now).await? else { return Ok(None) };
            // From now on, a request to list parts means that the client starts over.
            let unlisted = Progress { listed: false, ..record.progress.clone() };
            if record.progress.listed && !self.uploads.write(&record, record::progress(&unlisted)).await? {
                continue;
            }
            return self.respond(&UploadGrant::of(&record, &credentials)).await.map(Some);
        }
        Err(Error::Conflict)
    }

    /// Stores a new upload. Returns whether its video id is new.
    async fn insert(&self, video: &VideoId, name: &FileName, principal: &Principal, now: u64) -> Result<bool, Error> {
        let max_bytes = [self.limits.max_bytes, principal.max_bytes].into_iter().flatten().min();
        let max_parts = u16::try_from(self.limits.max_parts).unwrap_or(u16::MAX);
        self.uploads.insert(&NewUpload { video, name: name.as_str(), principal: &principal.hash, max_bytes, max_parts }, now).await
    }

    /// Gets a new video's credentials and stores them.
    async fn open(
        &self,
        video: &VideoId,
        name: &FileName,
        resume_item: Option<String>,
        now: u64,
        deadline: Instant,
    ) -> Result<Response, Error> {
        let urls = self.brightcove.upload_urls(video, &name.source(), deadline).await?;
        let UploadUrls { bucket, object_key, access_key_id, secret_access_key, session_token, api_request_url } = urls;
        let credentials = Credentials { secret_access_key, session_token, api_request_url };
        let expires_at = now + CREDENTIALS_TTL;
        let opened = record::progress(&Progress::open())
            .set("bucket", s(&bucket))
            .set("object_key", s(&object_key))
            .set("access_key_id", s(&access_key_id))
            .set("sealed", self.uploads.seal(video, &credentials).await?)
            .set("expires_at", n(expires_at))
            .set("ttl", n(expires_at + RECORD_TTL));
        let pending = self.uploads.find(video).await?.ok_or(Error::Conflict)?;
        if !self.uploads.write(&pending, opened).await? {
            return Err(Error::Conflict);
        }
        if let Some(item) = resume_item {
            let item = [("item", s(item)), ("video", s(video.as_str())), ("ttl", n(expires_at))];
            self.uploads.store().put(item.map(|(name, value)| (name.to_owned(), value)).into(), false).await?;
        }
        let session_token = &credentials.session_token;
        let (bucket, object_key, access_key_id) = (bucket.as_str(), object_key.as_str(), access_key_id.as_str());
        self.respond(&UploadGrant { video, bucket, object_key, access_key_id, session_token, expires_at }).await
    }

    /// Closes an intent. If this fails, the reaper closes it.
    async fn close_intent(&self, reference: &Reference) {
        if let Err(error) = self.uploads.close_intent(reference).await {
            tracing::warn!(reference = reference.as_str(), "an intent was not closed: {error}");
        }
    }

    /// Deletes a video whose creation is reported as failed. If this fails, the reaper deletes it.
    async fn delete_orphan(&self, video: &VideoId) {
        let deleted = async {
            if self.brightcove.delete(video, Instant::now() + ROLLBACK_TIMEOUT).await? == Deletion::Deleted
                && let Some(record) = self.uploads.find(video).await?
            {
                self.uploads.close(&record, State::Reaped).await?;
            }
            Ok::<_, Error>(())
        };
        if let Err(error) = deleted.await {
            tracing::warn!(video = video.as_str(), "an orphaned video was not deleted: {error}");
        }
    }

    async fn respond(&self, grant: &UploadGrant<'_>) -> Result<Response, Error> {
        let tag = self.uploads.tag(Purpose::Status, grant.video).await?;
        let expires = i64::try_from(grant.expires_at).ok().and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
        let body = json!({
            "accountId": self.uploads.account(),
            "region": REGION,
            "videoId": grant.video.as_str(),
            "bucket": grant.bucket,
            "objectKey": grant.object_key,
            "awsAccessKeyId": grant.access_key_id,
            "sessionToken": grant.session_token.expose(),
            "expiresAt": expires.and_then(|expires| expires.format(&Rfc3339).ok()),
            "statusPath": format!("/status/{}/{tag}", grant.video),
        });
        Ok(Response::from(body).with_content_type("application/json; charset=utf-8"))
    }
}

impl<'a> UploadGrant<'a> {
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

/// The query parameter `resume`, which distinguishes files of one name.
fn resume(request: &Request) -> Result<&str, Error> {
    let mut values = request.query.iter().filter(|(name, _)| name == "resume").map(|(_, value)| value.as_str());
    match (values.next().unwrap_or_default(), values.next()) {
        (value, None) if value.len() <= MAX_RESUME_BYTES => Ok(value),
        _ => Err(Error::Code(Code::BadResume)),
    }
}

/// The name of the item that maps a principal's file to its upload.
fn resume_item(principal: &str, name: &str, resume: &str) -> String {
    // Neither a hash nor a file name contains a line feed, so the parts cannot be confused.
    format!("resume#{}", hex(&sha256(format!("{principal}\n{name}\n{resume}").as_bytes())))
}
