//! The properties of a resource over its globals, resolved one by one.

use serde_json::Value as Json;
use serde_norway::Value;

use crate::{
    error::{Error, Location},
    json,
    resolver::Resolver,
    template::Resource,
};

/// The properties of a resource, over the `Globals` of its type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Properties<'a> {
    pub(crate) resolver: &'a Resolver<'a>,
    /// The logical id.
    pub(crate) resource: &'a str,
    own: Option<&'a Value>,
    globals: Option<&'a Value>,
}

impl<'a> Properties<'a> {
    /// `globals` is the section of `Globals`; an unknown one is empty.
    pub(crate) fn new(resolver: &'a Resolver<'a>, resource: &Resource<'a>, globals: &str) -> Self {
        let own = resource.node.0.get("Properties");
        Self { resolver, resource: resource.id, own, globals: resolver.template().globals(globals) }
    }

    /// A property as it is written, without globals.
    pub(crate) fn raw(&self, property: &str) -> Option<&'a Value> {
        self.own.and_then(|own| own.get(property))
    }

    /// A property, resolved; mappings are merged with the globals key by key.
    pub(crate) fn json(&self, property: &str) -> Result<Option<Json>, Error> {
        let location = self.location(property);
        let resolve = |value: Option<&Value>| value.map_or(Ok(None), |value| self.resolver.value(value, &location));
        let mut value = resolve(self.globals.and_then(|globals| globals.get(property)))?;
        if let Some(own) = resolve(self.raw(property))? {
            match &mut value {
                Some(global) => json::merge(global, own),
                None => value = Some(own),
            }
        }
        Ok(value)
    }

    /// A property that is a scalar, as a string.
    pub(crate) fn text(&self, property: &str) -> Result<Option<String>, Error> {
        self.json(property)?
            .map(|value| json::scalar(&value).ok_or_else(|| self.location(property).error("the value must be a scalar")))
            .transpose()
    }

    /// A property that is a whole number.
    pub(crate) fn number(&self, property: &str) -> Result<Option<u64>, Error> {
        self.text(property)?
            .map(|text| text.parse().map_err(|_| self.location(property).error(format!("`{text}` is not a whole number"))))
            .transpose()
    }

    /// A required property that is a scalar, as a string.
    pub(crate) fn required(&self, property: &str) -> Result<String, Error> {
        self.text(property)?.ok_or_else(|| self.location(property).missing())
    }

    pub(crate) fn location(&self, property: &str) -> Location<'a> {
        Location::new(self.resource, format!("Properties.{property}"))
    }
}
