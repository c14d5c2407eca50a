//! The authority's usage receiver.

use shared::identity::Direction;

use super::super::{direction, error::Error, setting::Table};
use crate::{
    setting::Environment,
    vault::{self, Item, Query, Vault, condition_held, n, number, s, service_error, string},
};

/// The authority's table of reported usage.
pub struct UsageReceiver {
    table: String,
}

/// One client's usage of one minute in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsageRecord {
    /// Minutes since 1970.
    pub minute: u64,
    /// The direction.
    pub direction: Direction,
    /// The number of ids.
    pub count: u64,
}

impl UsageReceiver {
    /// Finds the table.
    pub fn new(environment: &Environment) -> Result<Self, Error> {
        Ok(Self { table: Table::Metrics.name(environment)? })
    }

    /// Records one minute's sum, unless the same or a larger one is recorded.
    pub async fn record(&self, vault: &Vault, client_id: &str, minute: u64, direction: Direction, count: u64) -> Result<(), Error> {
        let recorded = vault
            .dynamo()
            .update_item()
            .table_name(&self.table)
            .key("client_id", s(client_id))
            .key("bucket", s(format!("{minute:010}#{}", direction::to_sort_key(direction))))
            .update_expression("SET #count = :count")
            .condition_expression("attribute_not_exists(#count) OR #count < :count")
            .expression_attribute_names("#count", "count")
            .expression_attribute_values(":count", n(count))
            .send()
            .await;
        condition_held(recorded.map_err(service_error("DynamoDB")))?;
        Ok(())
    }

    /// The usage of a client, oldest first.
    pub async fn list(&self, vault: &Vault, client_id: &str) -> Result<Vec<UsageRecord>, Error> {
        let items = vault.tables().query_items(Query::new(&self.table, "client_id", client_id)).await?;
        let read = |item: &Item| {
            let (minute, direction) = string(item, "bucket")?.split_once('#').ok_or(vault::Error::Attribute("bucket"))?;
            let minute = minute.parse().map_err(|_| vault::Error::Attribute("bucket"))?;
            Ok::<_, vault::Error>(UsageRecord { minute, direction: direction::from_sort_key(direction)?, count: number(item, "count")? })
        };
        Ok(items.iter().map(read).collect::<Result<_, _>>()?)
    }
}
