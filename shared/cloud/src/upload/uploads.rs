//! The uploads of one account.

use shared::upload::{
    State, VideoId,
    tag::{Purpose, is_tag, tag},
};

use super::{
    Error,
    record::{Credentials, KEPT, Record, UPLOAD, end},
    store::{Change, Store, UNFINISHED},
};
use crate::{
    setting::Environment,
    vault::{self, Item, n, s},
};

/// How long a video may be without credentials, in seconds.
pub(super) const PENDING: u64 = 15 * 60;

/// How often a change is decided on again when somebody else was first.
pub(super) const ROUNDS: usize = 8;

/// The uploads of one account.
pub struct Uploads {
    store: Store,
    account: String,
}

/// What is known of an upload when its video has just been created.
pub(super) struct Beginning<'a> {
    pub(super) video: &'a VideoId,
    pub(super) name: &'a str,
    pub(super) principal: &'a str,
    pub(super) max_bytes: Option<u64>,
    pub(super) max_parts: u16,
}

impl Uploads {
    /// Connects to what the environment names.
    pub async fn from_env(environment: &Environment) -> Result<Self, Error> {
        let account = environment.brightcove_account().map_err(vault::Error::from)?;
        Ok(Self { store: Store::from_env(environment).await?, account })
    }

    /// Every upload that is still known.
    pub async fn list(&self) -> Result<Vec<Record>, Error> {
        let items = self.store.all(UPLOAD).await?;
        Ok(items.iter().map(Record::read).collect::<Result<_, _>>()?)
    }

    /// One upload as it is now.
    pub async fn find(&self, video: &VideoId) -> Result<Option<Record>, Error> {
        let item = self.store.get(&name(video)).await?;
        Ok(item.as_ref().map(Record::read).transpose()?)
    }

    /// Whether a video has an upload here.
    pub(super) async fn knows(&self, video: &VideoId) -> Result<bool, Error> {
        Ok(self.store.get(&name(video)).await?.is_some())
    }

    /// The account.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    pub(super) const fn store(&self) -> &Store {
        &self.store
    }

    /// Notes that a video was created, so that whatever happens next it is not forgotten. Whether there was none of its id.
    pub(super) async fn begin(&self, beginning: &Beginning<'_>, now: u64) -> Result<bool, Error> {
        let mut item: Item = [
            ("item", s(name(beginning.video))),
            ("state", s(State::Pending.name())),
            ("name", s(beginning.name)),
            ("principal", s(beginning.principal)),
            ("max_parts", n(beginning.max_parts.into())),
            ("created_at", n(now)),
            ("expires_at", n(now + PENDING)),
            ("ttl", n(now + PENDING + KEPT)),
            ("unfinished", s(UNFINISHED)),
            ("version", n(0)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        item.extend(beginning.max_bytes.map(|bytes| ("max_bytes".to_owned(), n(bytes))));
        self.store.put(item, true).await
    }

    /// Writes a change to an upload as it was read. Whether nobody else wrote meanwhile.
    pub(super) async fn write(&self, record: &Record, change: Change) -> Result<bool, Error> {
        let change = change.set("version", n(record.version + 1)).when("#version = :given", n(record.version));
        self.store.update(&name(&record.video), change).await
    }

    /// Ends an upload as it was read.
    pub(super) async fn end(&self, record: &Record, state: State) -> Result<bool, Error> {
        self.write(record, end(state)).await
    }

    pub(super) async fn seal(&self, video: &VideoId, credentials: &Credentials) -> Result<aws_sdk_dynamodb::types::AttributeValue, Error> {
        Ok(self.store.vault().seal(&self.label(video), credentials.expose().as_bytes()).await?)
    }

    /// The credentials of an upload; `None` when it has none, or they are over.
    pub(super) async fn open(&self, record: &Record, now: u64) -> Result<Option<Credentials>, Error> {
        let Some(sealed) = record.sealed.as_ref().filter(|_| now < record.expires_at) else { return Ok(None) };
        let item: Item = [("sealed".to_owned(), s(sealed))].into();
        let opened = self.store.vault().open(&self.label(&record.video), &item, "sealed").await?;
        Ok(Some(serde_json::from_slice(&opened).map_err(|_| vault::Error::Attribute("sealed"))?))
    }

    /// The tag of an address; the key is made on its first use.
    pub(super) async fn tag(&self, purpose: Purpose, video: &VideoId) -> Result<String, Error> {
        Ok(tag(self.store.make_callback_key().await?, purpose, &self.account, video))
    }

    /// The tag of an address, where a key was ever made.
    pub(super) async fn known_tag(&self, purpose: Purpose, video: &VideoId) -> Result<Option<String>, Error> {
        Ok(self.store.callback_key().await?.map(|key| tag(key, purpose, &self.account, video)))
    }

    /// Whether a tag is the one of an address.
    pub(super) async fn is_tag(&self, text: &str, purpose: Purpose, video: &VideoId) -> Result<bool, Error> {
        Ok(self.store.callback_key().await?.is_some_and(|key| is_tag(text, key, purpose, &self.account, video)))
    }

    /// What an upload's secrets are sealed for.
    fn label(&self, video: &VideoId) -> String {
        format!("{UPLOAD}{}#{video}", self.account)
    }
}

/// The name of an upload's item.
fn name(video: &VideoId) -> String {
    format!("{UPLOAD}{video}")
}
