//! The policy: which requests of an upload are signed.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use subtle::ConstantTimeEq;

use super::{
    operation::{MAX_PARTS, Operation},
    refusal::Refusal,
    session::{Progress, State, UploadSession},
    sign_request::SignRequest,
    signature::{Signature, sign},
};

/// The region of Brightcove's ingest bucket, for every account.
pub const REGION: &str = "us-east-1";

/// The settings that all uploads share.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The region of the bucket.
    pub region: String,
    /// Path-style hosts to accept besides S3's own, for tests and local use.
    pub hosts: Vec<String>,
    /// Maximum number of parts in an upload.
    pub max_parts: u16,
}

impl Default for Policy {
    fn default() -> Self {
        Self { region: REGION.into(), hosts: Vec::new(), max_parts: MAX_PARTS }
    }
}

/// A signature, and the progress to store before the signature is returned.
#[derive(Debug, PartialEq, Eq)]
pub struct Signed<'a> {
    /// The signed operation.
    pub operation: Operation<'a>,
    /// The signature.
    pub signature: Signature,
    /// The upload's new progress, if it changed.
    pub progress: Option<Progress>,
}

impl Policy {
    /// Signs a request of an upload at `now`, in seconds since 1970.
    ///
    /// # Errors
    /// The first [`Refusal`] that applies, in the documented order. Refusals after
    /// [`Refusal::SessionUnavailable`] reach only the holder of the session token.
    pub fn sign<'a>(&self, request: &SignRequest<'a>, session: &UploadSession, now: u64) -> Result<Signed<'a>, Refusal> {
        let canonical = &request.canonical;
        let open = matches!(session.progress.state, State::Open | State::Completing) && now < session.expires_at;
        let token = session.session_token.expose().as_bytes().ct_eq(canonical.token.as_bytes());
        if !open || !bool::from(token) {
            return Err(Refusal::SessionUnavailable);
        }
        let object = self.path(canonical.host, session).ok_or(Refusal::HostNotAllowed)?;
        if canonical.path != object {
            return Err(Refusal::KeyNotAllowed);
        }
        let operation = Operation::from_request(canonical)?;
        if matches!(operation, Operation::Part { number, .. } if number > self.max_parts) {
            return Err(Refusal::PartLimit);
        }
        let progress = session.progress.after(&operation, now).ok_or(Refusal::UploadMismatch)?;
        let signature = sign(&session.secret_access_key, request.date, &self.region, request.to_sign);
        Ok(Signed { operation, signature, progress: Some(progress).filter(|progress| *progress != session.progress) })
    }

    /// The object's path at a host: with the bucket in path style, without it in virtual-hosted
    /// style.
    fn path(&self, host: &str, session: &UploadSession) -> Option<String> {
        let UploadSession { bucket, object_key, .. } = session;
        let key = utf8_percent_encode(object_key, &KEY_ENCODE_SET);
        if host == "s3.amazonaws.com" || self.hosts.iter().any(|known| known == host) {
            return Some(format!("/{bucket}/{key}"));
        }
        let rest = host.strip_prefix(bucket.as_str())?;
        matches!(rest, ".s3.amazonaws.com" | ".s3-accelerate.amazonaws.com").then(|| format!("/{key}"))
    }
}

/// AWS's `UriEncode` of an object key: keeps letters, digits and these characters.
const KEY_ENCODE_SET: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');
