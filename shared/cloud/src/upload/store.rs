//! The table: one item for an upload, a video that is about to be created, a resumable file, a principal's quota, an account, a key.

use shared::secret::Secret;
use tokio::sync::OnceCell;

use crate::{
    setting::{Environment, Table},
    upload::Error,
    vault::{self, Item, Vault, n, s, service, string},
};

use aws_sdk_dynamodb::types::AttributeValue;

/// What marks an upload as unfinished: the key of a sparse index.
pub(super) const UNFINISHED: &str = "1";

/// The key that tags are made with.
const CALLBACK_KEY: &str = "key#callback";

/// The table, and what is opened of it once.
pub(super) struct Store {
    vault: Vault,
    table: String,
    callback_key: OnceCell<Secret<32>>,
}

/// What a write changes of an item, and the condition that it is made on.
#[derive(Default)]
pub(super) struct Change {
    sets: Vec<(&'static str, AttributeValue)>,
    removes: Vec<&'static str>,
    adds: Vec<(&'static str, u64)>,
    condition: Option<(&'static str, AttributeValue)>,
}

impl Change {
    pub(super) fn set(mut self, attribute: &'static str, value: AttributeValue) -> Self {
        self.sets.push((attribute, value));
        self
    }

    pub(super) fn remove(mut self, attribute: &'static str) -> Self {
        self.removes.push(attribute);
        self
    }

    /// Sets an attribute, or removes it where there is no value.
    pub(super) fn put(self, attribute: &'static str, value: Option<AttributeValue>) -> Self {
        match value {
            Some(value) => self.set(attribute, value),
            None => self.remove(attribute),
        }
    }

    pub(super) fn add(mut self, attribute: &'static str, number: u64) -> Self {
        self.adds.push((attribute, number));
        self
    }

    /// The condition: an expression of attributes that are written, as `#name`, and of `:given`.
    pub(super) fn when(mut self, expression: &'static str, given: AttributeValue) -> Self {
        self.condition = Some((expression, given));
        self
    }

    fn expression(&self) -> String {
        let clause =
            |word: &str, items: Vec<String>| if items.is_empty() { String::new() } else { format!("{word} {} ", items.join(", ")) };
        clause("SET", self.sets.iter().map(|(name, _)| format!("#{name} = :{name}")).collect())
            + &clause("REMOVE", self.removes.iter().map(|name| format!("#{name}")).collect())
            + &clause("ADD", self.adds.iter().map(|(name, _)| format!("#{name} :{name}")).collect())
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        let sets = self.sets.iter().map(|(name, _)| *name);
        sets.chain(self.removes.iter().copied()).chain(self.adds.iter().map(|(name, _)| *name))
    }
}

impl Store {
    pub(super) async fn from_env(environment: &Environment) -> Result<Self, Error> {
        let table = environment.table(Table::Uploads).map_err(vault::Error::from)?;
        Ok(Self { vault: Vault::connect(environment).await?, table, callback_key: OnceCell::new() })
    }

    pub(super) const fn vault(&self) -> &Vault {
        &self.vault
    }

    /// An item as it is now.
    pub(super) async fn get(&self, item: &str) -> Result<Option<Item>, Error> {
        let get = self.vault.dynamo().get_item().table_name(&self.table).key("item", s(item));
        let found = get.consistent_read(true).send().await;
        Ok(found.map_err(service("DynamoDB"))?.item)
    }

    /// Puts an item: only where there is none, if it has to be new. Whether it was put.
    pub(super) async fn put(&self, item: Item, new: bool) -> Result<bool, Error> {
        let put = self.vault.dynamo().put_item().table_name(&self.table).set_item(Some(item));
        let condition = new.then(|| "attribute_not_exists(#item)".to_owned());
        let put = if new { put.expression_attribute_names("#item", "item") } else { put };
        written(put.set_condition_expression(condition).send().await.map_err(service("DynamoDB")))
    }

    /// Changes an item. Whether its condition held.
    pub(super) async fn update(&self, item: &str, change: Change) -> Result<bool, Error> {
        let mut update = self.vault.dynamo().update_item().table_name(&self.table).key("item", s(item));
        update = update.update_expression(change.expression().trim_end());
        for name in change.names() {
            update = update.expression_attribute_names(format!("#{name}"), name);
        }
        for (name, number) in change.adds {
            update = update.expression_attribute_values(format!(":{name}"), n(number));
        }
        for (name, value) in change.sets {
            update = update.expression_attribute_values(format!(":{name}"), value);
        }
        if let Some((expression, given)) = change.condition {
            update = update.condition_expression(expression).expression_attribute_values(":given", given);
        }
        written(update.send().await.map_err(service("DynamoDB")))
    }

    /// The names of unfinished uploads that ended before `now`, the oldest first, as the index knows them.
    pub(super) async fn unfinished(&self, now: u64, most: usize) -> Result<Vec<String>, Error> {
        let mut items = self
            .vault
            .dynamo()
            .query()
            .table_name(&self.table)
            .index_name("unfinished")
            .key_condition_expression("unfinished = :unfinished AND expires_at < :now")
            .expression_attribute_values(":unfinished", s(UNFINISHED))
            .expression_attribute_values(":now", n(now))
            .into_paginator()
            .items()
            .send();
        let mut names = Vec::new();
        while names.len() < most
            && let Some(item) = items.next().await
        {
            names.push(string(&item.map_err(service("DynamoDB"))?, "item")?.to_owned());
        }
        Ok(names)
    }

    /// Every item whose name begins so.
    pub(super) async fn all(&self, beginning: &str) -> Result<Vec<Item>, Error> {
        let items = self
            .vault
            .dynamo()
            .scan()
            .table_name(&self.table)
            .filter_expression("begins_with(#item, :beginning)")
            .expression_attribute_names("#item", "item")
            .expression_attribute_values(":beginning", s(beginning))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        Ok(items.try_collect().await.map_err(service("DynamoDB"))?)
    }

    /// The key that tags are made with; `None` while no upload was ever created.
    pub(super) async fn callback_key(&self) -> Result<Option<&Secret<32>>, Error> {
        if self.callback_key.get().is_none() {
            let Some(item) = self.get(CALLBACK_KEY).await? else { return Ok(None) };
            let key = self.vault.open(CALLBACK_KEY, &item, "sealed").await?;
            let key = Secret::from_slice(&key).ok_or(vault::Error::Attribute("sealed"))?;
            // Another request may have been first: it read the same.
            let _ = self.callback_key.set(key);
        }
        Ok(self.callback_key.get())
    }

    /// The key that tags are made with, which is made on its first use.
    pub(super) async fn make_callback_key(&self) -> Result<&Secret<32>, Error> {
        if self.callback_key().await?.is_none() {
            let key: Secret<32> = Secret::generate(&mut shared::crypto::system_rng());
            let sealed = self.vault.seal(CALLBACK_KEY, key.expose()).await?;
            // Of two that are made at once the first stays: each is read again.
            self.put([("item".into(), s(CALLBACK_KEY)), ("sealed".into(), sealed)].into(), true).await?;
        }
        self.callback_key().await?.ok_or(Error::Contended)
    }
}

/// Whether the condition of a write held.
fn written<T>(outcome: Result<T, vault::Error>) -> Result<bool, Error> {
    match outcome {
        Ok(_) => Ok(true),
        Err(vault::Error::Condition) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_one_expression() {
        let change = Change::default().set("a", n(1)).put("b", None).add("c", 2).put("d", Some(n(4)));
        assert_eq!(change.expression().trim_end(), "SET #a = :a, #d = :d REMOVE #b ADD #c :c");
        assert_eq!(change.names().collect::<Vec<_>>(), ["a", "d", "b", "c"]);
    }
}
