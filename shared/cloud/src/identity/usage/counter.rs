//! The customer's usage counter.

use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use shared::{crypto::system_rng, encoding::hex, identity::Direction, secret::Secret};

use super::{
    super::{direction, error::Error, setting::Table},
    bucket::{PENDING, partition_key},
};
use crate::{
    clock::{SECONDS_PER_DAY, now},
    setting::Environment,
    vault::{self, Tables, n, s, service_error},
};

/// How long counts are stored after their minute, in seconds.
const USAGE_TTL: u64 = 90 * SECONDS_PER_DAY;

/// The usage counter of one process.
pub struct UsageCounter {
    table: String,
    shard: String,
}

impl UsageCounter {
    /// Finds the table, and chooses a shard.
    pub fn new(environment: &Environment) -> Result<Self, Error> {
        let shard: Secret<8> = Secret::generate(&mut system_rng());
        Ok(Self { table: Table::Usage.name(environment)?, shard: hex(shard.expose()) })
    }

    /// Counts the translated ids of a client, in each direction.
    pub async fn count(&self, tables: &Tables, client_id: &str, usage: &[(Direction, u64)]) -> Result<(), Error> {
        if usage.is_empty() {
            return Ok(());
        }
        let now = now();
        match self.add(tables, client_id, usage, now).await {
            // This minute is reported already: the reporter's clock is ahead. Use the next minute.
            Err(Error::Vault(vault::Error::Condition)) => self.add(tables, client_id, usage, now + 60).await,
            outcome => outcome,
        }
    }

    async fn add(&self, tables: &Tables, client_id: &str, usage: &[(Direction, u64)], now: u64) -> Result<(), Error> {
        let updates = usage.iter().map(|(direction, count)| {
            let update = Update::builder()
                .table_name(&self.table)
                .key("bucket", s(partition_key(client_id, now / 60)))
                .key("direction", s(format!("{}#{}", direction::to_sort_key(*direction), self.shard)))
                .update_expression("ADD #count :count SET pending = :pending, expires_at = :expires")
                .condition_expression("attribute_not_exists(reported)")
                .expression_attribute_names("#count", "count")
                .expression_attribute_values(":count", n(*count))
                .expression_attribute_values(":pending", s(PENDING))
                .expression_attribute_values(":expires", n(now + USAGE_TTL))
                .build()
                .expect("an update with a key, a table and an expression is complete");
            TransactWriteItem::builder().update(update).build()
        });
        let token: Secret<16> = Secret::generate(&mut system_rng());
        let call = tables.dynamo().transact_write_items().set_transact_items(Some(updates.collect()));
        call.client_request_token(hex(token.expose())).send().await.map_err(service_error("DynamoDB"))?;
        Ok(())
    }
}
