//! What one upload may have signed.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use subtle::ConstantTimeEq;

use super::{
    Operation, REGION, Refusal, SignRequest, State, UploadSession,
    operation::MAX_PARTS,
    session::Progress,
    signature::{Signature, sign},
};

/// The same for every upload.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The bucket's region.
    pub region: String,
    /// Hosts besides S3's own that the bucket's name is part of the path at: those of a stand-in.
    pub hosts: Vec<String>,
    /// The most parts of an upload.
    pub max_parts: u16,
}

impl Default for Policy {
    fn default() -> Self {
        Self { region: REGION.into(), hosts: Vec::new(), max_parts: MAX_PARTS }
    }
}

/// A signature, and what has to be stored before it is given out.
#[derive(Debug, PartialEq, Eq)]
pub struct Signed<'a> {
    /// What was signed.
    pub operation: Operation<'a>,
    /// The signature.
    pub signature: Signature,
    /// The upload's progress, where it has changed.
    pub progress: Option<Progress>,
}

impl Policy {
    /// Signs a request of an upload at `now`, in seconds since 1970, or says why not, in the documented order.
    ///
    /// From the token on, reasons reach only whoever holds it.
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
        let operation = Operation::of(canonical)?;
        if matches!(operation, Operation::Part { number, .. } if number > self.max_parts) {
            return Err(Refusal::PartLimit);
        }
        let progress = session.progress.after(&operation, now).ok_or(Refusal::UploadMismatch)?;
        let signature = sign(&session.secret_access_key, request.date, &self.region, request.to_sign);
        Ok(Signed { operation, signature, progress: Some(progress).filter(|progress| *progress != session.progress) })
    }

    /// The object's path at a host: with the bucket, or without where the host names it.
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

/// AWS's `UriEncode` of an object's key: these and letters and digits stay as they are.
const KEY_ENCODE_SET: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');
