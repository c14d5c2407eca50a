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
        rpc::{self, Body, Failure},
        token::{self, Init, Smart},
        translate::{Batch, Usage},
    },
};

use crate::setting::Setting;

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
    /// Verification keys that came in a verified init token: the authority's next keys.
    learnt: KeySet,
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

/// An answer: its body, and the attributes that go into its header.
pub(crate) struct Answer {
    /// The body.
    pub(crate) body: Vec<u8>,
    /// `packet=…;previous=…;usage=…`, when something was translated.
    pub(crate) attributes: Option<String>,
}

/// A refusal, before it becomes `{"code","message"}`.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The documented code.
    pub(crate) code: Code,
    /// The sentence for the caller.
    pub(crate) message: String,
}

impl Refusal {
    /// The body of the answer.
    pub(crate) fn body(&self) -> Failure {
        Failure::new(self.code, &self.message)
    }

    fn new(code: Code) -> Self {
        Self { code, message: code.meaning().into() }
    }
}

impl From<rpc::Error> for Refusal {
    fn from(error: rpc::Error) -> Self {
        Self { code: error.code(), message: error.to_string() }
    }
}

impl From<token::Error> for Refusal {
    fn from(error: token::Error) -> Self {
        note(&error.to_string());
        Self { code: error.code(), message: error.sentence().into() }
    }
}

impl From<packet::Error> for Refusal {
    fn from(error: packet::Error) -> Self {
        note(&error.to_string());
        Self::new(error.code())
    }
}

impl Room {
    /// Opens the room, with the keys of the model directory where there are some.
    pub(crate) fn new(setting: Setting, now: u64) -> Self {
        let room = Self { setting, state: RwLock::default() };
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
    pub(crate) fn init(&self, body: &Body<'_>, now: u64) -> Result<Answer, Refusal> {
        let token = body.init_token.as_deref().ok_or(rpc::Error::Missing("init_token"))?;
        let init = self.load(token, now)?;
        let answer = json!({"transcoder_response": "Transcoder Initialization successful", "smart_token": init.smart_token});
        Ok(Answer { body: answer.to_string().into_bytes(), attributes: Some(format!("packet={}", init.packet_id)) })
    }

    /// `rpc: request`: translates. With `packet`, only under that packet's keys.
    pub(crate) fn request(&self, body: &Body<'_>, packet: Option<&str>, now: u64) -> Result<Answer, Refusal> {
        let token = body.smart_token.as_deref().ok_or(rpc::Error::Missing("smart_token"))?;
        let data = body.transcode_data.ok_or(rpc::Error::Missing("transcode_data"))?;
        self.under_token((token, body.init_token.as_deref()), packet, now, |batch, out| rpc::transcode(data, batch, out))
    }

    /// Translates under a smart token; an init token that comes along brings the keys.
    pub(crate) fn under_token(
        &self,
        (smart_token, init_token): (&str, Option<&str>),
        packet: Option<&str>,
        now: u64,
        translate: impl FnOnce(&mut Batch<'_>, &mut Vec<u8>) -> Result<(), rpc::Error>,
    ) -> Result<Answer, Refusal> {
        // A packet that is not here comes along before the token is looked at: it may bring the very key that verifies it.
        if let Some(packet) = packet
            && !self.holds(packet, now)
        {
            self.load(init_token.ok_or_else(no_keys)?, now)?;
        }
        let claims: Smart = token::verify(smart_token, &self.keys()?, &self.setting.issuer, now)?;
        let scopes = claims.scopes()?;
        let client = &claims.common.sub;
        let session = match (self.session(client, packet, now), init_token) {
            (Ok(session), _) => session,
            (Err(refusal), None) => return Err(refusal),
            (Err(_), Some(init_token)) => {
                // Keys sent along are for the one who asks.
                if self.load(init_token, now)?.common.sub != *client {
                    return Err(Refusal::new(Code::S011));
                }
                self.session(client, packet, now)?
            }
        };
        self.translate(&session, &scopes, now, translate)
    }

    /// Translates a body of lines under the model directory's keys, for batch transform.
    pub(crate) fn lines(
        &self,
        now: u64,
        translate: impl FnOnce(&mut Batch<'_>, &mut Vec<u8>) -> Result<(), rpc::Error>,
    ) -> Result<Answer, Refusal> {
        let standing = self.read(|state| state.standing.clone());
        let (client, scopes) = standing.ok_or_else(|| Refusal {
            code: Code::S001,
            message: "without a smart token only batch transform is served: no init token came in the model directory".into(),
        })?;
        self.translate(&*self.session(&client, None, now)?, &scopes, now, translate)
    }

    /// `rpc: metrics`: the state, without secrets.
    pub(crate) fn metrics(&self, now: u64) -> Answer {
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
        Answer { body: body.to_string().into_bytes(), attributes: None }
    }

    fn translate(
        &self,
        session: &Session,
        scopes: &Scopes,
        now: u64,
        translate: impl FnOnce(&mut Batch<'_>, &mut Vec<u8>) -> Result<(), rpc::Error>,
    ) -> Result<Answer, Refusal> {
        let mut batch = Batch::new(session, scopes, now);
        let mut body = Vec::new();
        translate(&mut batch, &mut body)?;
        let usage = batch.finish().map_err(rpc::Error::from)?;
        self.write(|state| {
            for (direction, count) in &usage.translated {
                *state.translated.entry(*direction).or_default() += count;
            }
            state.previous += usage.previous;
        });
        Ok(Answer { body, attributes: Some(attributes(session, &usage)) })
    }

    /// Verifies an init token and keeps its keys.
    fn load(&self, token: &str, now: u64) -> Result<Init, Refusal> {
        let private_key = self.setting.private_key.as_ref().ok_or_else(|| Refusal::new(Code::S002))?;
        let init: Init = token::verify(token, &self.keys()?, &self.setting.issuer, now)?;
        let packet = packet::open(&init.key_packet, private_key)?;
        if packet.client_id != init.common.sub || packet.id != init.packet_id {
            return Err(Refusal::new(Code::S006));
        }
        let session = Arc::new(Session::new(packet));
        let learnt = KeySet::new(&init.jwks).unwrap_or_default();
        let loaded = Loaded { session, issued: init.common.iat, since: now };
        self.write(|state| {
            state.keep(loaded, now);
            state.learnt = learnt;
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

    /// The pinned keys first: what was learnt only adds to them.
    fn keys(&self) -> Result<KeySet, Refusal> {
        let pinned = self.setting.verification.clone().ok_or_else(|| Refusal::new(Code::S003))?;
        Ok(pinned.join(self.read(|state| state.learnt.clone())))
    }

    fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, write: impl FnOnce(&mut State) -> T) -> T {
        write(&mut self.state.write().unwrap_or_else(PoisonError::into_inner))
    }
}

fn no_keys() -> Refusal {
    Refusal { code: Code::S007, message: "this instance holds no keys for this client yet: send the init token along".into() }
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
        // Of two that were issued in one second the one that comes later is the newer.
        packets.insert(0, loaded);
        packets.sort_by_key(|loaded| std::cmp::Reverse(loaded.issued));
        packets.truncate(MAX_PACKETS);
    }
}

/// SageMaker carries up to 1,024 characters of attributes: [`shared::identity::translate::MAX_PAIRS`] keeps to that.
fn attributes(session: &Session, usage: &Usage) -> String {
    let directions: Vec<_> =
        usage.translated.iter().map(|(direction, count)| format!("{}-{}:{count}", direction.from, direction.to)).collect();
    format!("packet={};previous={};usage={}", session.packet_id(), usage.previous, directions.join(","))
}

/// One line for the log. Tokens, ids and keys never go there.
pub(crate) fn note(line: &str) {
    eprintln!("{}", json!({"function": "transcoder", "message": line}));
}
