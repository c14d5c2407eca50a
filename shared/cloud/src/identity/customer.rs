//! The customer's side: `POST /auth/init`, `POST /auth/request`, `GET /health`, and the daily re-initialisation.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use shared::{
    crypto::jws::{self, KeySet},
    identity::{
        rpc::{self, Body, ErrorBody, Rpc},
        token::{self, Init, Smart},
    },
    secret::SecretText,
};
use tokio::sync::RwLock;

use super::{
    Error, absent,
    clients::Credentials,
    credentials,
    endpoint::{self, Endpoint},
    only,
    usage::Usage,
};
use crate::{
    gateway::{Event, Failure, Reply, Request},
    http::Http,
    setting::{Environment, Table, now},
    vault::{self, Item, Vault, n, number, s, service, string},
};

/// The header that says how many of the ids came under a previous key of their domain.
pub const PREVIOUS: &str = "X-Rampway-Previous-Key";

/// How long an unknown key is not asked for again.
const ASKED: Duration = Duration::from_secs(10);
/// An init token this close to its end, in seconds, is replaced rather than used.
const NEARLY_OVER: u64 = 60;

/// The proxy before the transcoder.
pub struct Proxy {
    vault: Vault,
    http: Http,
    endpoint: Endpoint,
    usage: Usage,
    credentials: CredentialStore,
    authority: String,
    issuer: String,
    keys: RwLock<(Option<Instant>, KeySet)>,
    /// The init tokens that were read, by client.
    tokens: RwLock<HashMap<String, Arc<InitToken>>>,
}

/// A client's init token, as the vault keeps it.
struct InitToken {
    text: SecretText,
    packet_id: String,
    expires: u64,
}

impl Proxy {
    /// Connects to what the environment names.
    pub async fn from_env(environment: &Environment) -> Result<Self, Error> {
        let vault = Vault::connect(environment).await?;
        Ok(Self {
            endpoint: Endpoint::new(environment, vault.sdk())?,
            vault,
            http: Http::default(),
            usage: Usage::new(environment)?,
            credentials: CredentialStore::new(environment)?,
            authority: environment.authority_url().map_err(vault::Error::from)?,
            issuer: environment.issuer(),
            keys: RwLock::default(),
            tokens: RwLock::default(),
        })
    }

    /// Any of its routes, or its schedule.
    pub async fn event(&self, event: Event) -> Result<Reply, Failure> {
        match event {
            Event::Http(request) => match request.path.as_str() {
                "/auth/init" => only("POST", &request, async { Ok(self.init(&request).await?) }).await,
                "/auth/request" => only("POST", &request, async { Ok(self.request(&request).await?) }).await,
                "/health" => only("GET", &request, async { Ok(self.health().await?) }).await,
                _ => Err(absent(&request)),
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
        // Kept, sealed, for the daily re-initialisation and the usage report: nobody has to be there.
        self.credentials.store(&self.vault, &credentials).await?;
        Ok(json!({"transcoder_response": "Transcoder Initialization successful", "smart_token": init.smart_token}))
    }

    async fn request(&self, request: &Request) -> Result<Reply, Error> {
        let max = self.endpoint.max_bytes();
        if request.body.len() > max {
            return Err(Error::TooLarge { max, ids: endpoint::ids_that_fit(max) });
        }
        let body = Body::parse(request.body.as_bytes())?;
        match body.procedure(Rpc::Request, "request, refresh")? {
            Rpc::Refresh => self.refresh(&credentials(&body)?).await,
            Rpc::Request => self.translate(&body).await,
            _ => Err(rpc::Error::Unknown("request, refresh").into()),
        }
    }

    async fn refresh(&self, credentials: &Credentials) -> Result<Reply, Error> {
        #[derive(Deserialize)]
        struct Refreshed {
            smart_token: String,
        }
        let Refreshed { smart_token } = ask(&self.http, &self.authority, "/token/request", credentials).await?;
        Ok(json!({"smart_token": smart_token}).into())
    }

    async fn translate(&self, body: &Body<'_>) -> Result<Reply, Error> {
        let smart_token = body.smart_token.as_deref().ok_or(rpc::Error::Missing("smart_token"))?;
        let data = body.transcode_data.ok_or(rpc::Error::Missing("transcode_data"))?;
        let claims: Smart = self.verify(smart_token).await?;
        let client = &claims.registered.sub;
        if body.client_id.as_ref().is_some_and(|named| named != client) {
            return Err(Error::AnothersToken);
        }
        let init = self.init_token(client).await?;
        let answer = self.endpoint.translate(smart_token, data.get(), &init.packet_id, init.text.expose()).await?;
        self.usage.count(self.vault.tables(), client, &answer.usage).await?;
        let body = String::from_utf8(answer.body).map_err(|_| Error::Endpoint("answered bytes that are no text".into()))?;
        Ok(Reply::json(body).with_header(PREVIOUS, answer.previous.to_string()))
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

    /// Initialises again for every client whose credentials are kept. One client's failure does not hold up the others.
    async fn reinitialise(&self) -> Result<Value, Error> {
        let (mut done, mut failure) = (0, None);
        for client in self.credentials.clients(&self.vault).await? {
            let again = async {
                let credentials = self.credentials.find(&self.vault, &client).await?.ok_or(Error::NotInitialised)?;
                self.initialise(&credentials).await
            };
            match again.await {
                Ok(_) => done += 1,
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or_else(|| Ok(json!({"reinitialised": done})), Err)
    }

    /// Gets an init token, loads it into every variant, and only then keeps it: until then the old keys stay in use.
    async fn initialise(&self, credentials: &Credentials) -> Result<Init, Error> {
        #[derive(Deserialize)]
        struct Initialised {
            init_token: String,
        }
        let Initialised { init_token } = ask(&self.http, &self.authority, "/token/init", credentials).await?;
        let init: Init = self.verify(&init_token).await?;
        if init.registered.sub != credentials.client_id {
            return Err(Error::AnothersToken);
        }
        for variant in self.endpoint.variants() {
            self.endpoint.init(variant, &init_token).await?;
        }
        let kept = InitToken { text: SecretText::new(init_token), packet_id: init.packet_id.clone(), expires: init.registered.exp };
        self.credentials.store_init_token(&self.vault, &init.registered.sub, &kept).await?;
        self.tokens.write().await.insert(init.registered.sub.clone(), Arc::new(kept));
        Ok(init)
    }

    /// The client's init token; a new one when the one that is kept is over.
    ///
    /// Which one is kept is asked each time: another process may have initialised, and all must translate under one packet.
    async fn init_token(&self, client: &str) -> Result<Arc<InitToken>, Error> {
        let kept = self.credentials.kept_packet(&self.vault, client).await?;
        let usable = |expires| now() + NEARLY_OVER < expires;
        let Some((packet_id, _)) = kept.filter(|(_, expires)| usable(*expires)) else {
            let credentials = self.credentials.find(&self.vault, client).await?.ok_or(Error::NotInitialised)?;
            self.initialise(&credentials).await?;
            return self.tokens.read().await.get(client).cloned().ok_or(Error::NotInitialised);
        };
        if let Some(token) = self.tokens.read().await.get(client).filter(|token| token.packet_id == packet_id) {
            return Ok(token.clone());
        }
        let token = Arc::new(self.credentials.find_init_token(&self.vault, client).await?.ok_or(Error::NotInitialised)?);
        self.tokens.write().await.insert(client.into(), token.clone());
        Ok(token)
    }

    /// Verifies a token, asking the authority for its keys when the token's is not known.
    async fn verify<C: token::Claims>(&self, text: &str) -> Result<C, Error> {
        let known = self.keys.read().await.clone();
        match token::verify(text, &known.1, &self.issuer, now()) {
            Err(token::Error::Signature(jws::Error::UnknownKey)) if known.0.is_none_or(|asked| asked.elapsed() > ASKED) => {}
            outcome => return Ok(outcome?),
        }
        let url = format!("{}/.well-known/jwks.json", self.authority);
        let answer = self.http.send(|client| client.get(&url)).await.map_err(|error| Error::Authority(Some(error)))?;
        let text_of_keys = str::from_utf8(&answer.body).map_err(|_| Error::Authority(None))?;
        let keys = KeySet::from_json(text_of_keys).map_err(|_| Error::Authority(None))?;
        *self.keys.write().await = (Some(Instant::now()), keys.clone());
        Ok(token::verify(text, &keys, &self.issuer, now())?)
    }
}

/// Asks the authority for what it gives to those who show a client's credentials.
pub(super) async fn ask<T: DeserializeOwned>(http: &Http, authority: &str, path: &str, credentials: &Credentials) -> Result<T, Error> {
    let url = format!("{authority}{path}");
    let body = json!({"client_id": credentials.client_id, "client_secret": credentials.secret.expose()});
    let answer = http.send(|client| client.post(&url).json(&body)).await.map_err(|error| Error::Authority(Some(error)))?;
    if answer.status.is_success() {
        return serde_json::from_slice(&answer.body).map_err(|_| Error::Authority(None));
    }
    let wire: ErrorBody = serde_json::from_slice(&answer.body).map_err(|_| Error::Authority(None))?;
    Err(Error::Answered { status: answer.status.as_u16(), wire })
}

/// An access token of the ID API.
pub async fn access_token(http: &Http, authority: &str, credentials: &Credentials) -> Result<SecretText, Error> {
    #[derive(Deserialize)]
    struct Granted {
        access_token: SecretText,
    }
    let url = format!("{authority}/token");
    let answer = http
        .send(|client| {
            let (id, secret) = (&credentials.client_id, credentials.secret.expose());
            client.post(&url).form(&[("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)])
        })
        .await
        .map_err(|error| Error::Authority(Some(error)))?;
    if answer.status == 401 {
        return Err(Error::Credentials);
    }
    serde_json::from_slice(&answer.body).map(|Granted { access_token }| access_token).map_err(|_| Error::Authority(None))
}

/// The customer's vault: credentials and init tokens, sealed.
pub struct CredentialStore {
    table: String,
}

const CREDENTIALS: &str = "credentials#";
const INIT_TOKEN: &str = "init_token#";

impl CredentialStore {
    /// Finds the table.
    pub fn new(environment: &Environment) -> Result<Self, Error> {
        Ok(Self { table: environment.table(Table::Vault).map_err(vault::Error::from)? })
    }

    /// The credentials of a client.
    pub async fn find(&self, vault: &Vault, client_id: &str) -> Result<Option<Credentials>, Error> {
        let Some((name, item)) = self.item(vault, CREDENTIALS, client_id).await? else { return Ok(None) };
        let secret = self.text(vault, &name, &item).await?;
        Ok(Some(Credentials { client_id: client_id.into(), secret }))
    }

    async fn store(&self, vault: &Vault, credentials: &Credentials) -> Result<(), Error> {
        let name = format!("{CREDENTIALS}{}", credentials.client_id);
        let sealed = vault.seal(&name, credentials.secret.expose().as_bytes()).await?;
        let put = vault.dynamo().put_item().table_name(&self.table).item("name", s(name)).item("sealed", sealed);
        put.send().await.map_err(service("DynamoDB"))?;
        Ok(())
    }

    async fn clients(&self, vault: &Vault) -> Result<Vec<String>, Error> {
        let pages = vault
            .dynamo()
            .scan()
            .table_name(&self.table)
            .filter_expression("begins_with(#name, :credentials)")
            .projection_expression("#name")
            .expression_attribute_names("#name", "name")
            .expression_attribute_values(":credentials", s(CREDENTIALS))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let items: Vec<Item> = pages.try_collect().await.map_err(service("DynamoDB"))?;
        Ok(items.iter().filter_map(|item| string(item, "name").ok()?.strip_prefix(CREDENTIALS)).map(str::to_owned).collect())
    }

    async fn find_init_token(&self, vault: &Vault, client_id: &str) -> Result<Option<InitToken>, Error> {
        let Some((name, item)) = self.item(vault, INIT_TOKEN, client_id).await? else { return Ok(None) };
        let text = self.text(vault, &name, &item).await?;
        let (packet_id, expires) = (string(&item, "packet_id")?.into(), number(&item, "expires_at")?);
        Ok(Some(InitToken { text, packet_id, expires }))
    }

    /// The name and the end of the packet of the init token that is kept, without the token.
    async fn kept_packet(&self, vault: &Vault, client_id: &str) -> Result<Option<(String, u64)>, Error> {
        let get = vault.dynamo().get_item().table_name(&self.table).key("name", s(format!("{INIT_TOKEN}{client_id}")));
        let found = get.consistent_read(true).projection_expression("packet_id, expires_at").send().await;
        let found = found.map_err(service("DynamoDB"))?.item;
        Ok(found.map(|item| Ok::<_, vault::Error>((string(&item, "packet_id")?.into(), number(&item, "expires_at")?))).transpose()?)
    }

    async fn store_init_token(&self, vault: &Vault, client_id: &str, token: &InitToken) -> Result<(), Error> {
        let name = format!("{INIT_TOKEN}{client_id}");
        let sealed = vault.seal(&name, token.text.expose().as_bytes()).await?;
        let put = vault.dynamo().put_item().table_name(&self.table).item("name", s(name)).item("sealed", sealed);
        let put = put.item("packet_id", s(&token.packet_id)).item("expires_at", n(token.expires));
        put.send().await.map_err(service("DynamoDB"))?;
        Ok(())
    }

    async fn item(&self, vault: &Vault, kind: &str, client_id: &str) -> Result<Option<(String, Item)>, Error> {
        let name = format!("{kind}{client_id}");
        let found = vault.dynamo().get_item().table_name(&self.table).key("name", s(&name)).consistent_read(true).send().await;
        Ok(found.map_err(service("DynamoDB"))?.item.map(|item| (name, item)))
    }

    async fn text(&self, vault: &Vault, name: &str, item: &Item) -> Result<SecretText, Error> {
        let bytes = vault.open(name, item, "sealed").await?;
        let text = str::from_utf8(&bytes).map_err(|_| vault::Error::Sealed(name.into()))?;
        Ok(SecretText::new(text.into()))
    }
}
