//! A request that was checked.

use super::{delivery::Recipient, element::Signal, speke::SpekeVersion};
use crate::keys::{ContentKey, DrmSystem, KeyDerivation, KeyId, Scheme};

/// The rules that a document follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// SPEKE, of the version that the header names.
    Speke(SpekeVersion),
    /// The vendor's own API: an empty `DRMSystem` asks for everything, `ContentProtectionData`
    /// carries the bare payload, and the key server chooses the key ids.
    Vendor,
}

impl Form {
    /// Whether the document is one of SPEKE 2.
    #[must_use]
    pub const fn is_speke_2(self) -> bool {
        matches!(self, Self::Speke(SpekeVersion::V2_0 | SpekeVersion::V2_1))
    }
}

/// A checked request for content keys.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The document, which the reply follows.
    pub(super) document: &'a str,
    /// The rules that the document follows.
    pub form: Form,
    /// `CPIX@contentId`, or `CPIX@id` before SPEKE 2.
    pub content_id: String,
    /// To whose certificates the keys are encrypted; without any, keys are in the clear.
    pub recipients: Vec<Recipient>,
    /// Each `ContentKey`.
    pub keys: Vec<RequestedKey>,
    /// Each `DRMSystem`.
    pub systems: Vec<RequestedSystem>,
    /// Each `ContentKeyPeriod`.
    pub periods: Vec<Period>,
    /// Each `ContentKeyUsageRule`.
    pub rules: Vec<Rule>,
}

/// A `ContentKey` and what its rule says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestedKey {
    /// `@kid`.
    pub kid: KeyId,
    /// `@commonEncryptionScheme`, which SPEKE 1.0 does not have.
    pub scheme: Option<Scheme>,
    /// `@explicitIV`.
    pub explicit_iv: Option<[u8; 16]>,
    /// The track for which the key id is derived: the rule's `@intendedTrackType`; `HD` for `ALL`,
    /// without a rule, and in SPEKE 1.0.
    pub track: String,
    /// The index in [`Request::periods`] of the first period that the rule names.
    pub period: Option<usize>,
}

/// A `DRMSystem`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestedSystem {
    /// The index of its key in [`Request::keys`].
    pub key: usize,
    /// `@systemId`.
    pub system: DrmSystem,
    /// The children that the document asks for, in its order.
    pub signals: Vec<Signal>,
}

/// A `ContentKeyPeriod`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    /// `@id`.
    pub id: String,
    /// `@index`, when it is a number.
    pub index: Option<u32>,
    /// What names the period from one request to the next: `@index`, or else `@start` or
    /// `@startOffset`. Empty without any: an `@id` may be a new one in each request.
    pub name: String,
}

/// A `ContentKeyUsageRule`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The index of its key in [`Request::keys`]; `None` for a key that the document does not list.
    pub key: Option<usize>,
    /// `@intendedTrackType`.
    pub track_type: Option<String>,
}

/// Which key ids the reply has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyIds {
    /// Those of the request.
    Requested,
    /// Ids that the key server derives from content, track and period.
    Derived,
}

impl Request<'_> {
    /// The name of a key's period, empty without one.
    #[must_use]
    pub fn period_name(&self, key: &RequestedKey) -> &str {
        key.period.and_then(|period| self.periods.get(period)).map_or("", |period| &period.name)
    }

    /// The index of a key's period.
    #[must_use]
    pub fn period_index(&self, key: &RequestedKey) -> Option<u32> {
        self.periods.get(key.period?)?.index
    }

    /// Derives the key for each of [`keys`](Self::keys).
    #[must_use]
    pub fn derive_keys(&self, derivation: &KeyDerivation, site: &str, key_ids: KeyIds) -> Vec<ContentKey> {
        let keys = self.keys.iter().map(|key| {
            let kid = match key_ids {
                KeyIds::Requested => key.kid,
                KeyIds::Derived => derivation.key_id(site, &self.content_id, &key.track, self.period_name(key)),
            };
            derivation.content_key(site, &self.content_id, kid)
        });
        keys.collect()
    }

    /// The IV that the reply gives for a key: the document's own or, where the scheme may need one,
    /// the key's.
    ///
    /// Under CTR there is none: one IV with one key on several tracks repeats the key stream.
    /// Documents that name no scheme get one.
    pub(super) fn reply_iv(&self, key: usize, content_key: &ContentKey, always: bool) -> Option<[u8; 16]> {
        let requested = &self.keys[key];
        let is_needed = always || self.form == Form::Vendor || requested.scheme.is_none_or(|scheme| !scheme.is_ctr());
        requested.explicit_iv.or_else(|| is_needed.then_some(content_key.iv))
    }
}
