//! A client of the transcoder's endpoint without the proxy: its tokens come from the authority, and
//! it counts its own usage.

use serde_json::Value;
use shared::{
    identity::{Direction, Domain},
    secret::SecretText,
};
use tokio::sync::Mutex;

use super::{
    authority_client::AuthorityClient,
    clients::Credentials,
    endpoint::{Endpoint, EndpointOutput, InvokeError},
    error::Error,
    usage::UsageCounter,
};
use crate::{setting::Environment, vault::Tables};

/// A client of the endpoint.
pub struct EndpointClient {
    endpoint: Endpoint,
    authority: AuthorityClient,
    credentials: Credentials,
    tables: Tables,
    /// Locked, because two transactions on the items of this process would conflict.
    usage: Mutex<UsageCounter>,
}

impl EndpointClient {
    /// Connects to the resources that the environment names.
    pub async fn from_env(environment: &Environment, credentials: Credentials) -> Result<Self, Error> {
        let tables = Tables::connect(environment).await;
        Ok(Self {
            endpoint: Endpoint::new(environment, tables.sdk())?,
            authority: AuthorityClient::from_env(environment)?,
            credentials,
            usage: Mutex::new(UsageCounter::new(environment)?),
            tables,
        })
    }

    /// The maximum size of a body, in bytes.
    #[must_use]
    pub const fn max_bytes(&self) -> usize {
        self.endpoint.max_bytes()
    }

    /// A new smart token.
    pub async fn smart_token(&self) -> Result<SecretText, Error> {
        self.authority.smart_token(&self.credentials).await
    }

    /// A new init token, for an instance without keys.
    pub async fn init_token(&self) -> Result<SecretText, Error> {
        self.authority.init_token(&self.credentials).await
    }

    /// The state of one instance of each variant.
    pub async fn health(&self) -> Result<Vec<Value>, Error> {
        let mut variants = Vec::new();
        for variant in self.endpoint.variants() {
            let mut state = self.endpoint.metrics(variant).await?;
            state["variant"] = variant.as_str().into();
            variants.push(state);
        }
        Ok(variants)
    }

    /// Sends a body of CSV lines, once. Its usage is not counted yet: see
    /// [`EndpointClient::count`].
    pub async fn translate(&self, lines: Vec<u8>, target: Option<Domain>) -> Result<EndpointOutput, InvokeError> {
        self.endpoint.translate_csv(lines, target).await
    }

    /// Counts the usage of an output. Call it before the output is used.
    pub async fn count(&self, usage: &[(Direction, u64)]) -> Result<(), Error> {
        let counter = self.usage.lock().await;
        counter.count(&self.tables, &self.credentials.client_id, usage).await
    }
}
