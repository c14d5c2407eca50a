//! A resource's properties over its globals, resolved as they are asked for.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use serde_norway::Value;

use super::{Error, Resolver, error::At};

/// A resource's properties, over what `Globals` says of all its kind.
#[derive(Clone, Copy, Debug)]
pub struct Properties<'a> {
    pub(super) resolver: &'a Resolver<'a>,
    pub(super) resource: &'a str,
    pub(super) own: Option<&'a Value>,
    pub(super) globals: Option<&'a Value>,
}

impl<'a> Properties<'a> {
    /// The resource's logical id.
    #[must_use]
    pub const fn resource(&self) -> &'a str {
        self.resource
    }

    /// A property as it is written, without globals.
    #[must_use]
    pub fn raw(&self, property: &str) -> Option<&'a Value> {
        self.own.and_then(|own| own.get(property))
    }

    /// A property, resolved; mappings are merged with the globals' key by key.
    pub fn json(&self, property: &str) -> Result<Option<Json>, Error> {
        let at = self.at(property);
        let resolve = |value: Option<&Value>| value.map_or(Ok(None), |value| self.resolver.value(value, &at));
        let mut value = resolve(self.globals.and_then(|globals| globals.get(property)))?;
        if let Some(own) = resolve(self.raw(property))? {
            match &mut value {
                Some(global) => merge(global, own),
                None => value = Some(own),
            }
        }
        Ok(value)
    }

    /// A property that is text, or a number or truth value written as text.
    pub fn text(&self, property: &str) -> Result<Option<String>, Error> {
        self.json(property)?.map(|value| text(&value).ok_or_else(|| self.at(property).error("this must be text"))).transpose()
    }

    /// A property that is a whole number.
    pub fn number(&self, property: &str) -> Result<Option<u64>, Error> {
        self.text(property)?
            .map(|text| text.parse().map_err(|_| self.at(property).error(format!("`{text}` is no whole number"))))
            .transpose()
    }

    /// A property that must be there.
    pub fn required(&self, property: &str) -> Result<String, Error> {
        self.text(property)?.ok_or_else(|| self.at(property).error("this is missing"))
    }

    pub(super) fn at(&self, property: &str) -> At<'a> {
        At::new(self.resource, format!("Properties.{property}"))
    }
}

/// A resolved scalar as text.
pub(super) fn text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(_) | Json::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// A resolved mapping of text to text; what is not text is left out.
pub(super) fn texts(value: Option<&Json>) -> BTreeMap<String, String> {
    let entries = value.and_then(Json::as_object).into_iter().flatten();
    entries.filter_map(|(key, value)| Some((key.clone(), text(value)?))).collect()
}

fn merge(global: &mut Json, own: Json) {
    match (global, own) {
        (Json::Object(global), Json::Object(own)) => {
            for (key, value) in own {
                match global.get_mut(&key) {
                    Some(under) => merge(under, value),
                    None => {
                        global.insert(key, value);
                    }
                }
            }
        }
        (global, own) => *global = own,
    }
}
