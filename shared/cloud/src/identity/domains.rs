//! Domains and the versions of their keys, as they are stored.

use shared::{
    identity::{
        Domain, Scopes,
        packet::{DomainKeys, KeyVersion},
    },
    secret::Secret,
};

use super::{error::Error, setting::Table};
use crate::{
    setting::Environment,
    vault::{self, Query, Vault, number, optional_number, string},
};

/// The sort key of a domain's own item.
pub(super) const OWNER: &str = "owner";
/// The prefix of the sort keys of key versions.
pub(super) const KEY: &str = "key#";

/// The table of domains and their keys.
pub(super) struct Domains {
    table: String,
}

impl Domains {
    /// Finds the table.
    pub(super) fn new(environment: &Environment) -> Result<Self, Error> {
        Ok(Self { table: Table::Domains.name(environment)? })
    }

    /// The table's name.
    pub(super) fn table(&self) -> &str {
        &self.table
    }

    /// The owner of a domain, and the versions of its key that are not retired at `now`.
    pub(super) async fn find(&self, vault: &Vault, domain: Domain, now: u64) -> Result<Option<(String, DomainKeys)>, Error> {
        let items = vault.tables().query_items(Query::new(&self.table, "domain", domain.as_str())).await?;
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

    /// The keys of every domain in some scopes. A domain that no longer exists is left out.
    pub(super) async fn keys(&self, vault: &Vault, scopes: &Scopes, now: u64) -> Result<Vec<DomainKeys>, Error> {
        let mut all = Vec::new();
        for domain in scopes.domains() {
            all.extend(self.find(vault, domain, now).await?.map(|(_, keys)| keys));
        }
        Ok(all)
    }
}

/// The name that a key version is encrypted under.
pub(super) fn label(domain: Domain, kid: &str) -> String {
    format!("domain#{domain}#{kid}")
}
