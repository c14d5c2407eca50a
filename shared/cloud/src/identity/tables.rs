//! Permits and domain keys, as they are stored.

use shared::{
    identity::{
        Direction, Domain, Scopes,
        packet::{DomainKeys, KeyVersion},
        scope::{Order, Permit},
    },
    secret::Secret,
};

use super::Error;
use crate::{
    setting::{Environment, Table},
    vault::{self, Item, Vault, n, number, optional_number, s, service, string},
};

/// The sort key of a domain's own item.
pub const OWNER: &str = "owner";
/// What the sort key of a key's version begins with.
pub const KEY: &str = "key#";

/// The tables of permits and domains.
pub struct Tables {
    /// Permission orders, by client and direction.
    pub permits: String,
    /// Domains and their keys.
    pub domains: String,
}

impl Tables {
    /// Finds the tables.
    pub fn new(environment: &Environment) -> Result<Self, Error> {
        let table = |table| environment.table(table).map_err(vault::Error::from);
        Ok(Self { permits: table(Table::Permits)?, domains: table(Table::Domains)? })
    }

    /// The directions that both owners' orders allow a client at `now`.
    pub async fn scopes(&self, vault: &Vault, client_id: &str, now: u64) -> Result<Scopes, Error> {
        let permits = self.permits(vault, client_id).await?;
        Ok(permits.into_iter().filter(|(_, permit)| permit.stands(now)).map(|(direction, _)| direction).collect())
    }

    /// What was ordered for a client.
    pub async fn permits(&self, vault: &Vault, client_id: &str) -> Result<Vec<(Direction, Permit)>, Error> {
        let pages = vault
            .dynamo()
            .query()
            .table_name(&self.permits)
            .key_condition_expression("client_id = :client")
            .expression_attribute_values(":client", s(client_id))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let items: Vec<Item> = pages.try_collect().await.map_err(service("DynamoDB"))?;
        items.iter().map(|item| Ok((read_direction(string(item, "direction")?)?, read_permit(item)?))).collect()
    }

    /// The owner of a domain and all versions of its key.
    pub async fn domain(&self, vault: &Vault, domain: Domain, now: u64) -> Result<Option<(String, DomainKeys)>, Error> {
        let pages = vault
            .dynamo()
            .query()
            .table_name(&self.domains)
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
            all.extend(self.domain(vault, domain, now).await?.map(|(_, keys)| keys));
        }
        Ok(all)
    }
}

/// What a version of a domain's key is sealed for.
pub fn label(domain: Domain, kid: &str) -> String {
    format!("domain#{domain}#{kid}")
}

/// A direction as a sort key.
pub fn write_direction(direction: Direction) -> String {
    format!("{}#{}", direction.from, direction.to)
}

/// Reads a sort key; what follows the two domains is the caller's.
pub fn read_direction(text: &str) -> Result<Direction, vault::Error> {
    let mut parts = text.split('#').map(str::parse);
    match (parts.next(), parts.next()) {
        (Some(Ok(from)), Some(Ok(to))) => Ok(Direction { from, to }),
        _ => Err(vault::Error::Attribute("direction")),
    }
}

/// An order as an attribute: the second it lapses, or 0 when it stands until it is revoked.
pub fn write_order(order: Order) -> aws_sdk_dynamodb::types::AttributeValue {
    n(match order {
        Order::Standing => 0,
        Order::Until(end) => end,
    })
}

fn read_permit(item: &Item) -> Result<Permit, vault::Error> {
    let order = |attribute| {
        Ok::<_, vault::Error>(optional_number(item, attribute)?.map(|end| if end == 0 { Order::Standing } else { Order::Until(end) }))
    };
    Ok(Permit { granted: order("granted")?, accepted: order("accepted")? })
}
