//! The attributes of items, typed.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::error::Error;

/// An item of a table.
pub type Item = HashMap<String, AttributeValue>;

/// A string attribute.
pub fn string<'a>(item: &'a Item, attribute: &'static str) -> Result<&'a str, Error> {
    item.get(attribute).and_then(|value| value.as_s().ok()).map(String::as_str).ok_or(Error::Attribute(attribute))
}

/// A number attribute.
pub fn number(item: &Item, attribute: &'static str) -> Result<u64, Error> {
    optional_number(item, attribute)?.ok_or(Error::Attribute(attribute))
}

/// A number attribute, if the item has it.
pub fn optional_number(item: &Item, attribute: &'static str) -> Result<Option<u64>, Error> {
    let Some(value) = item.get(attribute) else {
        return Ok(None);
    };
    value.as_n().ok().and_then(|number| number.parse().ok()).map(Some).ok_or(Error::Attribute(attribute))
}

/// A value of type `S`, string.
pub fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// A value of type `N`, number.
#[must_use]
pub fn n(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// A value of type `BOOL`.
#[must_use]
pub const fn flag(value: bool) -> AttributeValue {
    AttributeValue::Bool(value)
}
