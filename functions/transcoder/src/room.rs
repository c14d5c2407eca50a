//! The sealed room: the keys of each client, in memory alone, and what is done with them.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use serde_json::{Value, json};
use shared::{
    crypto::jws::KeySet,
    identity::{
        Code, Direction, Scopes, Session, packet,
        rpc::{self, Body, Ids},
        token::{self, Init},
        translate::Batch,
    },
};

use crate::{
    answer::{Attributes, Refusal, attributes, note},
    setting::Setting,
    verified::{self, Tokens, Verified},
};

/// The most clients whose keys are held at once: an account has one, seldom a few.
const MAX_CLIENTS: usize = 64;
/// The most packets of one client: at a re-initialisation requests under the packet before it are still under way.
const MAX_PACKETS: usize = 2;

/// What the room holds.
pub(crate) struct Room {
    setting: Setting,
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    /// The packets of each client, the newest first.
    sessions: HashMap<String, Vec<Loaded>>,
    /// The keys that tokens are verified with: those pinned, and those that came in a verified init token, the authority's next ones.
    keys: Option<Arc<KeySet>>,
    /// Smart tokens that were verified with them.
    tokens: Tokens,
    /// Whose keys came from the model directory, and what they may be used for without a smart token.
    standing: Option<(String, Scopes)>,
    translated: HashMap<Direction, u64>,
    previous: u64,
}

struct Loaded {
    session: Arc<Session>,
    issued: u64,
    since: u64,
}

/// The tokens that a request shows.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Shown<'a> {
    /// What it may do.
    pub(crate) smart_token: Option<&'a str>,
    /// Keys that come along.
    pub(crate) init_token: Option<&'a str>,
}

impl<'a> Shown<'a> {
    /// The tokens of a body.
    pub(crate) fn of(body: &'a Body<'_>) -> Self {
        Self { smart_token: body.smart_token.as_deref(), init_token: body.init_token.as_deref() }
    }

    /// The smart token, which must be there.
    pub(crate) fn smart_token(self) -> Result<&'a str, rpc::Error> {
        self.smart_token.ok_or(rpc::Error::Missing("smart_token"))
    }
}

impl Room {
    /// Opens the room, with the keys of the model directory where there are some.
    pub(crate) fn new(setting: Setting, now: u64) -> Self {
        let keys = setting.verification.clone().map(Arc::new);
        let room = Self { setting, state: RwLock::new(State { keys, ..State::default() }) };
        if let Some(token) = &room.setting.init_token {
            match room.load(token, now) {
                Ok(init) => match init.scopes() {
                    Ok(scopes) => room.write(|state| state.standing = Some((init.common.sub, scopes))),
                    Err(error) => note(&error.to_string()),
                },
                Err(refusal) => note(&format!("the init token in the model directory was refused: {}", refusal.message)),
            }
        }
        room
    }

    /// What the container was told.
    pub(crate) const fn setting(&self) -> &Setting {
        &self.setting
    }

    /// Whether it can serve once keys arrive.
    pub(crate) const fn ready(&self) -> bool {
        self.setting.private_key.is_some() && self.setting.verification.is_some()
    }

    /// `rpc: init`: loads a key packet.
    pub(crate) fn init(&self, shown: Shown<'_>, now: u64, out: &mut Vec<u8>) -> Result<Attributes, Refusal> {
        let token = shown.init_token.ok_or(rpc::Error::Missing("init_token"))?;
        let init = self.load(token, now)?;
        let answer = json!({"transcoder_response": "Transcoder Initialization successful", "smart_token": init.smart_token});
        out.extend_from_slice(answer.to_string().as_bytes());
        Ok(Some(format!("packet={}", init.packet_id)))
    }

    /// `rpc: request`: translates. With `packet`, only under that packet's keys.
    pub(crate) fn request(
        &self,
        shown: Shown<'_>,
        packet: Option<&str>,
        ids: Ids<'_>,
        now: u64,
        out: &mut Vec<u8>,
    ) -> Result<Attributes, Refusal> {
        let token = shown.smart_token()?;
        // A packet that is not here comes along before the token is looked at: it may bring the very key that verifies it.
        if let Some(packet) = packet
            && !self.holds(packet, now)
        {
            self.load(shown.init_token.ok_or_else(no_keys)?, now)?;
        }
        let verified = self.verify(token, now)?;
        let client = verified.client();
        let session = match (self.session(client, packet, now), shown.init_token) {
            (Ok(session), _) => session,
            (Err(refusal), None) => return Err(refusal),
            (Err(_), Some(init_token)) => {
                // Keys sent along are for the one who asks.
                if self.load(init_token, now)?.common.sub != client {
                    return Err(Refusal::new(Code::S011));
                }
                self.session(client, packet, now)?
            }
        };
        self.translate(&session, &verified.scopes, ids, now, out)
    }

    /// Translates lines under the model directory's keys, for batch transform.
    pub(crate) fn lines(&self, ids: Ids<'_>, now: u64, out: &mut Vec<u8>) -> Result<Attributes, Refusal> {
        let standing = self.read(|state| state.standing.clone());
        let (client, scopes) = standing.ok_or_else(|| {
            let message = "without a smart token only batch transform is served: no init token came in the model directory";
            Refusal::saying(Code::S001, message)
        })?;
        self.translate(&*self.session(&client, None, now)?, &scopes, ids, now, out)
    }

    /// `rpc: metrics`: the state, without secrets.
    pub(crate) fn metrics(&self, now: u64, out: &mut Vec<u8>) {
        let body = self.read(|state| {
            let sessions: Vec<Value> = state
                .sessions
                .values()
                .flatten()
                .filter(|loaded| now < loaded.session.expires())
                .map(|Loaded { session, since, .. }| {
                    let domains: serde_json::Map<_, _> = session.kids().map(|(domain, kids)| (domain.to_string(), json!(kids))).collect();
                    json!({
                        "client_id": session.client_id(), "packet_id": session.packet_id(), "age": now.saturating_sub(*since),
                        "expires_in": session.expires() - now, "key_ids": domains,
                    })
                })
                .collect();
            let translated: Vec<Value> = state
                .translated
                .iter()
                .map(|(direction, count)| json!({"from": direction.from, "to": direction.to, "count": count}))
                .collect();
            json!({
                "version": env!("CARGO_PKG_VERSION"), "ready": self.ready(), "sessions": sessions, "translated": translated,
                "previous": state.previous,
            })
        });
        out.extend_from_slice(body.to_string().as_bytes());
    }

    fn translate(&self, session: &Session, scopes: &Scopes, ids: Ids<'_>, now: u64, out: &mut Vec<u8>) -> Result<Attributes, Refusal> {
        let usage = ids.transcode(|| Batch::new(session, scopes, now), out)?;
        self.write(|state| {
            for (direction, count) in &usage.translated {
                *state.translated.entry(*direction).or_default() += count;
            }
            state.previous += usage.previous;
        });
        Ok(Some(attributes(session, &usage)))
    }

    /// Verifies a smart token, or knows it from before.
    fn verify(&self, token: &str, now: u64) -> Result<Arc<Verified>, Refusal> {
        let digest = verified::digest(token);
        if let Some(known) = self.read(|state| state.tokens.find(&digest, now))? {
            return Ok(known);
        }
        let keys = self.keys()?;
        let verified = Arc::new(Verified::verify(token, &keys, &self.setting.issuer, now)?);
        self.write(|state| {
            // Unless the keys have changed meanwhile.
            if state.keys.as_ref().is_some_and(|current| Arc::ptr_eq(current, &keys)) {
                state.tokens.keep(digest, verified.clone(), now);
            }
        });
        Ok(verified)
    }

    /// Verifies an init token and keeps its keys.
    fn load(&self, token: &str, now: u64) -> Result<Init, Refusal> {
        let private_key = self.setting.private_key.as_ref().ok_or_else(|| Refusal::new(Code::S002))?;
        let init: Init = token::verify(token, &*self.keys()?, &self.setting.issuer, now)?;
        let packet = packet::open(&init.key_packet, private_key)?;
        if packet.client_id != init.common.sub || packet.id != init.packet_id {
            return Err(Refusal::new(Code::S006));
        }
        let session = Arc::new(Session::new(packet));
        // The pinned keys first: what is learnt only adds to them.
        let learnt = KeySet::new(&init.jwks).unwrap_or_default();
        let keys = self.setting.verification.clone().map(|pinned| Arc::new(pinned.join(learnt)));
        let loaded = Loaded { session, issued: init.common.iat, since: now };
        self.write(|state| {
            state.keep(loaded, now);
            state.keys = keys;
            state.tokens.clear();
        });
        Ok(init)
    }

    fn session(&self, client: &str, packet: Option<&str>, now: u64) -> Result<Arc<Session>, Refusal> {
        let good = |session: &Session| now < session.expires() && packet.is_none_or(|packet| packet == session.packet_id());
        self.read(|state| state.sessions.get(client)?.iter().map(|loaded| &loaded.session).find(|session| good(session)).cloned())
            .ok_or_else(no_keys)
    }

    fn holds(&self, packet: &str, now: u64) -> bool {
        let is_it = |loaded: &Loaded| loaded.session.packet_id() == packet && now < loaded.session.expires();
        self.read(|state| state.sessions.values().flatten().any(is_it))
    }

    fn keys(&self) -> Result<Arc<KeySet>, Refusal> {
        self.read(|state| state.keys.clone()).ok_or_else(|| Refusal::new(Code::S003))
    }

    fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, write: impl FnOnce(&mut State) -> T) -> T {
        write(&mut self.state.write().unwrap_or_else(PoisonError::into_inner))
    }
}

fn no_keys() -> Refusal {
    Refusal::saying(Code::S007, "this instance holds no keys for this client yet: send the init token along")
}

impl State {
    /// Keeps a packet's keys, and drops what is over or too much.
    fn keep(&mut self, loaded: Loaded, now: u64) {
        self.sessions.retain(|_, packets| {
            packets.retain(|loaded| now < loaded.session.expires());
            !packets.is_empty()
        });
        let client = loaded.session.client_id().to_owned();
        if self.sessions.len() >= MAX_CLIENTS && !self.sessions.contains_key(&client) {
            let since = |packets: &[Loaded]| packets.iter().map(|loaded| loaded.since).max();
            if let Some(oldest) = self.sessions.iter().min_by_key(|(_, packets)| since(packets)).map(|(client, _)| client.clone()) {
                self.sessions.remove(&oldest);
            }
        }
        let packets = self.sessions.entry(client).or_default();
        packets.retain(|known| known.session.packet_id() != loaded.session.packet_id());
        // The one that comes is kept, however old: a request came along with it, which is translated under it.
        packets.truncate(MAX_PACKETS - 1);
        // Of two that were issued in one second the one that comes later is the newer.
        packets.insert(0, loaded);
        packets.sort_by_key(|loaded| std::cmp::Reverse(loaded.issued));
    }
}
