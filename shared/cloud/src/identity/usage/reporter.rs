//! The customer's usage reporter.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use shared::identity::Direction;

use super::{
    super::{authority_client::AuthorityClient, credential_store::CredentialStore, direction, error::Error, setting::Table},
    bucket::{PENDING, PENDING_INDEX, parse_partition_key},
};
use crate::{
    clock::now,
    setting::Environment,
    vault::{Item, Query, Vault, condition_held, n, number, s, service_error, string},
};

/// The customer's usage reporter.
pub struct UsageReporter {
    vault: Vault,
    table: String,
    store: CredentialStore,
    authority: AuthorityClient,
}

impl UsageReporter {
    /// Connects to the resources that the environment names.
    pub async fn from_env(environment: &Environment) -> Result<Self, Error> {
        Ok(Self {
            vault: Vault::connect(environment).await?,
            table: Table::Usage.name(environment)?,
            store: CredentialStore::new(environment)?,
            authority: AuthorityClient::from_env(environment)?,
        })
    }

    /// Reports every minute that has ended. One bucket's error does not stop the others.
    pub async fn report(&self) -> Result<Value, Error> {
        let current = now() / 60;
        let (mut reported, mut last_error) = (0, None);
        for bucket in self.pending().await? {
            let Some((client, minute)) = parse_partition_key(&bucket) else { continue };
            if minute >= current {
                continue;
            }
            match self.report_bucket(&bucket, client, minute).await {
                Ok(()) => reported += 1,
                Err(error) => last_error = Some(error),
            }
        }
        last_error.map_or_else(|| Ok(json!({"reported": reported})), Err)
    }

    async fn pending(&self) -> Result<BTreeSet<String>, Error> {
        let query = Query::new(&self.table, "pending", PENDING).index(PENDING_INDEX);
        let items = self.vault.tables().query_items(query).await?;
        Ok(items.iter().map(|item| string(item, "bucket").map(str::to_owned)).collect::<Result<_, _>>()?)
    }

    async fn report_bucket(&self, bucket: &str, client: &str, minute: u64) -> Result<(), Error> {
        let items = self.vault.tables().query_items(Query::new(&self.table, "bucket", bucket)).await?;
        let mut sums: BTreeMap<Direction, u64> = BTreeMap::new();
        for item in &items {
            *sums.entry(direction::from_sort_key(string(item, "direction")?)?).or_default() += number(item, "count")?;
        }
        self.send(client, minute, &sums).await?;
        for item in items.iter().filter(|item| item.contains_key("pending")) {
            self.mark_reported(bucket, item).await?;
        }
        Ok(())
    }

    async fn send(&self, client: &str, minute: u64, sums: &BTreeMap<Direction, u64>) -> Result<(), Error> {
        let credentials = self.store.find(&self.vault, client).await?.ok_or(Error::NotInitialised)?;
        let access_token = self.authority.access_token(&credentials).await?;
        let usage: Vec<_> =
            sums.iter().map(|(direction, count)| json!({"from": direction.from, "to": direction.to, "count": count})).collect();
        self.authority.report_usage(&access_token, &json!({"minute": minute, "usage": usage})).await
    }

    async fn mark_reported(&self, bucket: &str, item: &Item) -> Result<(), Error> {
        let marked = self
            .vault
            .dynamo()
            .update_item()
            .table_name(&self.table)
            .key("bucket", s(bucket))
            .key("direction", s(string(item, "direction")?))
            .update_expression("SET reported = :now REMOVE pending")
            .condition_expression("#count = :count")
            .expression_attribute_names("#count", "count")
            .expression_attribute_values(":count", n(number(item, "count")?))
            .expression_attribute_values(":now", n(now()))
            .send()
            .await;
        // If more was counted meanwhile, the item stays pending and the next report sends the
        // larger sum.
        condition_held(marked.map_err(service_error("DynamoDB")))?;
        Ok(())
    }
}
