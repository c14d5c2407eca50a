//! One upload, as it is stored.

use serde::{Deserialize, Serialize};
use shared::{
    secret::SecretText,
    upload::{State, UploadSession, VideoId, session::Progress},
};
use zeroize::Zeroizing;

use super::store::Change;
use crate::{
    clock::SECONDS_PER_DAY,
    vault::{self, Item, flag, n, optional_number, s, string},
};

/// The prefix of the names of uploads' items.
pub(super) const UPLOAD: &str = "upload#";

/// How long an upload is stored after its credentials expire, in seconds.
pub(super) const RECORD_TTL: u64 = 7 * SECONDS_PER_DAY;

/// One upload, without its secrets. Times are in seconds since 1970.
#[derive(Clone, Debug)]
pub struct Record {
    /// The video.
    pub video: VideoId,
    /// The file's name.
    pub name: String,
    /// The hash of the principal that created it.
    pub principal: String,
    /// The bucket; empty while the upload is pending.
    pub bucket: String,
    /// The object's key; empty while the upload is pending.
    pub object_key: String,
    /// The access key's id; empty while the upload is pending.
    pub access_key_id: String,
    /// The progress that signing records.
    pub progress: Progress,
    /// When it was created.
    pub created_at: u64,
    /// When it expires.
    pub expires_at: u64,
    /// When the lease of the current ingest request expires.
    pub lease_until: Option<u64>,
    /// Whether an ingest request was tried.
    pub tried: bool,
    /// The id of the ingest job.
    pub job: Option<String>,
    /// Brightcove's response to the ingest request, JSON.
    pub result: Option<String>,
    /// Brightcove's error message.
    pub message: Option<String>,
    /// The maximum size of the object, in bytes.
    pub max_bytes: Option<u64>,
    /// The maximum number of parts.
    pub max_parts: u16,
    /// The size of the object, in bytes, once it is counted in the quota.
    pub bytes: Option<u64>,
    /// When the reaper postponed it.
    pub noted_at: Option<u64>,
    /// Whether it is in the index of unfinished uploads.
    pub unfinished: bool,
    pub(super) sealed: Option<String>,
    /// The number of writes: each write is conditional on the version that was read.
    pub(super) version: u64,
}

/// The secrets of an upload.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Credentials {
    pub(super) secret_access_key: SecretText,
    pub(super) session_token: SecretText,
    pub(super) api_request_url: SecretText,
}

impl Credentials {
    /// The plaintext to encrypt, JSON.
    pub(super) fn expose(&self) -> Zeroizing<String> {
        #[derive(Serialize)]
        struct Exposed<'a> {
            secret_access_key: &'a str,
            session_token: &'a str,
            api_request_url: &'a str,
        }
        let exposed = Exposed {
            secret_access_key: self.secret_access_key.expose(),
            session_token: self.session_token.expose(),
            api_request_url: self.api_request_url.expose(),
        };
        serde_json::to_string(&exposed).expect("text is JSON").into()
    }
}

impl Record {
    pub(super) fn read(item: &Item) -> Result<Self, vault::Error> {
        let text = |name| string(item, name).map(str::to_owned);
        let optional = |name: &'static str| item.contains_key(name).then(|| text(name)).transpose();
        let flag = |name: &str| item.get(name).and_then(|value| value.as_bool().ok()).copied().unwrap_or_default();
        let number = |name| vault::number(item, name);
        let state = State::from_name(string(item, "state")?).ok_or(vault::Error::Attribute("state"))?;
        let video = string(item, "item")?.strip_prefix(UPLOAD).and_then(|video| video.parse().ok());
        Ok(Self {
            video: video.ok_or(vault::Error::Attribute("item"))?,
            name: text("name")?,
            principal: text("principal")?,
            bucket: optional("bucket")?.unwrap_or_default(),
            object_key: optional("object_key")?.unwrap_or_default(),
            access_key_id: optional("access_key_id")?.unwrap_or_default(),
            progress: Progress {
                state,
                upload_id: optional("upload_id")?,
                last_part_at: optional_number(item, "last_part_at")?,
                listed: flag("listed"),
                aborted: flag("aborted"),
            },
            created_at: number("created_at")?,
            expires_at: number("expires_at")?,
            lease_until: optional_number(item, "lease_until")?,
            tried: flag("tried"),
            job: optional("job")?,
            result: optional("result")?,
            message: optional("message")?,
            max_bytes: optional_number(item, "max_bytes")?,
            max_parts: u16::try_from(number("max_parts")?).map_err(|_| vault::Error::Attribute("max_parts"))?,
            bytes: optional_number(item, "bytes")?,
            noted_at: optional_number(item, "noted_at")?,
            unfinished: item.contains_key("unfinished"),
            sealed: optional("sealed")?,
            version: number("version")?,
        })
    }

    /// The session that the signing policy decides on.
    pub(super) fn session(&self, credentials: &Credentials) -> UploadSession {
        UploadSession {
            bucket: self.bucket.clone(),
            object_key: self.object_key.clone(),
            secret_access_key: credentials.secret_access_key.clone(),
            session_token: credentials.session_token.clone(),
            expires_at: self.expires_at,
            progress: self.progress.clone(),
        }
    }
}

/// The change that stores an upload's progress.
pub(super) fn progress(progress: &Progress) -> Change {
    Change::default()
        .set("state", s(progress.state.name()))
        .put("upload_id", progress.upload_id.clone().map(s))
        .put("last_part_at", progress.last_part_at.map(n))
        .set("listed", flag(progress.listed))
        .set("aborted", flag(progress.aborted))
}

/// The change that closes an upload: its secrets are deleted, and the reaper no longer sees it.
pub(super) fn close(state: State) -> Change {
    Change::default().set("state", s(state.name())).remove("unfinished").remove("sealed").remove("lease_until")
}
