//! The loaded key packets of all clients.

use std::{cmp::Reverse, collections::HashMap, sync::Arc};

use shared::identity::ClientKeys;

/// The maximum number of clients whose keys are held. An account has one client, rarely a few.
const MAX_CLIENTS: usize = 64;
/// The maximum number of packets per client: after a re-initialization, requests under the previous
/// packet are still in flight.
const MAX_PACKETS_PER_CLIENT: usize = 2;

/// The keys of a packet.
pub(crate) struct LoadedPacket {
    pub(crate) keys: Arc<ClientKeys>,
    /// When the authority issued the packet's init token, in seconds since 1970.
    pub(crate) issued_at: u64,
    /// When the packet was loaded, in seconds since 1970.
    pub(crate) loaded_at: u64,
}

impl LoadedPacket {
    fn is_valid(&self, now: u64) -> bool {
        now < self.keys.expires()
    }
}

/// The packets of each client, the newest first.
#[derive(Default)]
pub(crate) struct PacketStore(HashMap<String, Vec<LoadedPacket>>);

impl PacketStore {
    /// The packets that have not expired.
    pub(crate) fn valid(&self, now: u64) -> impl Iterator<Item = &LoadedPacket> {
        self.0.values().flatten().filter(move |loaded| loaded.is_valid(now))
    }

    /// The keys of a client: those of its newest packet, or of the packet of an id.
    pub(crate) fn keys(&self, client_id: &str, packet: Option<&str>, now: u64) -> Option<&Arc<ClientKeys>> {
        let matches = |keys: &ClientKeys| packet.is_none_or(|packet| packet == keys.packet_id());
        self.0.get(client_id)?.iter().find(|loaded| loaded.is_valid(now) && matches(&loaded.keys)).map(|loaded| &loaded.keys)
    }

    /// Inserts a packet. Drops expired packets, and the oldest beyond the limits.
    pub(crate) fn insert(&mut self, loaded: LoadedPacket, now: u64) {
        self.0.retain(|_, packets| {
            packets.retain(|loaded| loaded.is_valid(now));
            !packets.is_empty()
        });
        let client_id = loaded.keys.client_id().to_owned();
        if self.0.len() >= MAX_CLIENTS && !self.0.contains_key(&client_id) {
            let loaded_at = |packets: &[LoadedPacket]| packets.iter().map(|loaded| loaded.loaded_at).max();
            if let Some(oldest) = self.0.iter().min_by_key(|(_, packets)| loaded_at(packets)).map(|(client_id, _)| client_id.clone()) {
                self.0.remove(&oldest);
            }
        }
        let packets = self.0.entry(client_id).or_default();
        packets.retain(|known| known.keys.packet_id() != loaded.keys.packet_id());
        // The inserted packet stays even if it is the oldest: the request that carried it is
        // translated with it.
        packets.truncate(MAX_PACKETS_PER_CLIENT - 1);
        // The sort is stable: of two packets issued in the same second, the one inserted later is
        // the newer.
        packets.insert(0, loaded);
        packets.sort_by_key(|loaded| Reverse(loaded.issued_at));
    }
}
