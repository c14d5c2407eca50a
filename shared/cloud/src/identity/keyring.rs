//! The authority's signing keys: one signs, and the next is published before it signs.

use std::{
    cmp::Reverse,
    sync::Arc,
    time::{Duration, Instant},
};

use jsonwebtoken::jwk::JwkSet;
use shared::crypto::jws::{KeySet, SigningKey};
use tokio::sync::RwLock;

use super::{error::Error, setting::Table};
use crate::{
    setting::Environment,
    vault::{self, Scan, Vault, number, optional_number, string},
};

/// How long a warm function uses the keys before it reads them again.
const KEYS_TTL: Duration = Duration::from_mins(1);

/// The table of signing keys, with a cache.
pub(super) struct Keyring {
    table: String,
    cache: RwLock<Option<(Instant, Arc<SigningKeys>)>>,
}

/// The signing keys that are not retired.
pub(super) struct SigningKeys {
    /// Newest first.
    keys: Vec<DatedKey>,
}

struct DatedKey {
    key: SigningKey,
    not_before: u64,
}

impl Keyring {
    /// Finds the table.
    pub(super) fn new(environment: &Environment) -> Result<Self, Error> {
        Ok(Self { table: Table::SigningKeys.name(environment)?, cache: RwLock::default() })
    }

    /// The table's name.
    pub(super) fn table(&self) -> &str {
        &self.table
    }

    /// The keys, from the cache if they are fresh.
    pub(super) async fn keys(&self, vault: &Vault, now: u64) -> Result<Arc<SigningKeys>, Error> {
        if let Some((at, keys)) = &*self.cache.read().await
            && at.elapsed() < KEYS_TTL
        {
            return Ok(keys.clone());
        }
        let keys = Arc::new(SigningKeys::read(&self.table, vault, now).await?);
        *self.cache.write().await = Some((Instant::now(), keys.clone()));
        Ok(keys)
    }
}

impl SigningKeys {
    async fn read(table: &str, vault: &Vault, now: u64) -> Result<Self, Error> {
        let mut keys = Vec::new();
        for item in &vault.tables().scan_items(Scan::new(table)).await? {
            if optional_number(item, "not_after")?.is_some_and(|end| end <= now) {
                continue;
            }
            let kid = string(item, "kid")?;
            let pkcs8 = vault.open(&label(kid), item, "private_key").await?;
            let key = SigningKey::from_pkcs8(&pkcs8).map_err(|_| vault::Error::Attribute("private_key"))?;
            keys.push(DatedKey { key, not_before: number(item, "not_before")? });
        }
        keys.sort_by_key(|dated| Reverse(dated.not_before));
        Ok(Self { keys })
    }

    /// The key that signs at `now`.
    pub(super) fn current(&self, now: u64) -> Result<&SigningKey, Error> {
        self.keys.iter().find(|dated| dated.not_before <= now).map(|dated| &dated.key).ok_or(Error::NoSigningKey)
    }

    /// Every key, newest first.
    pub(super) fn all(&self) -> impl Iterator<Item = &SigningKey> {
        self.keys.iter().map(|dated| &dated.key)
    }

    /// The verification keys, as they are published.
    pub(super) fn jwks(&self) -> JwkSet {
        JwkSet { keys: self.all().map(|key| key.public().clone()).collect() }
    }

    /// The verification keys, to verify tokens with.
    pub(super) fn verification(&self) -> KeySet {
        KeySet::new(&self.jwks()).unwrap_or_default()
    }
}

/// The name that a signing key is encrypted under.
pub(super) fn label(kid: &str) -> String {
    format!("signing_key#{kid}")
}
