//! The tables of the authority, and what the commands have in common.

use shared::{crypto::system_rng, encoding::hex, secret::Secret};

use super::{
    super::{
        clients::Clients,
        domains::Domains,
        keyring::Keyring,
        permits::Permits,
        usage::{UsageReceiver, UsageRecord},
    },
    error::Error,
};
use crate::{
    clock::now,
    setting::Environment,
    vault::{self, Item, Scan, Vault, condition_held, n, number, optional_number, s, service_error},
};

/// The authority's administration.
pub struct Admin {
    pub(super) vault: Vault,
    pub(super) clients: Clients,
    pub(super) domains: Domains,
    pub(super) permits: Permits,
    pub(super) keyring: Keyring,
    pub(super) usage: UsageReceiver,
}

/// One version of a key, without the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    /// Its id.
    pub kid: String,
    /// From when it encrypts or signs, in seconds since 1970.
    pub not_before: u64,
    /// When it expires, in seconds since 1970, if it does.
    pub not_after: Option<u64>,
}

impl Admin {
    /// Connects to the resources that the environment names.
    pub async fn from_env(environment: &Environment) -> Result<Self, Error> {
        Ok(Self {
            vault: Vault::connect(environment).await?,
            clients: Clients::new(environment)?,
            domains: Domains::new(environment)?,
            permits: Permits::new(environment)?,
            keyring: Keyring::new(environment)?,
            usage: UsageReceiver::new(environment)?,
        })
    }

    /// The reported usage of a client.
    pub async fn usage(&self, client_id: &str) -> Result<Vec<UsageRecord>, Error> {
        Ok(self.usage.list(&self.vault, client_id).await?)
    }

    pub(super) async fn scan(&self, table: &str) -> Result<Vec<Item>, Error> {
        Ok(self.vault.tables().scan_items(Scan::new(table)).await?)
    }

    /// Lets a version of a key expire now. `what` names it if there is none.
    pub(super) async fn expire_key<const N: usize>(
        &self,
        table: &str,
        key: [(&str, String); N],
        what: impl Fn() -> String,
    ) -> Result<(), Error> {
        let mut update = self.vault.dynamo().update_item().table_name(table);
        for (name, value) in key {
            update = update.key(name, s(value));
        }
        let update = update.update_expression("SET not_after = :now").condition_expression("attribute_exists(not_before)");
        require_found(update.expression_attribute_values(":now", n(now())).send().await.map_err(service_error("DynamoDB")), what)
    }
}

/// A new random key id.
pub(super) fn new_kid() -> String {
    let id: Secret<8> = Secret::generate(&mut system_rng());
    hex(id.expose())
}

/// Reads a version of a key.
pub(super) fn key_info(kid: &str, item: &Item) -> Result<KeyInfo, vault::Error> {
    Ok(KeyInfo { kid: kid.into(), not_before: number(item, "not_before")?, not_after: optional_number(item, "not_after")? })
}

/// Maps a write's condition that did not hold to [`Error::Exists`].
pub(super) fn require_new<T>(outcome: Result<T, vault::Error>, what: impl Fn() -> String) -> Result<(), Error> {
    if condition_held(outcome)? { Ok(()) } else { Err(Error::Exists(what())) }
}

/// Maps a write's condition that did not hold to [`Error::NotFound`].
pub(super) fn require_found<T>(outcome: Result<T, vault::Error>, what: impl Fn() -> String) -> Result<(), Error> {
    if condition_held(outcome)? { Ok(()) } else { Err(Error::NotFound(what())) }
}
