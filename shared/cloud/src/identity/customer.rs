//! The customer's API: `POST /auth/init`, `POST /auth/request`, `GET /health`, and the daily
//! re-initialisation.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use shared::{
    crypto::jws::{self, KeySet},
    identity::{
        rpc::{self, Body, Rpc},
        token::{self, Init, Smart},
    },
};
use tokio::sync::RwLock;

use super::{
    authority_client::AuthorityClient,
    clients::Credentials,
    credential_store::{CredentialStore, InitToken},
    endpoint::{self, Endpoint},
    error::Error,
    route::{credentials, not_found, require_method},
    usage::UsageCounter,
};
use crate::{
    clock::now,
    gateway::{ApiError, Event, Request, Response},
    setting::Environment,
    vault::Vault,
};

/// The header with the number of ids that were encrypted under a previous key of their domain.
pub const PREVIOUS_KEY_HEADER: &str = "X-Rampway-Previous-Key";

/// The minimum time between two requests for the authority's verification keys.
const JWKS_COOLDOWN: Duration = Duration::from_secs(10);
/// An init token is renewed so many seconds before it expires.
const RENEW_BEFORE_SECONDS: u64 = 60;

/// The proxy in front of the transcoder.
pub struct Proxy {
    vault: Vault,
    endpoint: Endpoint,
    usage: UsageCounter,
    store: CredentialStore,
    authority: AuthorityClient,
    issuer: String,
    /// The authority's verification keys, and when they were requested.
    keys: RwLock<(Option<Instant>, KeySet)>,
    /// The init tokens, by client.
    tokens: RwLock<HashMap<String, Arc<InitToken>>>,
}

impl Proxy {
    /// Connects to the resources that the environment names.
    pub async fn from_env(environment: &Environment) -> Result<Self, Error> {
        let vault = Vault::connect(environment).await?;
        Ok(Self {
            endpoint: Endpoint::new(environment, vault.sdk())?,
            vault,
            usage: UsageCounter::new(environment)?,
            store: CredentialStore::new(environment)?,
            authority: AuthorityClient::from_env(environment)?,
            issuer: environment.issuer(),
            keys: RwLock::default(),
            tokens: RwLock::default(),
        })
    }

    /// Handles a request to any of its routes, or its schedule.
    pub async fn event(&self, event: Event) -> Result<Response, ApiError> {
        match event {
            Event::Http(request) => match request.path.as_str() {
                "/auth/init" => require_method("POST", &request, async { Ok(self.init(&request).await?) }).await,
                "/auth/request" => require_method("POST", &request, async { Ok(self.request(&request).await?) }).await,
                "/health" => require_method("GET", &request, async { Ok(self.health().await?) }).await,
                _ => Err(not_found(&request)),
            },
            Event::Schedule(_) => Ok(self.reinitialise().await?.into()),
        }
    }

    async fn init(&self, request: &Request) -> Result<Value, Error> {
        let body = Body::parse(request.body.as_bytes())?;
        let credentials = credentials(&body)?;
        match body.procedure(Rpc::Init, "init")? {
            Rpc::Init => {}
            _ => return Err(rpc::Error::Unknown("init").into()),
        }
        let init = self.initialise(&credentials).await?;
        // The daily re-initialisation and the usage report need the credentials.
        self.store.store(&self.vault, &credentials).await?;
        Ok(json!({"transcoder_response": "Transcoder Initialization successful", "smart_token": init.smart_token}))
    }

    async fn request(&self, request: &Request) -> Result<Response, Error> {
        let max = self.endpoint.max_bytes();
        if request.body.len() > max {
            return Err(Error::TooLarge { max, ids: endpoint::ids_that_fit(max) });
        }
        let body = Body::parse(request.body.as_bytes())?;
        match body.procedure(Rpc::Request, "request, refresh")? {
            Rpc::Refresh => {
                let smart_token = self.authority.smart_token(&credentials(&body)?).await?;
                Ok(json!({"smart_token": smart_token.expose()}).into())
            }
            Rpc::Request => self.translate(&body).await,
            _ => Err(rpc::Error::Unknown("request, refresh").into()),
        }
    }

    async fn translate(&self, body: &Body<'_>) -> Result<Response, Error> {
        let smart_token = body.smart_token.as_deref().ok_or(rpc::Error::Missing("smart_token"))?;
        let data = body.transcode_data.ok_or(rpc::Error::Missing("transcode_data"))?;
        let claims: Smart = self.verify(smart_token).await?;
        let client = &claims.registered.sub;
        if body.client_id.as_ref().is_some_and(|named| named != client) {
            return Err(Error::AnotherClientsToken);
        }
        let init = self.init_token(client).await?;
        let output = self.endpoint.translate(smart_token, data.get(), &init.packet_id, init.text.expose()).await?;
        self.usage.count(self.vault.tables(), client, &output.usage).await?;
        let body = String::from_utf8(output.body).map_err(|_| Error::Endpoint("returned a body that is not UTF-8".into()))?;
        Ok(Response::json(body).with_header(PREVIOUS_KEY_HEADER, output.previous.to_string()))
    }

    async fn health(&self) -> Result<Value, Error> {
        let mut variants = Vec::new();
        for variant in self.endpoint.variants() {
            let mut state = self.endpoint.metrics(variant).await?;
            state["keys_loaded"] = state["sessions"].as_array().is_some_and(|sessions| !sessions.is_empty()).into();
            state["variant"] = variant.as_str().into();
            variants.push(state);
        }
        Ok(json!({"variants": variants}))
    }

    /// Initialises again for every client whose credentials are stored. One client's error does not
    /// stop the others.
    async fn reinitialise(&self) -> Result<Value, Error> {
        let (mut done, mut last_error) = (0, None);
        for client in self.store.client_ids(&self.vault).await? {
            let outcome = async {
                let credentials = self.store.find(&self.vault, &client).await?.ok_or(Error::NotInitialised)?;
                self.initialise(&credentials).await
            };
            match outcome.await {
                Ok(_) => done += 1,
                Err(error) => last_error = Some(error),
            }
        }
        last_error.map_or_else(|| Ok(json!({"reinitialised": done})), Err)
    }

    /// Gets an init token, loads it into every variant, and then stores it: until then the previous
    /// one stays in use.
    async fn initialise(&self, credentials: &Credentials) -> Result<Init, Error> {
        let text = self.authority.init_token(credentials).await?;
        let init: Init = self.verify(text.expose()).await?;
        if init.registered.sub != credentials.client_id {
            return Err(Error::AnotherClientsToken);
        }
        for variant in self.endpoint.variants() {
            self.endpoint.init(variant, text.expose()).await?;
        }
        let token = InitToken { text, packet_id: init.packet_id.clone(), expires: init.registered.exp };
        self.store.store_init_token(&self.vault, &init.registered.sub, &token).await?;
        self.tokens.write().await.insert(init.registered.sub.clone(), Arc::new(token));
        Ok(init)
    }

    /// The client's init token; a new one if the stored one has expired, or is about to.
    ///
    /// The vault is read each time for the current packet: another process may have initialised,
    /// and all processes must translate under one packet.
    async fn init_token(&self, client: &str) -> Result<Arc<InitToken>, Error> {
        let stored = self.store.stored_packet(&self.vault, client).await?;
        let is_usable = |expires| now() + RENEW_BEFORE_SECONDS < expires;
        let Some((packet_id, _)) = stored.filter(|(_, expires)| is_usable(*expires)) else {
            let credentials = self.store.find(&self.vault, client).await?.ok_or(Error::NotInitialised)?;
            self.initialise(&credentials).await?;
            return self.tokens.read().await.get(client).cloned().ok_or(Error::NotInitialised);
        };
        if let Some(token) = self.tokens.read().await.get(client).filter(|token| token.packet_id == packet_id) {
            return Ok(token.clone());
        }
        let token = Arc::new(self.store.find_init_token(&self.vault, client).await?.ok_or(Error::NotInitialised)?);
        self.tokens.write().await.insert(client.into(), token.clone());
        Ok(token)
    }

    /// Verifies a token. If its key is unknown, the authority's keys are requested first.
    async fn verify<C: token::Claims>(&self, text: &str) -> Result<C, Error> {
        let (requested, keys) = self.keys.read().await.clone();
        match token::verify(text, &keys, &self.issuer, now()) {
            Err(token::Error::Signature(jws::Error::UnknownKey)) if requested.is_none_or(|at| at.elapsed() > JWKS_COOLDOWN) => {}
            outcome => return Ok(outcome?),
        }
        let keys = self.authority.verification_keys().await?;
        *self.keys.write().await = (Some(Instant::now()), keys.clone());
        Ok(token::verify(text, &keys, &self.issuer, now())?)
    }
}
