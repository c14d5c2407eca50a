//! `GET /sign/{videoId}`: the signature of one request to S3, if it is one that the upload needs; `GET /time`: what the clock says.

use std::{sync::Arc, time::SystemTime};

use lambda_http::http::Method;
use quick_cache::sync::Cache;
use shared::upload::{Policy, Refusal, SignRequest, State, VideoId, sign_request::Query};
use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

use super::{
    Error, Record, Uploads, absent, only,
    record::{Credentials, progress},
    uploads::ROUNDS,
    video,
};
use crate::{
    gateway::{Failure, Reply, Request},
    setting::{Environment, now},
};

/// The most uploads whose decrypted credentials a warm function caches.
const MAX_CACHED_CREDENTIALS: usize = 1000;

/// RFC 3339 with milliseconds.
const TIME: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// Who signs.
pub struct Signer {
    uploads: Uploads,
    policy: Policy,
    credentials_cache: Cache<VideoId, Arc<CachedCredentials>>,
}

/// Decrypted credentials, and the ciphertext that they came of.
struct CachedCredentials {
    sealed: String,
    expires_at: u64,
    credentials: Credentials,
}

impl Signer {
    /// Connects to what the environment names.
    pub async fn from_env(environment: &Environment) -> Result<Self, Error> {
        let policy = Policy { hosts: environment.upload_hosts(), ..Policy::default() };
        let uploads = Uploads::from_env(environment).await?;
        Ok(Self { uploads, policy, credentials_cache: Cache::new(MAX_CACHED_CREDENTIALS) })
    }

    /// Any of its routes.
    pub async fn request(&self, request: Request) -> Result<Reply, Failure> {
        self.request_at(&request, now()).await
    }

    /// Any of its routes at `now`, in seconds since 1970.
    pub async fn request_at(&self, request: &Request, now: u64) -> Result<Reply, Failure> {
        match request.route.as_str() {
            "/sign/{videoId}" => only(Method::GET, "sign", request, Box::pin(self.sign(request, now))).await,
            "/time" => only(Method::GET, "time", request, async { Ok(time()) }).await,
            _ => Err(absent()),
        }
    }

    async fn sign(&self, request: &Request, now: u64) -> Result<Reply, Error> {
        let video = video(request)?;
        let query = Query::from_decoded(request.query.iter().map(|(name, value)| (name.as_str(), value.as_str())))?;
        let request = SignRequest::check(&query, &self.policy, now)?;
        for _ in 0..ROUNDS {
            let record = self.uploads.find(&video).await?.ok_or(Refusal::SessionUnavailable)?;
            // The policy says the same: what is over need not be opened.
            let open = matches!(record.progress.state, State::Open | State::Completing);
            let credentials = if open { self.credentials(&record, now).await? } else { None };
            let session = record.session(&credentials.ok_or(Refusal::SessionUnavailable)?.credentials);
            let policy = Policy { max_parts: record.max_parts, ..self.policy.clone() };
            let signed = policy.sign(&request, &session, now)?;
            // Before it is given out: what was signed and is not known would let a second file take the place of the first.
            if let Some(next) = &signed.progress
                && !self.uploads.write(&record, progress(next)).await?
            {
                continue;
            }
            tracing::debug!(video = video.as_str(), operation = signed.operation.name());
            return Ok(Reply::text(signed.signature.to_string()));
        }
        Err(Error::Contended)
    }

    /// The credentials of an upload, decrypted once by a warm function and dropped when they have expired.
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

/// What the clock says: a client whose own is wrong signs nothing that S3 takes.
fn time() -> Reply {
    Reply::text(OffsetDateTime::from(SystemTime::now()).format(TIME).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_told_to_the_millisecond() {
        let text = OffsetDateTime::from_unix_timestamp(1_768_469_405).unwrap().format(TIME).unwrap();
        assert_eq!(text, "2026-01-15T09:30:05.000Z");
    }
}
