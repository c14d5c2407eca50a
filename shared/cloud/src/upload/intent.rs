//! What is about to be created. A reference is noted before Brightcove is asked for a video, and the video is created under it: where the
//! answer is lost, or nobody is left to store it, the reaper finds the video by it.

use shared::{crypto::system_rng, encoding::hex, secret::Secret};

use super::{
    Error, Uploads,
    record::KEPT,
    store::{Change, UNFINISHED},
    uploads::PENDING,
};
use crate::vault::{n, number, optional_number, s};

/// The beginning of the names of intents' items.
pub(super) const INTENT: &str = "intent#";

/// The beginning of references: what has another is not ours.
const OURS: &str = "rampway-";

/// What a video is called before it has an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference(String);

impl Reference {
    /// One that nobody has.
    fn new() -> Self {
        let random: Secret<16> = Secret::generate(&mut system_rng());
        Self(format!("{OURS}{}", hex(random.expose())))
    }

    /// A reference of ours; nothing in it need be escaped in an address.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let random = text.strip_prefix(OURS)?;
        let ours = random.len() == 32 && random.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        ours.then(|| Self(text.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    fn item(&self) -> String {
        format!("{INTENT}{}", self.0)
    }
}

impl Uploads {
    /// Notes that a video is about to be created.
    pub(super) async fn intend(&self, now: u64) -> Result<Reference, Error> {
        let reference = Reference::new();
        let item = [
            ("item", s(reference.item())),
            ("unfinished", s(UNFINISHED)),
            ("expires_at", n(now + PENDING)),
            ("ttl", n(now + PENDING + KEPT)),
        ];
        let item = item.map(|(name, value)| (name.to_owned(), value)).into();
        if self.store().put(item, true).await? { Ok(reference) } else { Err(Error::Contended) }
    }

    /// Notes that a video was stored, or that there is none. What is closed stays so.
    pub(super) async fn settle(&self, reference: &Reference) -> Result<(), Error> {
        let change = Change::default().remove("unfinished").when("#unfinished = :given", s(UNFINISHED));
        self.store().update(&reference.item(), change).await?;
        Ok(())
    }

    /// Whether nobody has settled what was to be created long before `now`, and it was not looked at in vain since `noted`.
    pub(super) async fn is_unsettled(&self, reference: &Reference, now: u64, noted: u64) -> Result<bool, Error> {
        let Some(item) = self.store().get(&reference.item()).await? else { return Ok(false) };
        let fresh = optional_number(&item, "noted_at")?.is_some_and(|at| at > noted);
        Ok(item.contains_key("unfinished") && number(&item, "expires_at")? < now && !fresh)
    }

    /// Notes that it was looked for in vain.
    pub(super) async fn note_unsettled(&self, reference: &Reference, now: u64) -> Result<(), Error> {
        let change = Change::default().set("noted_at", n(now)).set("unfinished", s(UNFINISHED));
        self.store().update(&reference.item(), change.when("#unfinished = :given", s(UNFINISHED))).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_ours_or_none() {
        let reference = Reference::new();
        assert_eq!(Reference::parse(reference.as_str()), Some(reference.clone()));
        assert_ne!(Reference::new(), reference);
        for text in ["", "rampway-", "rampway-1", "trailer", &reference.as_str().to_uppercase(), &format!("{}/", reference.as_str())] {
            assert_eq!(Reference::parse(text), None, "{text}");
        }
    }
}
