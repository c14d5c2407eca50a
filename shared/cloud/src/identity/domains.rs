//! Domains and the versions of their keys, as they are stored.

use shared::{
    identity::{
        Domain, Scopes,
        packet::{DomainKeys, KeyVersion},
    },
    secret::Secret,
};

use super::Error;
use crate::{
    setting::{Environment, Table},
    vault::{self, Item, Vault, number, optional_number, s, service, string},
};

/// The sort key of a domain's own item.
pub const OWNER: &str = "owner";
/// What the sort key of a key's version begins with.
pub const KEY: &str = "key#";

/// The table of domains and their keys.
pub struct Domains {
    table: String,
}

impl Domains {
    /// Finds the table.
    pub fn new(environment: &Environment) -> Result<Self, Error> {
        Ok(Self { table: environment.table(Table::Domains).map_err(vault::Error::from)? })
    }

    /// The table's name.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// The owner of a domain and all versions of its key.
    pub async fn find(&self, vault: &Vault, domain: Domain, now: u64) -> Result<Option<(String, DomainKeys)>, Error> {
        let pages = vault
            .dynamo()
            .query()
            .table_name(&self.table)
            .key_condition_expression("#domain = :domain")
            .expression_attribute_names("#domain", "domain")
            .expression_attribute_values(":domain", s(domain))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let items: Vec<Item> = pages.try_collect().await.map_err(service("DynamoDB"))?;
        let (mut owner, mut keys) = (None, Vec::new());
        for item in &items {
            match string(item, "item")?.strip_prefix(KEY) {
                None => owner = Some(string(item, "owner")?.to_owned()),
                Some(kid) => {
                    let not_after = optional_number(item, "not_after")?;
                    if not_after.is_some_and(|end| end <= now) {
                        continue;
                    }
                    let key = vault.open(&label(domain, kid), item, "key").await?;
                    let key = Secret::from_slice(&key).ok_or(vault::Error::Attribute("key"))?;
                    keys.push(KeyVersion { kid: kid.into(), not_before: number(item, "not_before")?, not_after, key });
                }
            }
        }
        Ok(owner.map(|owner| (owner, DomainKeys { domain, keys })))
    }

    /// The keys of every domain of some scopes; a domain that is gone has none.
    pub async fn keys(&self, vault: &Vault, scopes: &Scopes, now: u64) -> Result<Vec<DomainKeys>, Error> {
        let mut all = Vec::new();
        for domain in scopes.domains() {
            all.extend(self.find(vault, domain, now).await?.map(|(_, keys)| keys));
        }
        Ok(all)
    }
}

/// What a version of a domain's key is sealed for.
pub fn label(domain: Domain, kid: &str) -> String {
    format!("domain#{domain}#{kid}")
}
