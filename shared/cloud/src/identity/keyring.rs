//! The authority's signing keys: one signs, the next is published before it does.

use std::time::{Duration, Instant};

use jsonwebtoken::jwk::JwkSet;
use shared::crypto::jws::{KeySet, SigningKey};
use tokio::sync::RwLock;

use super::Error;
use crate::{
    setting::{Environment, Table},
    vault::{self, Vault, number, optional_number, service, string},
};

/// How long a warm function trusts what it has read.
const FRESH: Duration = Duration::from_mins(1);

/// The table of signing keys, and what was read of it.
pub struct Keyring {
    table: String,
    read: RwLock<Option<(Instant, std::sync::Arc<Keys>)>>,
}

/// The signing keys at one moment.
pub struct Keys {
    /// Newest first.
    keys: Vec<Dated>,
}

struct Dated {
    key: SigningKey,
    not_before: u64,
}

impl Keyring {
    /// Finds the table.
    pub fn new(environment: &Environment) -> Result<Self, Error> {
        Ok(Self { table: environment.table(Table::SigningKeys).map_err(vault::Error::from)?, read: RwLock::default() })
    }

    /// The keys, read again when what was read is old.
    pub async fn keys(&self, vault: &Vault, now: u64) -> Result<std::sync::Arc<Keys>, Error> {
        if let Some((at, keys)) = &*self.read.read().await
            && at.elapsed() < FRESH
        {
            return Ok(keys.clone());
        }
        let keys = std::sync::Arc::new(Keys::read(&self.table, vault, now).await?);
        *self.read.write().await = Some((Instant::now(), keys.clone()));
        Ok(keys)
    }
}

impl Keys {
    async fn read(table: &str, vault: &Vault, now: u64) -> Result<Self, Error> {
        let found = vault.dynamo().scan().table_name(table).consistent_read(true).send().await.map_err(service("DynamoDB"))?;
        let mut keys = Vec::new();
        for item in found.items() {
            if optional_number(item, "not_after")?.is_some_and(|end| end <= now) {
                continue;
            }
            let kid = string(item, "kid")?;
            let pkcs8 = vault.open(&label(kid), item, "private_key").await?;
            let key = SigningKey::from_pkcs8(&pkcs8).map_err(|_| vault::Error::Attribute("private_key"))?;
            keys.push(Dated { key, not_before: number(item, "not_before")? });
        }
        keys.sort_by_key(|dated| std::cmp::Reverse(dated.not_before));
        Ok(Self { keys })
    }

    /// The key that signs at `now`.
    pub fn current(&self, now: u64) -> Result<&SigningKey, Error> {
        self.keys.iter().find(|dated| dated.not_before <= now).map(|dated| &dated.key).ok_or(Error::NoSigningKey)
    }

    /// Every key, newest first.
    pub fn all(&self) -> impl Iterator<Item = &SigningKey> {
        self.keys.iter().map(|dated| &dated.key)
    }

    /// The verification keys, as they are published.
    pub fn jwks(&self) -> JwkSet {
        JwkSet { keys: self.all().map(|key| key.public().clone()).collect() }
    }

    /// The verification keys, for our own use.
    pub fn verification(&self) -> KeySet {
        KeySet::new(&self.jwks()).unwrap_or_default()
    }
}

/// What a signing key is sealed for.
pub fn label(kid: &str) -> String {
    format!("signing_key#{kid}")
}
