//! `GET /sign/{videoId}`: the signature of one request to S3, if it is one that the upload needs; `GET /time`: what the clock says.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use lambda_http::http::Method;
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

/// How many uploads' credentials a warm function keeps open.
const KEPT_OPEN: usize = 1000;

/// RFC 3339 with milliseconds.
const TIME: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// Who signs.
pub struct Signer {
    uploads: Uploads,
    policy: Policy,
    opened: Mutex<HashMap<VideoId, Opened>>,
}

/// Credentials that were opened, and what of.
struct Opened {
    sealed: String,
    expires_at: u64,
    credentials: Arc<Credentials>,
}

impl Signer {
    /// Connects to what the environment names.
    pub async fn from_env(environment: &Environment) -> Result<Self, Error> {
        let policy = Policy { hosts: environment.upload_hosts(), ..Policy::default() };
        Ok(Self { uploads: Uploads::from_env(environment).await?, policy, opened: Mutex::default() })
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
            let session = record.session(&*credentials.ok_or(Refusal::SessionUnavailable)?);
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

    /// The credentials of an upload: opened once by a warm function, and dropped at their end.
    async fn credentials(&self, record: &Record, now: u64) -> Result<Option<Arc<Credentials>>, Error> {
        let Some(sealed) = record.sealed.as_ref().filter(|_| now < record.expires_at) else { return Ok(None) };
        let kept = self.opened().get(&record.video).filter(|opened| opened.sealed == *sealed).map(|opened| opened.credentials.clone());
        if kept.is_some() {
            return Ok(kept);
        }
        let Some(credentials) = self.uploads.open(record, now).await?.map(Arc::new) else { return Ok(None) };
        let mut opened = self.opened();
        opened.retain(|_, opened| now < opened.expires_at);
        if opened.len() >= KEPT_OPEN {
            opened.clear();
        }
        let new = Opened { sealed: sealed.clone(), expires_at: record.expires_at, credentials: credentials.clone() };
        opened.insert(record.video.clone(), new);
        Ok(Some(credentials))
    }

    fn opened(&self) -> std::sync::MutexGuard<'_, HashMap<VideoId, Opened>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
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
