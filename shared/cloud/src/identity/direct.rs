//! A client that calls the transcoder's endpoint itself, without the proxy: its tokens come from the authority, and it counts what it uses.

use serde::Deserialize;
use serde_json::Value;
use shared::{
    identity::{Direction, Domain},
    secret::SecretText,
};
use tokio::sync::Mutex;

use super::{
    Credentials, Error, customer,
    endpoint::{Answer, Endpoint, Unanswered},
    usage::Usage,
};
use crate::{
    http::Http,
    setting::{self, Environment},
    vault::{self, Tables},
};

/// A client's own way to the endpoint.
pub struct Direct {
    endpoint: Endpoint,
    http: Http,
    authority: String,
    credentials: Credentials,
    tables: Tables,
    /// This process counts in items of its own, and one transaction after another: two at once would be in each other's way.
    usage: Mutex<Usage>,
}

impl Direct {
    /// Connects to what the environment names.
    pub async fn from_env(environment: &Environment, credentials: Credentials) -> Result<Self, Error> {
        let setting = |error: setting::Error| Error::Vault(vault::Error::Setting(error));
        let tables = Tables::connect(environment).await;
        Ok(Self {
            endpoint: Endpoint::new(environment, tables.sdk())?,
            http: Http::default(),
            authority: environment.authority_url().map_err(setting)?,
            credentials,
            usage: Mutex::new(Usage::new(environment)?),
            tables,
        })
    }

    /// The longest body, in bytes.
    #[must_use]
    pub const fn max_bytes(&self) -> usize {
        self.endpoint.max_bytes()
    }

    /// A new smart token.
    pub async fn smart_token(&self) -> Result<SecretText, Error> {
        #[derive(Deserialize)]
        struct Issued {
            smart_token: SecretText,
        }
        let Issued { smart_token } = customer::ask(&self.http, &self.authority, "/token/request", &self.credentials).await?;
        Ok(smart_token)
    }

    /// A new init token, for an instance that holds no keys.
    pub async fn init_token(&self) -> Result<SecretText, Error> {
        #[derive(Deserialize)]
        struct Issued {
            init_token: SecretText,
        }
        let Issued { init_token } = customer::ask(&self.http, &self.authority, "/token/init", &self.credentials).await?;
        Ok(init_token)
    }

    /// What an instance of each variant says of its state.
    pub async fn health(&self) -> Result<Vec<Value>, Error> {
        let mut variants = Vec::new();
        for variant in self.endpoint.variants() {
            let mut state = self.endpoint.metrics(variant).await?;
            state["variant"] = variant.as_str().into();
            variants.push(state);
        }
        Ok(variants)
    }

    /// Sends a body of CSV lines, once. What is translated is not counted yet: [`Direct::count`].
    pub async fn translate(&self, lines: Vec<u8>, target: Option<Domain>) -> Result<Answer, Unanswered> {
        self.endpoint.lines(lines, target).await
    }

    /// Counts what an answer holds, before anything of it is used.
    pub async fn count(&self, usage: &[(Direction, u64)]) -> Result<(), Error> {
        let counter = self.usage.lock().await;
        counter.count(&self.tables, &self.credentials.client_id, usage).await
    }
}
