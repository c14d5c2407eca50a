//! `GET /sign/{videoId}`: signs one request to S3, if the upload needs it; `GET /time`: the clock.

use std::{sync::Arc, time::SystemTime};

use lambda_http::http::Method;
use quick_cache::sync::Cache;
use shared::upload::{Policy, Refusal, SignRequest, State, VideoId, sign_request::Query};
use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

use super::{
    error::Error,
    record::{self, Credentials, Record},
    route::{not_found, require_method, video_id},
    uploads::{MAX_CONFLICT_RETRIES, Uploads},
};
use crate::{
    clock::now,
    gateway::{ApiError, Request, Response},
    setting::Environment,
};

/// The maximum number of uploads whose decrypted credentials are cached.
const MAX_CACHED_CREDENTIALS: usize = 1000;

/// RFC 3339 with milliseconds.
const TIME: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// The signer of requests.
pub struct Signer {
    uploads: Uploads,
    policy: Policy,
    credentials_cache: Cache<VideoId, Arc<CachedCredentials>>,
}

/// Decrypted credentials, with their ciphertext.
struct CachedCredentials {
    sealed: String,
    expires_at: u64,
    credentials: Credentials,
}

impl Signer {
    /// Connects to the resources that the environment names.
    pub async fn from_env(environment: &Environment) -> Result<Self, Error> {
        let policy = Policy { hosts: environment.upload_hosts(), ..Policy::default() };
        let uploads = Uploads::from_env(environment).await?;
        Ok(Self { uploads, policy, credentials_cache: Cache::new(MAX_CACHED_CREDENTIALS) })
    }

    /// Handles a request to any of its routes.
    pub async fn request(&self, request: Request) -> Result<Response, ApiError> {
        self.request_at(&request, now()).await
    }

    /// Handles a request at `now`, in seconds since 1970.
    pub async fn request_at(&self, request: &Request, now: u64) -> Result<Response, ApiError> {
        match request.route.as_str() {
            "/sign/{videoId}" => require_method(Method::GET, "sign", request, Box::pin(self.sign(request, now))).await,
            "/time" => require_method(Method::GET, "time", request, async { Ok(time()) }).await,
            _ => Err(not_found()),
        }
    }

    async fn sign(&self, request: &Request, now: u64) -> Result<Response, Error> {
        let video = video_id(request)?;
        let query = Query::from_decoded(request.query.iter().map(|(name, value)| (name.as_str(), value.as_str())))?;
        let sign_request = SignRequest::check(&query, &self.policy.region, now)?;
        for _ in 0..MAX_CONFLICT_RETRIES {
            let record = self.uploads.find(&video).await?.ok_or(Refusal::SessionUnavailable)?;
            // The policy would refuse other states: checking here saves the decryption.
            let is_open = matches!(record.progress.state, State::Open | State::Completing);
            let credentials = if is_open { self.credentials(&record, now).await? } else { None };
            let session = record.session(&credentials.ok_or(Refusal::SessionUnavailable)?.credentials);
            let policy = Policy { max_parts: record.max_parts, ..self.policy.clone() };
            let signed = policy.sign(&sign_request, &session, now)?;
            // Stored before the signature is returned: otherwise a second file could replace the
            // first.
            if let Some(next) = &signed.progress
                && !self.uploads.write(&record, record::progress(next)).await?
            {
                continue;
            }
            tracing::debug!(video = video.as_str(), operation = signed.operation.name());
            return Ok(Response::text(signed.signature.to_string()));
        }
        Err(Error::Conflict)
    }

    /// The credentials of an upload, from the cache if they are the stored ones. Expired ones are
    /// removed from the cache.
    async fn credentials(&self, record: &Record, now: u64) -> Result<Option<Arc<CachedCredentials>>, Error> {
        let Some(sealed) = record.sealed.as_ref().filter(|_| now < record.expires_at) else { return Ok(None) };
        let cached = self.credentials_cache.get(&record.video).filter(|cached| cached.sealed == *sealed);
        if cached.is_some() {
            return Ok(cached);
        }
        let Some(credentials) = self.uploads.open(record, now).await? else { return Ok(None) };
        self.credentials_cache.retain(|_, cached| now < cached.expires_at);
        let cached = Arc::new(CachedCredentials { sealed: sealed.clone(), expires_at: record.expires_at, credentials });
        self.credentials_cache.insert(record.video.clone(), cached.clone());
        Ok(Some(cached))
    }
}

/// The time, for clients whose clock is wrong: S3 accepts a difference of 15 minutes.
fn time() -> Response {
    Response::text(OffsetDateTime::from(SystemTime::now()).format(TIME).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_has_milliseconds() {
        let text = OffsetDateTime::from_unix_timestamp(1_768_469_405).unwrap().format(TIME).unwrap();
        assert_eq!(text, "2026-01-15T09:30:05.000Z");
    }
}
