//! DynamoDB tables. Their parts serialize to the members of a `CreateTable` request.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value as Json;

use crate::{error::Error, properties::Properties};

/// A DynamoDB table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The logical id, which is the name of the table on this machine.
    pub id: String,
    /// The primary key.
    pub key_schema: Vec<Key>,
    /// The attributes that the keys use.
    pub attributes: Vec<Attribute>,
    /// The global secondary indexes.
    pub indexes: Vec<Index>,
    /// The attribute with the time at which an item expires, in seconds since 1970.
    pub ttl_attribute: Option<String>,
}

/// An element of a key schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Key {
    /// The name of the attribute.
    pub attribute_name: String,
    /// `HASH` or `RANGE`.
    pub key_type: String,
}

/// An attribute and its type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attribute {
    /// The name.
    pub attribute_name: String,
    /// `S`, `N` or `B`.
    pub attribute_type: String,
}

/// A global secondary index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Index {
    /// The name.
    pub index_name: String,
    /// The key schema.
    pub key_schema: Vec<Key>,
    /// The attributes that the index copies.
    pub projection: Json,
}

impl Table {
    pub(crate) fn read(properties: &Properties<'_>) -> Result<Self, Error> {
        let ttl = properties.json("TimeToLiveSpecification")?.filter(|ttl| ttl["Enabled"] == true);
        Ok(Self {
            id: properties.resource.to_owned(),
            key_schema: required(properties, "KeySchema")?,
            attributes: required(properties, "AttributeDefinitions")?,
            indexes: optional(properties, "GlobalSecondaryIndexes")?.unwrap_or_default(),
            ttl_attribute: ttl.and_then(|ttl| Some(ttl["AttributeName"].as_str()?.to_owned())),
        })
    }
}

fn required<T: DeserializeOwned>(properties: &Properties<'_>, property: &str) -> Result<T, Error> {
    optional(properties, property)?.ok_or_else(|| properties.location(property).missing())
}

fn optional<T: DeserializeOwned>(properties: &Properties<'_>, property: &str) -> Result<Option<T>, Error> {
    let value = properties.json(property)?;
    value.map(serde_json::from_value).transpose().map_err(|error| properties.location(property).error(error.to_string()))
}
