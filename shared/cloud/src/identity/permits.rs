//! Permission orders, as they are stored.

use shared::identity::{
    Direction, Scopes,
    scope::{Approval, Permit},
};

use super::Error;
use crate::{
    setting::{Environment, Table},
    vault::{self, Item, Vault, n, optional_number, s, service, string},
};

/// The table of permission orders, by client and direction.
pub struct Permits {
    table: String,
}

impl Permits {
    /// Finds the table.
    pub fn new(environment: &Environment) -> Result<Self, Error> {
        Ok(Self { table: environment.table(Table::Permits).map_err(vault::Error::from)? })
    }

    /// The table's name.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// The directions that both owners' orders allow a client at `now`.
    pub async fn scopes(&self, vault: &Vault, client_id: &str, now: u64) -> Result<Scopes, Error> {
        let permits = self.list(vault, client_id).await?;
        Ok(permits.into_iter().filter(|(_, permit)| permit.is_active(now)).map(|(direction, _)| direction).collect())
    }

    /// What was ordered for a client.
    pub async fn list(&self, vault: &Vault, client_id: &str) -> Result<Vec<(Direction, Permit)>, Error> {
        let pages = vault
            .dynamo()
            .query()
            .table_name(&self.table)
            .key_condition_expression("client_id = :client")
            .expression_attribute_values(":client", s(client_id))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let items: Vec<Item> = pages.try_collect().await.map_err(service("DynamoDB"))?;
        items.iter().map(|item| Ok((read_direction(string(item, "direction")?)?, read_permit(item)?))).collect()
    }
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
pub fn write_order(order: Approval) -> aws_sdk_dynamodb::types::AttributeValue {
    n(match order {
        Approval::Indefinite => 0,
        Approval::Until(end) => end,
    })
}

fn read_permit(item: &Item) -> Result<Permit, vault::Error> {
    let order = |attribute| {
        Ok::<_, vault::Error>(
            optional_number(item, attribute)?.map(|end| if end == 0 { Approval::Indefinite } else { Approval::Until(end) }),
        )
    };
    Ok(Permit { granted: order("granted")?, accepted: order("accepted")? })
}
