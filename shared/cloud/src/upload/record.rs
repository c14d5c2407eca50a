//! One upload as it is stored.

use serde::{Deserialize, Serialize};
use shared::{
    secret::SecretText,
    upload::{State, UploadSession, VideoId, session::Progress},
};

use super::store::Change;
use crate::vault::{self, Item, flag, n, optional_number, s, string};

/// The beginning of the names of uploads' items.
pub(super) const UPLOAD: &str = "upload#";

/// How long an upload is kept after its credentials' end, in seconds.
pub(super) const KEPT: u64 = 7 * 24 * 60 * 60;

/// One upload, without its secrets.
#[derive(Clone, Debug)]
pub struct Record {
    /// The video.
    pub video: VideoId,
    /// The file's name.
    pub name: String,
    /// Whose it is: a hash.
    pub principal: String,
    /// The bucket; empty until the credentials are here.
    pub bucket: String,
    /// The object's key; empty until the credentials are here.
    pub object_key: String,
    /// The access key's id; empty until the credentials are here.
    pub access_key_id: String,
    /// What signing changes.
    pub progress: Progress,
    /// When it was created, in seconds since 1970.
    pub created_at: u64,
    /// When it ends.
    pub expires_at: u64,
    /// Until when somebody is handing it over.
    pub lease_until: Option<u64>,
    /// Whether it was tried to hand it over.
    pub tried: bool,
    /// The ingest job.
    pub job: Option<String>,
    /// Brightcove's answer to the ingest, JSON.
    pub result: Option<String>,
    /// What Brightcove said of a failure.
    pub message: Option<String>,
    /// The most bytes of the object, where that is limited.
    pub max_bytes: Option<u64>,
    /// The most parts.
    pub max_parts: u16,
    /// The object's bytes, once they were counted.
    pub bytes: Option<u64>,
    /// When the reaper was refused.
    pub noted_at: Option<u64>,
    /// Whether it is unfinished.
    pub unfinished: bool,
    pub(super) sealed: Option<String>,
    /// How often it was written: each write names the one that it is made on.
    pub(super) version: u64,
}

/// What is sealed of an upload.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Credentials {
    pub(super) secret_access_key: SecretText,
    pub(super) session_token: SecretText,
    pub(super) api_request_url: SecretText,
}

impl Credentials {
    /// The text that is sealed.
    pub(super) fn expose(&self) -> zeroize::Zeroizing<String> {
        #[derive(Serialize)]
        struct Shown<'a> {
            secret_access_key: &'a str,
            session_token: &'a str,
            api_request_url: &'a str,
        }
        let shown = Shown {
            secret_access_key: self.secret_access_key.expose(),
            session_token: self.session_token.expose(),
            api_request_url: self.api_request_url.expose(),
        };
        serde_json::to_string(&shown).expect("text is JSON").into()
    }
}

impl Record {
    pub(super) fn read(item: &Item) -> Result<Self, vault::Error> {
        let text = |name| string(item, name).map(str::to_owned);
        let optional = |name: &'static str| item.contains_key(name).then(|| text(name)).transpose();
        let flag = |name: &str| item.get(name).and_then(|value| value.as_bool().ok()).copied().unwrap_or_default();
        let count = |name| vault::number(item, name);
        let state = State::of(string(item, "state")?).ok_or(vault::Error::Attribute("state"))?;
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
            created_at: count("created_at")?,
            expires_at: count("expires_at")?,
            lease_until: optional_number(item, "lease_until")?,
            tried: flag("tried"),
            job: optional("job")?,
            result: optional("result")?,
            message: optional("message")?,
            max_bytes: optional_number(item, "max_bytes")?,
            max_parts: u16::try_from(count("max_parts")?).map_err(|_| vault::Error::Attribute("max_parts"))?,
            bytes: optional_number(item, "bytes")?,
            noted_at: optional_number(item, "noted_at")?,
            unfinished: item.contains_key("unfinished"),
            sealed: optional("sealed")?,
            version: count("version")?,
        })
    }

    /// The session that signing decides on.
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

/// The change that writes an upload's progress.
pub(super) fn progress(progress: &Progress) -> Change {
    Change::default()
        .set("state", s(progress.state.name()))
        .put("upload_id", progress.upload_id.clone().map(s))
        .put("last_part_at", progress.last_part_at.map(n))
        .set("listed", flag(progress.listed))
        .set("aborted", flag(progress.aborted))
}

/// The change that ends an upload: nothing secret stays, and no reaper looks at it.
pub(super) fn end(state: State) -> Change {
    Change::default().set("state", s(state.name())).remove("unfinished").remove("sealed").remove("lease_until")
}
