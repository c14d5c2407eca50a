//! Usage: counted once for each answer, reported once for each minute, whatever fails in between.
//!
//! - The proxy, and a client that goes to the endpoint itself, counts before it answers, in a transaction with a token of its own, so that a repeated call counts once.
//! - Each process counts in items of its own (the *shard*): processes never contend for an item.
//! - The reporter sends, for each client, minute and direction, the sum over all shards; the authority keeps the largest. So a report that is
//!   repeated, or sent again with a latecomer's count, is right.
//! - An item is marked as reported on the condition that its count is the one that was sent, and is not counted in after that.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use serde_json::{Value, json};
use shared::{
    crypto::system_rng,
    encoding::hex,
    identity::{Direction, rpc::ErrorBody},
    secret::Secret,
};

use super::{
    Error,
    customer::{self, CredentialStore},
    permits::{read_direction, write_direction},
};
use crate::{
    http::Http,
    setting::{Environment, Table, now},
    vault::{self, Item, Tables, Vault, n, number, s, service, string},
};

/// How long counts are kept after their minute, in seconds.
const KEPT: u64 = 90 * 24 * 60 * 60;
/// What marks an item as not yet reported: the key of a sparse index.
const PENDING: &str = "1";

/// The customer's counters.
pub struct Usage {
    table: String,
    shard: String,
}

impl Usage {
    /// Finds the table.
    pub fn new(environment: &Environment) -> Result<Self, Error> {
        let shard: Secret<8> = Secret::generate(&mut system_rng());
        Ok(Self { table: environment.table(Table::Usage).map_err(vault::Error::from)?, shard: hex(shard.expose()) })
    }

    /// Counts what was translated for a client.
    pub async fn count(&self, tables: &Tables, client_id: &str, usage: &[(Direction, u64)]) -> Result<(), Error> {
        if usage.is_empty() {
            return Ok(());
        }
        let token: Secret<16> = Secret::generate(&mut system_rng());
        let now = now();
        match self.add(tables, client_id, usage, now, &hex(token.expose())).await {
            // This minute is reported already: our clock is behind the reporter's. The next minute is not.
            Err(Error::Vault(vault::Error::Condition)) => {
                let token: Secret<16> = Secret::generate(&mut system_rng());
                self.add(tables, client_id, usage, now + 60, &hex(token.expose())).await
            }
            outcome => outcome,
        }
    }

    async fn add(&self, tables: &Tables, client_id: &str, usage: &[(Direction, u64)], now: u64, token: &str) -> Result<(), Error> {
        let updates = usage.iter().map(|(direction, count)| {
            let update = Update::builder()
                .table_name(&self.table)
                .key("bucket", s(bucket(client_id, now / 60)))
                .key("direction", s(format!("{}#{}", write_direction(*direction), self.shard)))
                .update_expression("ADD #count :count SET pending = :pending, expires_at = :expires")
                .condition_expression("attribute_not_exists(reported)")
                .expression_attribute_names("#count", "count")
                .expression_attribute_values(":count", n(*count))
                .expression_attribute_values(":pending", s(PENDING))
                .expression_attribute_values(":expires", n(now + KEPT))
                .build()
                .expect("an update with a key, a table and an expression is complete");
            TransactWriteItem::builder().update(update).build()
        });
        let written =
            tables.dynamo().transact_write_items().set_transact_items(Some(updates.collect())).client_request_token(token).send().await;
        written.map_err(service("DynamoDB"))?;
        Ok(())
    }
}

/// The customer's report to the authority.
pub struct Reporter {
    vault: Vault,
    http: Http,
    table: String,
    credentials: CredentialStore,
    authority: String,
}

impl Reporter {
    /// Connects to what the environment names.
    pub async fn from_env(environment: &Environment) -> Result<Self, Error> {
        let setting = |error| Error::Vault(vault::Error::Setting(error));
        Ok(Self {
            vault: Vault::connect(environment).await?,
            http: Http::default(),
            table: environment.table(Table::Usage).map_err(setting)?,
            credentials: CredentialStore::new(environment)?,
            authority: environment.authority_url().map_err(setting)?,
        })
    }

    /// Reports every minute that is over. One bucket's failure does not hold up the others.
    pub async fn report(&self) -> Result<Value, Error> {
        let minute = now() / 60;
        let (mut reported, mut failure) = (0, None);
        for bucket in self.pending().await? {
            let Some((client, then)) = read_bucket(&bucket) else { continue };
            if then >= minute {
                continue;
            }
            match self.report_bucket(&bucket, client, then).await {
                Ok(()) => reported += 1,
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or_else(|| Ok(json!({"reported": reported})), Err)
    }

    async fn pending(&self) -> Result<BTreeSet<String>, Error> {
        let pages = self
            .vault
            .dynamo()
            .query()
            .table_name(&self.table)
            .index_name("pending")
            .key_condition_expression("pending = :pending")
            .expression_attribute_values(":pending", s(PENDING))
            .into_paginator()
            .items()
            .send();
        let items: Vec<Item> = pages.try_collect().await.map_err(service("DynamoDB"))?;
        Ok(items.iter().map(|item| string(item, "bucket").map(str::to_owned)).collect::<Result<_, _>>()?)
    }

    async fn report_bucket(&self, bucket: &str, client: &str, minute: u64) -> Result<(), Error> {
        let pages = self
            .vault
            .dynamo()
            .query()
            .table_name(&self.table)
            .key_condition_expression("#bucket = :bucket")
            .expression_attribute_names("#bucket", "bucket")
            .expression_attribute_values(":bucket", s(bucket))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let items: Vec<Item> = pages.try_collect().await.map_err(service("DynamoDB"))?;
        let mut sums: BTreeMap<Direction, u64> = BTreeMap::new();
        for item in &items {
            *sums.entry(read_direction(string(item, "direction")?)?).or_default() += number(item, "count")?;
        }
        self.send(client, minute, &sums).await?;
        for item in items.iter().filter(|item| item.contains_key("pending")) {
            self.mark(bucket, item).await?;
        }
        Ok(())
    }

    async fn send(&self, client: &str, minute: u64, sums: &BTreeMap<Direction, u64>) -> Result<(), Error> {
        let credentials = self.credentials.find(&self.vault, client).await?.ok_or(Error::NotInitialised)?;
        let access = customer::access_token(&self.http, &self.authority, &credentials).await?;
        let usage: Vec<_> =
            sums.iter().map(|(direction, count)| json!({"from": direction.from, "to": direction.to, "count": count})).collect();
        let report = json!({"minute": minute, "usage": usage});
        let url = format!("{}/v1/metrics", self.authority);
        let answer = self.http.send(|client| client.post(&url).bearer_auth(access.expose()).json(&report)).await;
        let answer = answer.map_err(|error| Error::Authority(Some(error)))?;
        if answer.status.is_success() {
            return Ok(());
        }
        let wire: ErrorBody = serde_json::from_slice(&answer.body).map_err(|_| Error::Authority(None))?;
        Err(Error::Answered { status: answer.status.as_u16(), wire })
    }

    async fn mark(&self, bucket: &str, item: &Item) -> Result<(), Error> {
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
        match marked.map_err(service("DynamoDB")) {
            // More was counted meanwhile: the next report sends the larger sum.
            Ok(_) | Err(vault::Error::Condition) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// The authority's record of usage.
pub struct Metrics {
    table: String,
}

/// One client's usage of one minute in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Minutes since 1970.
    pub minute: u64,
    /// The direction.
    pub direction: Direction,
    /// How many ids.
    pub count: u64,
}

impl Metrics {
    /// Finds the table.
    pub fn new(environment: &Environment) -> Result<Self, Error> {
        Ok(Self { table: environment.table(Table::Metrics).map_err(vault::Error::from)? })
    }

    /// Records one minute's sum; the same sum again, or a smaller one, changes nothing.
    pub async fn record(&self, vault: &Vault, client_id: &str, minute: u64, direction: Direction, count: u64) -> Result<(), Error> {
        let recorded = vault
            .dynamo()
            .update_item()
            .table_name(&self.table)
            .key("client_id", s(client_id))
            .key("bucket", s(format!("{minute:010}#{}", write_direction(direction))))
            .update_expression("SET #count = :count")
            .condition_expression("attribute_not_exists(#count) OR #count < :count")
            .expression_attribute_names("#count", "count")
            .expression_attribute_values(":count", n(count))
            .send()
            .await;
        match recorded.map_err(service("DynamoDB")) {
            Ok(_) | Err(vault::Error::Condition) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Everything recorded of a client, oldest first.
    pub async fn list(&self, vault: &Vault, client_id: &str) -> Result<Vec<Recorded>, Error> {
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
        let read = |item: &Item| {
            let (minute, direction) = string(item, "bucket")?.split_once('#').ok_or(vault::Error::Attribute("bucket"))?;
            let minute = minute.parse().map_err(|_| vault::Error::Attribute("bucket"))?;
            Ok::<_, vault::Error>(Recorded { minute, direction: read_direction(direction)?, count: number(item, "count")? })
        };
        Ok(items.iter().map(read).collect::<Result<_, _>>()?)
    }
}

fn bucket(client_id: &str, minute: u64) -> String {
    format!("{client_id}#{minute}")
}

fn read_bucket(bucket: &str) -> Option<(&str, u64)> {
    let (client, minute) = bucket.rsplit_once('#')?;
    Some((client, minute.parse().ok()?))
}
