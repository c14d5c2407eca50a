//! The transcoder: the domain keys of each client, held in memory only, and the operations on them.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use serde_json::{Value, json};
use shared::{
    crypto::jws::KeySet,
    identity::{
        ClientKeys, Code, Direction, Scopes, packet,
        rpc::{self, Body, Ids},
        token::{self, Init},
        translate::{Batch, Usage},
    },
};

use crate::{
    api_error::ApiError,
    log::log,
    packet_store::{LoadedPacket, PacketStore},
    setting::Setting,
    token_cache::{self, TokenCache, VerifiedToken},
};

/// A response's custom attributes, `packet=…;previous=…;usage=…`.
pub(crate) type CustomAttributes = Option<String>;

/// The transcoder's configuration and state.
pub(crate) struct Transcoder {
    setting: Setting,
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    packets: PacketStore,
    /// The keys that verify tokens: the pinned ones and those of the latest init token, which
    /// announces the authority's next key.
    verification_keys: Option<Arc<KeySet>>,
    /// Smart tokens verified with these keys.
    tokens: TokenCache,
    /// The client of the model directory's init token, and the directions it may translate without
    /// a smart token.
    batch_transform: Option<(String, Scopes)>,
    translated: HashMap<Direction, u64>,
    previous: u64,
}

/// The tokens of a request.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RequestTokens<'a> {
    /// Grants the translation.
    pub(crate) smart_token: Option<&'a str>,
    /// Carries domain keys.
    pub(crate) init_token: Option<&'a str>,
}

impl<'a> RequestTokens<'a> {
    /// The tokens of a JSON body.
    pub(crate) fn of(body: &'a Body<'_>) -> Self {
        Self { smart_token: body.smart_token.as_deref(), init_token: body.init_token.as_deref() }
    }

    /// The smart token, which is required.
    pub(crate) fn smart_token(self) -> Result<&'a str, rpc::Error> {
        self.smart_token.ok_or(rpc::Error::Missing("smart_token"))
    }
}

impl Transcoder {
    /// Creates a transcoder and loads the init token in the model directory, if there is one.
    pub(crate) fn new(setting: Setting, now: u64) -> Self {
        let verification_keys = setting.verification_keys.clone().map(Arc::new);
        let transcoder = Self { setting, state: RwLock::new(State { verification_keys, ..State::default() }) };
        if let Some(token) = &transcoder.setting.init_token {
            let loaded = transcoder.load_packet(token, now).and_then(|init| Ok((init.scopes()?, init)));
            match loaded {
                Ok((scopes, init)) => transcoder.write(|state| state.batch_transform = Some((init.registered.sub, scopes))),
                Err(error) => log(&format!("cannot load the init token in the model directory: {}", error.message)),
            }
        }
        transcoder
    }

    /// The container's configuration.
    pub(crate) const fn setting(&self) -> &Setting {
        &self.setting
    }

    /// Whether the transcoder can serve requests once it has domain keys.
    pub(crate) const fn ready(&self) -> bool {
        self.setting.private_key.is_some() && self.setting.verification_keys.is_some()
    }

    /// `rpc: init`: loads a key packet.
    pub(crate) fn init(&self, tokens: RequestTokens<'_>, now: u64, out: &mut Vec<u8>) -> Result<CustomAttributes, ApiError> {
        let token = tokens.init_token.ok_or(rpc::Error::Missing("init_token"))?;
        let init = self.load_packet(token, now)?;
        let body = json!({"transcoder_response": "Transcoder Initialization successful", "smart_token": init.smart_token});
        out.extend_from_slice(body.to_string().as_bytes());
        Ok(Some(format!("packet={}", init.packet_id)))
    }

    /// `rpc: request`: translates. With `packet`, only with the keys of the packet of that id.
    pub(crate) fn request(
        &self,
        tokens: RequestTokens<'_>,
        packet: Option<&str>,
        ids: Ids<'_>,
        now: u64,
        out: &mut Vec<u8>,
    ) -> Result<CustomAttributes, ApiError> {
        let smart_token = tokens.smart_token()?;
        // A missing packet is loaded before the smart token is verified: it may carry the key that
        // verifies the token.
        if let Some(packet) = packet
            && !self.has_packet(packet, now)
        {
            self.load_packet(tokens.init_token.ok_or_else(no_keys)?, now)?;
        }
        let verified = self.verify(smart_token, now)?;
        let client_id = verified.client_id();
        let keys = match (self.client_keys(client_id, packet, now), tokens.init_token) {
            (Ok(keys), _) => keys,
            (Err(error), None) => return Err(error),
            (Err(_), Some(init_token)) => {
                // The init token must belong to the smart token's client.
                if self.load_packet(init_token, now)?.registered.sub != client_id {
                    return Err(ApiError::new(Code::S011));
                }
                self.client_keys(client_id, packet, now)?
            }
        };
        self.translate(&keys, &verified.scopes, ids, now, out)
    }

    /// Translates a batch transform request, with the keys of the model directory.
    pub(crate) fn translate_batch_transform(&self, ids: Ids<'_>, now: u64, out: &mut Vec<u8>) -> Result<CustomAttributes, ApiError> {
        let batch_transform = self.read(|state| state.batch_transform.clone());
        let (client_id, scopes) = batch_transform.ok_or_else(|| {
            let message = "the request has no smart token, and the model directory has no init token for batch transform; add one of them";
            ApiError::with_message(Code::S001, message)
        })?;
        self.translate(&*self.client_keys(&client_id, None, now)?, &scopes, ids, now, out)
    }

    /// `rpc: metrics`: the state, without secrets.
    pub(crate) fn metrics(&self, now: u64, out: &mut Vec<u8>) {
        let body = self.read(|state| {
            let sessions: Vec<Value> = state
                .packets
                .valid(now)
                .map(|LoadedPacket { keys, loaded_at, .. }| {
                    let domains: serde_json::Map<_, _> = keys.kids().map(|(domain, kids)| (domain.to_string(), json!(kids))).collect();
                    json!({
                        "client_id": keys.client_id(), "packet_id": keys.packet_id(), "age": now.saturating_sub(*loaded_at),
                        "expires_in": keys.expires() - now, "key_ids": domains,
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

    fn translate(
        &self,
        keys: &ClientKeys,
        scopes: &Scopes,
        ids: Ids<'_>,
        now: u64,
        out: &mut Vec<u8>,
    ) -> Result<CustomAttributes, ApiError> {
        let usage = ids.transcode(|| Batch::new(keys, scopes, now), out)?;
        self.write(|state| {
            for (direction, count) in &usage.translated {
                *state.translated.entry(*direction).or_default() += count;
            }
            state.previous += usage.previous;
        });
        Ok(Some(usage_attributes(keys, &usage)))
    }

    /// Verifies a smart token, or finds it in the cache.
    fn verify(&self, token: &str, now: u64) -> Result<Arc<VerifiedToken>, ApiError> {
        let digest = token_cache::digest(token);
        if let Some(cached) = self.read(|state| state.tokens.get(&digest, now))? {
            return Ok(cached);
        }
        let keys = self.verification_keys()?;
        let verified = Arc::new(VerifiedToken::verify(token, &keys, &self.setting.issuer, now)?);
        self.write(|state| {
            // Not if the key set has changed since.
            if state.verification_keys.as_ref().is_some_and(|current| Arc::ptr_eq(current, &keys)) {
                state.tokens.insert(digest, verified.clone(), now);
            }
        });
        Ok(verified)
    }

    /// Verifies an init token and loads its key packet.
    fn load_packet(&self, token: &str, now: u64) -> Result<Init, ApiError> {
        let private_key = self.setting.private_key.as_ref().ok_or_else(|| ApiError::new(Code::S002))?;
        let init: Init = token::verify(token, &*self.verification_keys()?, &self.setting.issuer, now)?;
        let packet = packet::open(&init.key_packet, private_key)?;
        if packet.client_id != init.registered.sub || packet.id != init.packet_id {
            return Err(ApiError::new(Code::S006));
        }
        let keys = Arc::new(ClientKeys::new(packet));
        // The pinned keys come first: the token's keys are only added to them.
        let added = KeySet::new(&init.jwks).unwrap_or_default();
        let verification_keys = self.setting.verification_keys.clone().map(|pinned| Arc::new(pinned.merge(added)));
        let loaded = LoadedPacket { keys, issued_at: init.registered.iat, loaded_at: now };
        self.write(|state| {
            state.packets.insert(loaded, now);
            state.verification_keys = verification_keys;
            state.tokens.clear();
        });
        Ok(init)
    }

    fn client_keys(&self, client_id: &str, packet: Option<&str>, now: u64) -> Result<Arc<ClientKeys>, ApiError> {
        self.read(|state| state.packets.keys(client_id, packet, now).cloned()).ok_or_else(no_keys)
    }

    fn has_packet(&self, packet: &str, now: u64) -> bool {
        self.read(|state| state.packets.valid(now).any(|loaded| loaded.keys.packet_id() == packet))
    }

    fn verification_keys(&self) -> Result<Arc<KeySet>, ApiError> {
        self.read(|state| state.verification_keys.clone()).ok_or_else(|| ApiError::new(Code::S003))
    }

    fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, write: impl FnOnce(&mut State) -> T) -> T {
        write(&mut self.state.write().unwrap_or_else(PoisonError::into_inner))
    }
}

fn no_keys() -> ApiError {
    ApiError::with_message(Code::S007, "this instance has no keys for this client; send the init token with the request")
}

/// SageMaker allows up to 1,024 characters of attributes, which
/// [`shared::identity::translate::MAX_DOMAIN_PAIRS`] ensures.
fn usage_attributes(keys: &ClientKeys, usage: &Usage) -> String {
    let directions: Vec<_> =
        usage.translated.iter().map(|(direction, count)| format!("{}-{}:{count}", direction.from, direction.to)).collect();
    format!("packet={};previous={};usage={}", keys.packet_id(), usage.previous, directions.join(","))
}
