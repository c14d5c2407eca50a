//! The table of uploads. Its items are uploads, intents, resumable files, quotas, accounts and the
//! callback key.

use aws_sdk_dynamodb::types::AttributeValue;
use shared::{crypto::system_rng, secret::Secret};
use tokio::sync::OnceCell;

use super::{error::Error, setting::Table};
use crate::{
    setting::Environment,
    vault::{self, Item, Query, Scan, Vault, condition_held, n, s, service_error, string},
};

/// The index of unfinished uploads. It is sparse: finished ones lack its key.
const UNFINISHED_INDEX: &str = "unfinished";
/// The key of every item in the index.
pub(super) const UNFINISHED: &str = "1";

/// The name of the item with the key that authenticates callbacks.
const CALLBACK_KEY: &str = "key#callback";

/// The table, with a cache of the callback key.
pub(super) struct Store {
    vault: Vault,
    table: String,
    callback_key: OnceCell<Secret<32>>,
}

/// A change of an item, with the condition of the write.
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

    /// Sets an attribute, or removes it if there is no value.
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

    /// Sets the condition: an expression of changed attributes, as `#name`, and of `:given`.
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
        let table = Table::Uploads.name(environment)?;
        Ok(Self { vault: Vault::connect(environment).await?, table, callback_key: OnceCell::new() })
    }

    pub(super) const fn vault(&self) -> &Vault {
        &self.vault
    }

    /// An item, read consistently.
    pub(super) async fn get(&self, item: &str) -> Result<Option<Item>, Error> {
        let get = self.vault.dynamo().get_item().table_name(&self.table).key("item", s(item));
        let found = get.consistent_read(true).send().await;
        Ok(found.map_err(service_error("DynamoDB"))?.item)
    }

    /// Puts an item; if it must be `new`, only if there is none. Returns whether it was put.
    pub(super) async fn put(&self, item: Item, new: bool) -> Result<bool, Error> {
        let put = self.vault.dynamo().put_item().table_name(&self.table).set_item(Some(item));
        let condition = new.then(|| "attribute_not_exists(#item)".to_owned());
        let put = if new { put.expression_attribute_names("#item", "item") } else { put };
        let put = put.set_condition_expression(condition).send().await;
        Ok(condition_held(put.map_err(service_error("DynamoDB")))?)
    }

    /// Changes an item. Returns whether the condition held.
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
        Ok(condition_held(update.send().await.map_err(service_error("DynamoDB")))?)
    }

    /// The names of at most `limit` unfinished items that expired before `now`, oldest first. The
    /// index is eventually consistent.
    pub(super) async fn unfinished(&self, now: u64, limit: usize) -> Result<Vec<String>, Error> {
        let query = Query::new(&self.table, "unfinished", UNFINISHED).index(UNFINISHED_INDEX).below("expires_at", now).limit(limit);
        let items = self.vault.tables().query_items(query).await?;
        Ok(items.iter().map(|item| string(item, "item").map(str::to_owned)).collect::<Result<_, _>>()?)
    }

    /// Every item whose name begins with `prefix`.
    pub(super) async fn all(&self, prefix: &str) -> Result<Vec<Item>, Error> {
        Ok(self.vault.tables().scan_items(Scan::new(&self.table).begins_with("item", prefix)).await?)
    }

    /// The callback key; `None` if no upload was ever created.
    pub(super) async fn callback_key(&self) -> Result<Option<&Secret<32>>, Error> {
        if self.callback_key.get().is_none() {
            let Some(item) = self.get(CALLBACK_KEY).await? else { return Ok(None) };
            let key = self.vault.open(CALLBACK_KEY, &item, "sealed").await?;
            let key = Secret::from_slice(&key).ok_or(vault::Error::Attribute("sealed"))?;
            // If a concurrent request was first, it set the same key.
            let _ = self.callback_key.set(key);
        }
        Ok(self.callback_key.get())
    }

    /// The callback key, generated on first use.
    pub(super) async fn make_callback_key(&self) -> Result<&Secret<32>, Error> {
        if self.callback_key().await?.is_none() {
            let key: Secret<32> = Secret::generate(&mut system_rng());
            let sealed = self.vault.seal(CALLBACK_KEY, key.expose()).await?;
            // Of two concurrent keys the first is stored, so the key is read again.
            self.put([("item".into(), s(CALLBACK_KEY)), ("sealed".into(), sealed)].into(), true).await?;
        }
        self.callback_key().await?.ok_or(Error::Conflict)
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
