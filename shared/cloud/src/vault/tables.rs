//! DynamoDB's client, with queries and scans that read all pages.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::{Client, config::Credentials};

use super::{
    attribute::{Item, n, s},
    error::{Error, service_error},
};
use crate::setting::Environment;

/// Tables without the master key, for functions that neither encrypt nor decrypt.
pub struct Tables {
    pub(super) dynamo: Client,
    sdk: SdkConfig,
}

/// A query: the items of one partition of a table, or of one of its indexes, in the order of the
/// sort key. A query of a table is strongly consistent; an index cannot be.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    table: &'a str,
    index: Option<&'a str>,
    partition: (&'a str, &'a str),
    below: Option<(&'a str, u64)>,
    limit: usize,
}

/// A strongly consistent scan of a table.
#[derive(Clone, Copy, Debug)]
pub struct Scan<'a> {
    table: &'a str,
    prefix: Option<(&'a str, &'a str)>,
    is_key_only: bool,
}

impl<'a> Query<'a> {
    /// A query for the items whose partition key `name` is `value`.
    #[must_use]
    pub const fn new(table: &'a str, name: &'a str, value: &'a str) -> Self {
        Self { table, index: None, partition: (name, value), below: None, limit: usize::MAX }
    }

    /// Queries an index of the table instead.
    #[must_use]
    pub const fn index(mut self, name: &'a str) -> Self {
        self.index = Some(name);
        self
    }

    /// Only the items whose numeric sort key `name` is less than `value`.
    #[must_use]
    pub const fn below(mut self, name: &'a str, value: u64) -> Self {
        self.below = Some((name, value));
        self
    }

    /// At most so many items.
    #[must_use]
    pub const fn limit(mut self, items: usize) -> Self {
        self.limit = items;
        self
    }
}

impl<'a> Scan<'a> {
    /// A scan for all items of a table.
    #[must_use]
    pub const fn new(table: &'a str) -> Self {
        Self { table, prefix: None, is_key_only: false }
    }

    /// Only the items whose attribute `name` begins with `prefix`.
    #[must_use]
    pub const fn begins_with(mut self, name: &'a str, prefix: &'a str) -> Self {
        self.prefix = Some((name, prefix));
        self
    }

    /// Only the attribute that [`Scan::begins_with`] names: the others are not sent.
    #[must_use]
    pub const fn key_only(mut self) -> Self {
        self.is_key_only = true;
        self
    }
}

impl Tables {
    /// Makes a client of DynamoDB.
    pub async fn connect(environment: &Environment) -> Self {
        Self::new(sdk_config(environment).await, environment)
    }

    pub(super) fn new(sdk: SdkConfig, environment: &Environment) -> Self {
        let mut config = aws_sdk_dynamodb::config::Builder::from(&sdk).timeout_config(
            TimeoutConfig::builder().operation_timeout(Duration::from_secs(8)).operation_attempt_timeout(Duration::from_secs(3)).build(),
        );
        if let Some(local) = environment.local_endpoints() {
            config = config.endpoint_url(local.dynamodb);
        }
        Self { dynamo: Client::from_conf(config.build()), sdk }
    }

    /// The client.
    #[must_use]
    pub const fn dynamo(&self) -> &Client {
        &self.dynamo
    }

    /// The SDK's configuration. Loading it costs an HTTP client and reads files and the
    /// environment, so the clients of a function share one.
    #[must_use]
    pub const fn sdk(&self) -> &SdkConfig {
        &self.sdk
    }

    /// The items of a query, all pages.
    pub async fn query_items(&self, query: Query<'_>) -> Result<Vec<Item>, Error> {
        let (partition, value) = query.partition;
        let mut call = self
            .dynamo()
            .query()
            .table_name(query.table)
            .set_index_name(query.index.map(str::to_owned))
            .consistent_read(query.index.is_none())
            .expression_attribute_names("#partition", partition)
            .expression_attribute_values(":partition", s(value));
        let mut condition = "#partition = :partition".to_owned();
        if let Some((name, value)) = query.below {
            condition.push_str(" AND #sort < :sort");
            call = call.expression_attribute_names("#sort", name).expression_attribute_values(":sort", n(value));
        }
        let mut pages = call.key_condition_expression(condition).into_paginator().items().send();
        let mut items = Vec::new();
        while items.len() < query.limit
            && let Some(item) = pages.next().await
        {
            items.push(item.map_err(service_error("DynamoDB"))?);
        }
        Ok(items)
    }

    /// The items of a scan, all pages.
    pub async fn scan_items(&self, scan: Scan<'_>) -> Result<Vec<Item>, Error> {
        let mut call = self.dynamo().scan().table_name(scan.table).consistent_read(true);
        if let Some((name, prefix)) = scan.prefix {
            call = call
                .filter_expression("begins_with(#name, :prefix)")
                .set_projection_expression(scan.is_key_only.then(|| "#name".to_owned()))
                .expression_attribute_names("#name", name)
                .expression_attribute_values(":prefix", s(prefix));
        }
        call.into_paginator().items().send().try_collect().await.map_err(service_error("DynamoDB"))
    }
}

/// The SDK's configuration: local credentials if there are any, or what the SDK finds on AWS.
pub(crate) async fn sdk_config(environment: &Environment) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    if let Some(region) = environment.region() {
        loader = loader.region(Region::new(region));
    }
    if let Some(local) = environment.local_endpoints() {
        loader = loader.credentials_provider(Credentials::new(&local.access_key_id, &local.secret_access_key, None, None, "local"));
    }
    loader.load().await
}
