//! A session: one client's domain keys as a transcoder holds them, expanded and ready, until the packet's end.

use std::collections::HashMap;

use super::{Code, Direction, Domain, Id, Kind, Packet, packet::KeyVersion, translate::Keys};
use crate::crypto::siv;

/// One client's keys, ready for use.
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

impl ClientKeys {
    /// Expands a packet's keys.
    #[must_use]
    pub fn new(packet: Packet) -> Self {
        let Packet { id, client_id, expires, domains } = packet;
        let domains = domains
            .into_iter()
            .map(|entry| (entry.domain, entry.keys.into_iter().map(|key| Version::new(entry.domain, key)).collect()))
            .collect();
        Self { packet_id: id, client_id, expires, domains }
    }

    /// The packet's name.
    #[must_use]
    pub fn packet_id(&self) -> &str {
        &self.packet_id
    }

    /// Whose keys these are.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// When the keys must be dropped, in seconds since 1970.
    #[must_use]
    pub const fn expires(&self) -> u64 {
        self.expires
    }

    /// The names of each domain's keys: no secrets.
    pub fn kids(&self) -> impl Iterator<Item = (Domain, Vec<&str>)> {
        self.domains.iter().map(|(&domain, versions)| (domain, versions.iter().map(|version| version.kid.as_str()).collect()))
    }

    /// The keys of one direction at `now`: [`Code::S007`] when the source has none, [`Code::S008`] when the target has none that encodes,
    /// [`Code::I000`] when both are one domain.
    pub fn pair(&self, direction: Direction, now: u64) -> Result<DirectionKeys<'_>, Code> {
        let Direction { from, to } = direction;
        if from == to {
            return Err(Code::I000);
        }
        let mut sources: Vec<_> = self.versions(from).filter(|version| version.usable(now)).collect();
        // Newest first, but those that do not encode yet last: almost every id is under the current version.
        sources.sort_by_key(|version| (version.not_before > now, std::cmp::Reverse(version.not_before)));
        if sources.is_empty() {
            return Err(Code::S007);
        }
        let target = self.current(to, now)?;
        Ok(DirectionKeys { sources, target })
    }

    /// Encodes a native payload in a domain under its current key.
    ///
    /// # Panics
    /// When the payload has not the kind's length.
    pub fn mint(&self, kind: Kind, domain: Domain, payload: &[u8], now: u64) -> Result<Id, Code> {
        Ok(self.current(domain, now)?.encode(kind, domain, payload))
    }

    /// The version that encodes at `now`.
    fn current(&self, domain: Domain, now: u64) -> Result<&Version, Code> {
        let begun = self.versions(domain).filter(|version| version.usable(now) && version.not_before <= now);
        begun.max_by_key(|version| version.not_before).ok_or(Code::S008)
    }

    fn versions(&self, domain: Domain) -> impl Iterator<Item = &Version> {
        self.domains.get(&domain).into_iter().flatten()
    }
}

impl DirectionKeys<'_> {
    /// The keys of a kind, for each version of the source: the current one first.
    pub(super) fn keys(&self, kind: Kind) -> impl Iterator<Item = Keys<'_>> {
        self.sources
            .iter()
            .map(move |source| Keys { source: (&source.key, source.mask(kind)), target: (&self.target.key, self.target.mask(kind)) })
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
        let mut room = [0; 32];
        let cipher_text = &mut room[..payload.len()];
        cipher_text.copy_from_slice(payload);
        let tag = self.key.seal(self.mask(kind), cipher_text);
        Id::new(kind, domain, tag, cipher_text)
    }
}

impl std::fmt::Debug for ClientKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientKeys").field("packet_id", &self.packet_id).field("client_id", &self.client_id).finish_non_exhaustive()
    }
}
