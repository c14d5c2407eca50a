//! The intent log. An intent with a new reference id is recorded before a video is created under
//! that id. If the response is lost, or the function ends before it stores the upload, the reaper
//! finds the video by the open intent.

use shared::{crypto::system_rng, encoding::hex, secret::Secret};

use super::{
    error::Error,
    record::RECORD_TTL,
    store::{Change, UNFINISHED},
    uploads::{PENDING_TTL, Uploads},
};
use crate::vault::{n, number, optional_number, s};

/// The prefix of the names of intents' items.
pub(super) const INTENT: &str = "intent#";

/// The prefix of reference ids: videos with others were not created here.
const REFERENCE_PREFIX: &str = "rampway-";

/// The reference id of a video: unique, and known before the video's id is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference(String);

impl Reference {
    /// A new, random one.
    fn new() -> Self {
        let random: Secret<16> = Secret::generate(&mut system_rng());
        Self(format!("{REFERENCE_PREFIX}{}", hex(random.expose())))
    }

    /// Parses a reference id that [`Reference::new`] made. It needs no escapes in a URL.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let random = text.strip_prefix(REFERENCE_PREFIX)?;
        let is_hex = random.len() == 32 && random.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_hex.then(|| Self(text.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    fn item(&self) -> String {
        format!("{INTENT}{}", self.0)
    }
}

impl Uploads {
    /// Records the intent to create a video.
    pub(super) async fn record_intent(&self, now: u64) -> Result<Reference, Error> {
        let reference = Reference::new();
        let item = [
            ("item", s(reference.item())),
            ("unfinished", s(UNFINISHED)),
            ("expires_at", n(now + PENDING_TTL)),
            ("ttl", n(now + PENDING_TTL + RECORD_TTL)),
        ];
        let item = item.map(|(name, value)| (name.to_owned(), value)).into();
        if self.store().put(item, true).await? { Ok(reference) } else { Err(Error::Conflict) }
    }

    /// Closes an intent: the upload is stored, or there is no video. A closed intent stays closed.
    pub(super) async fn close_intent(&self, reference: &Reference) -> Result<(), Error> {
        let change = Change::default().remove("unfinished").when("#unfinished = :given", s(UNFINISHED));
        self.store().update(&reference.item(), change).await?;
        Ok(())
    }

    /// Whether an intent is open, expired before `now`, and was not postponed after `postponed`.
    pub(super) async fn is_intent_due(&self, reference: &Reference, now: u64, postponed: u64) -> Result<bool, Error> {
        let Some(item) = self.store().get(&reference.item()).await? else { return Ok(false) };
        let is_postponed = optional_number(&item, "noted_at")?.is_some_and(|at| at > postponed);
        Ok(item.contains_key("unfinished") && number(&item, "expires_at")? < now && !is_postponed)
    }

    /// Postpones an open intent whose video could not be found or deleted.
    pub(super) async fn postpone_intent(&self, reference: &Reference, now: u64) -> Result<(), Error> {
        let change = Change::default().set("noted_at", n(now)).set("unfinished", s(UNFINISHED));
        self.store().update(&reference.item(), change.when("#unfinished = :given", s(UNFINISHED))).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_reference_ids_are_parsed() {
        let reference = Reference::new();
        assert_eq!(Reference::parse(reference.as_str()), Some(reference.clone()));
        assert_ne!(Reference::new(), reference);
        for text in ["", "rampway-", "rampway-1", "trailer", &reference.as_str().to_uppercase(), &format!("{}/", reference.as_str())] {
            assert_eq!(Reference::parse(text), None, "{text}");
        }
    }
}
