//! DynamoDB tables, in DynamoDB's own words, so that they serialise to what `CreateTable` takes.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value as Json;

use super::{Error, Properties};

/// A DynamoDB table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The logical id, which is the table's name on this machine.
    pub id: String,
    /// The primary key.
    pub key: Vec<Key>,
    /// The attributes that keys use.
    pub attributes: Vec<Attribute>,
    /// The global secondary indexes.
    pub indexes: Vec<Index>,
    /// The attribute by which items expire.
    pub expiry: Option<String>,
}

/// A part of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Key {
    /// The attribute.
    pub attribute_name: String,
    /// `HASH` or `RANGE`.
    pub key_type: String,
}

/// An attribute and its type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attribute {
    /// Its name.
    pub attribute_name: String,
    /// `S`, `N` or `B`.
    pub attribute_type: String,
}

/// A global secondary index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Index {
    /// Its name.
    pub index_name: String,
    /// Its key.
    pub key_schema: Vec<Key>,
    /// What is copied into it.
    pub projection: Json,
}

impl Table {
    pub(super) fn read(properties: &Properties<'_>) -> Result<Self, Error> {
        let required = |property| properties.at(property).error("this is missing");
        let expiry = properties.json("TimeToLiveSpecification")?.filter(|expiry| expiry["Enabled"] == true);
        Ok(Self {
            id: properties.resource().to_owned(),
            key: list(properties, "KeySchema")?.ok_or_else(|| required("KeySchema"))?,
            attributes: list(properties, "AttributeDefinitions")?.ok_or_else(|| required("AttributeDefinitions"))?,
            indexes: list(properties, "GlobalSecondaryIndexes")?.unwrap_or_default(),
            expiry: expiry.and_then(|expiry| Some(expiry["AttributeName"].as_str()?.to_owned())),
        })
    }
}

fn list<T: DeserializeOwned>(properties: &Properties<'_>, property: &str) -> Result<Option<T>, Error> {
    let value = properties.json(property)?;
    value.map(serde_json::from_value).transpose().map_err(|error| properties.at(property).error(error.to_string()))
}
