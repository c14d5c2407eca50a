//! The uploads of one account.

use aws_sdk_dynamodb::types::AttributeValue;
use shared::upload::{
    State, VideoId,
    tag::{Purpose, is_tag, tag},
};

use super::{
    error::Error,
    record::{self, Credentials, RECORD_TTL, Record, UPLOAD},
    store::{Change, Store, UNFINISHED},
};
use crate::{
    setting::Environment,
    vault::{self, Item, n, s},
};

/// How long an upload may be pending, without credentials, in seconds.
pub(super) const PENDING_TTL: u64 = 15 * 60;

/// The maximum number of attempts of a conditional write that conflicts with concurrent ones.
pub(super) const MAX_CONFLICT_RETRIES: usize = 8;

/// The uploads of one account.
pub struct Uploads {
    store: Store,
    account: String,
}

/// An upload whose video was just created.
pub(super) struct NewUpload<'a> {
    pub(super) video: &'a VideoId,
    pub(super) name: &'a str,
    pub(super) principal: &'a str,
    pub(super) max_bytes: Option<u64>,
    pub(super) max_parts: u16,
}

impl Uploads {
    /// Connects to the resources that the environment names.
    pub async fn from_env(environment: &Environment) -> Result<Self, Error> {
        let account = environment.brightcove_account()?;
        Ok(Self { store: Store::from_env(environment).await?, account })
    }

    /// Every stored upload.
    pub async fn list(&self) -> Result<Vec<Record>, Error> {
        let items = self.store.all(UPLOAD).await?;
        Ok(items.iter().map(Record::read).collect::<Result<_, _>>()?)
    }

    /// One upload, read consistently.
    pub async fn find(&self, video: &VideoId) -> Result<Option<Record>, Error> {
        let item = self.store.get(&item_name(video)).await?;
        Ok(item.as_ref().map(Record::read).transpose()?)
    }

    /// Whether a video has a stored upload.
    pub(super) async fn exists(&self, video: &VideoId) -> Result<bool, Error> {
        Ok(self.store.get(&item_name(video)).await?.is_some())
    }

    /// The account.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    pub(super) const fn store(&self) -> &Store {
        &self.store
    }

    /// Stores a pending upload. Returns whether its video id is new.
    pub(super) async fn insert(&self, upload: &NewUpload<'_>, now: u64) -> Result<bool, Error> {
        let mut item: Item = [
            ("item", s(item_name(upload.video))),
            ("state", s(State::Pending.name())),
            ("name", s(upload.name)),
            ("principal", s(upload.principal)),
            ("max_parts", n(upload.max_parts.into())),
            ("created_at", n(now)),
            ("expires_at", n(now + PENDING_TTL)),
            ("ttl", n(now + PENDING_TTL + RECORD_TTL)),
            ("unfinished", s(UNFINISHED)),
            ("version", n(0)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        item.extend(upload.max_bytes.map(|bytes| ("max_bytes".to_owned(), n(bytes))));
        self.store.put(item, true).await
    }

    /// Changes an upload, on condition that it still has the version that was read. Returns whether
    /// it had.
    pub(super) async fn write(&self, record: &Record, change: Change) -> Result<bool, Error> {
        let change = change.set("version", n(record.version + 1)).when("#version = :given", n(record.version));
        self.store.update(&item_name(&record.video), change).await
    }

    /// Closes an upload, on condition that it still has the version that was read.
    pub(super) async fn close(&self, record: &Record, state: State) -> Result<bool, Error> {
        self.write(record, record::close(state)).await
    }

    /// Encrypts the credentials of an upload.
    pub(super) async fn seal(&self, video: &VideoId, credentials: &Credentials) -> Result<AttributeValue, Error> {
        Ok(self.store.vault().seal(&self.label(video), credentials.expose().as_bytes()).await?)
    }

    /// Decrypts the credentials of an upload; `None` if it has none, or they have expired.
    pub(super) async fn open(&self, record: &Record, now: u64) -> Result<Option<Credentials>, Error> {
        let Some(sealed) = record.sealed.as_ref().filter(|_| now < record.expires_at) else { return Ok(None) };
        let item: Item = [("sealed".to_owned(), s(sealed))].into();
        let opened = self.store.vault().open(&self.label(&record.video), &item, "sealed").await?;
        Ok(Some(serde_json::from_slice(&opened).map_err(|_| vault::Error::Attribute("sealed"))?))
    }

    /// The tag of a URL; the callback key is generated on first use.
    pub(super) async fn tag(&self, purpose: Purpose, video: &VideoId) -> Result<String, Error> {
        Ok(tag(self.store.make_callback_key().await?, purpose, &self.account, video))
    }

    /// The tag of a URL, if there is a callback key.
    pub(super) async fn known_tag(&self, purpose: Purpose, video: &VideoId) -> Result<Option<String>, Error> {
        Ok(self.store.callback_key().await?.map(|key| tag(key, purpose, &self.account, video)))
    }

    /// Whether `text` is the tag of a URL.
    pub(super) async fn is_tag(&self, text: &str, purpose: Purpose, video: &VideoId) -> Result<bool, Error> {
        Ok(self.store.callback_key().await?.is_some_and(|key| is_tag(text, key, purpose, &self.account, video)))
    }

    /// The name that an upload's credentials are encrypted under.
    fn label(&self, video: &VideoId) -> String {
        format!("{UPLOAD}{}#{video}", self.account)
    }
}

/// The name of an upload's item.
fn item_name(video: &VideoId) -> String {
    format!("{UPLOAD}{video}")
}
