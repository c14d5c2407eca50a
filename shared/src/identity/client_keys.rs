//! One client's domain keys in a transcoder, expanded and valid until the key packet expires.

use std::{cmp::Reverse, collections::HashMap, fmt};

use super::{
    code::Code,
    domain::Domain,
    id::{Id, Kind},
    packet::{KeyVersion, Packet},
    scope::Direction,
};
use crate::crypto::siv;

/// One client's domain keys.
pub struct ClientKeys {
    packet_id: String,
    client_id: String,
    expires: u64,
    domains: HashMap<Domain, Vec<Version>>,
}

/// One version of a domain's key, expanded once.
struct Version {
    kid: String,
    not_before: u64,
    not_after: Option<u64>,
    key: siv::Key,
    masks: [siv::Mask; Kind::ALL.len()],
}

/// The keys of one direction at one moment.
pub struct DirectionKeys<'a> {
    /// Every usable version of the source's key: the current one first.
    sources: Vec<&'a Version>,
    target: &'a Version,
}

/// One version of a source's key and the current version of a target's, for one kind.
pub(super) struct KernelKeys<'a> {
    pub(super) source: (&'a siv::Key, siv::Mask),
    pub(super) target: (&'a siv::Key, siv::Mask),
}

impl ClientKeys {
    /// Expands the keys of a packet.
    #[must_use]
    pub fn new(packet: Packet) -> Self {
        let Packet { id, client_id, expires, domains } = packet;
        let domains = domains
            .into_iter()
            .map(|entry| (entry.domain, entry.keys.into_iter().map(|key| Version::new(entry.domain, key)).collect()))
            .collect();
        Self { packet_id: id, client_id, expires, domains }
    }

    /// The packet's id.
    #[must_use]
    pub fn packet_id(&self) -> &str {
        &self.packet_id
    }

    /// The id of the client that the keys belong to.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// When the keys must be dropped, in seconds since 1970.
    #[must_use]
    pub const fn expires(&self) -> u64 {
        self.expires
    }

    /// The ids of each domain's key versions. They are not secret.
    pub fn kids(&self) -> impl Iterator<Item = (Domain, Vec<&str>)> {
        self.domains.iter().map(|(&domain, versions)| (domain, versions.iter().map(|version| version.kid.as_str()).collect()))
    }

    /// The keys of one direction at `now`, in seconds since 1970.
    ///
    /// # Errors
    /// - [`Code::I000`] if both domains are the same.
    /// - [`Code::S007`] if the source has no usable key.
    /// - [`Code::S008`] if the target has no key that may encode.
    pub fn direction_keys(&self, direction: Direction, now: u64) -> Result<DirectionKeys<'_>, Code> {
        let Direction { from, to } = direction;
        if from == to {
            return Err(Code::I000);
        }
        let mut sources: Vec<_> = self.versions(from).filter(|version| version.usable(now)).collect();
        // The newest first, and last those that may not encode yet: almost all ids are encoded
        // under the current version.
        sources.sort_by_key(|version| (version.not_before > now, Reverse(version.not_before)));
        if sources.is_empty() {
            return Err(Code::S007);
        }
        let target = self.current(to, now)?;
        Ok(DirectionKeys { sources, target })
    }

    /// Encodes a native payload under the current key of a domain.
    ///
    /// # Errors
    /// [`Code::S008`] if the domain has no key that may encode at `now`.
    ///
    /// # Panics
    /// If the payload does not have the kind's length.
    pub fn mint(&self, kind: Kind, domain: Domain, payload: &[u8], now: u64) -> Result<Id, Code> {
        Ok(self.current(domain, now)?.encode(kind, domain, payload))
    }

    /// The version that encodes at `now`: the newest active one.
    fn current(&self, domain: Domain, now: u64) -> Result<&Version, Code> {
        let active = self.versions(domain).filter(|version| version.usable(now) && version.not_before <= now);
        active.max_by_key(|version| version.not_before).ok_or(Code::S008)
    }

    fn versions(&self, domain: Domain) -> impl Iterator<Item = &Version> {
        self.domains.get(&domain).into_iter().flatten()
    }
}

impl DirectionKeys<'_> {
    /// The keys of a kind for each version of the source: the current one first.
    pub(super) fn versions(&self, kind: Kind) -> impl Iterator<Item = KernelKeys<'_>> {
        self.sources
            .iter()
            .map(move |source| KernelKeys { source: (&source.key, source.mask(kind)), target: (&self.target.key, self.target.mask(kind)) })
    }
}

impl Version {
    fn new(domain: Domain, version: KeyVersion) -> Self {
        let key = siv::Key::new(&version.key);
        let masks = Kind::ALL.map(|kind| key.mask(&kind.label(domain)));
        Self { kid: version.kid, not_before: version.not_before, not_after: version.not_after, key, masks }
    }

    fn usable(&self, now: u64) -> bool {
        self.not_after.is_none_or(|end| now < end)
    }

    const fn mask(&self, kind: Kind) -> siv::Mask {
        self.masks[kind as usize]
    }

    fn encode(&self, kind: Kind, domain: Domain, payload: &[u8]) -> Id {
        let mut buf = [0; 32];
        let cipher_text = &mut buf[..payload.len()];
        cipher_text.copy_from_slice(payload);
        let tag = self.key.seal(self.mask(kind), cipher_text);
        Id::new(kind, domain, tag, cipher_text)
    }
}

impl fmt::Debug for ClientKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientKeys").field("packet_id", &self.packet_id).field("client_id", &self.client_id).finish_non_exhaustive()
    }
}
