//! Why a template cannot be read or resolved.

use std::{io, path::PathBuf};

/// A template cannot be read or resolved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read.
    #[error("the template {} cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file is not YAML.
    #[error("the template is not YAML: {0}")]
    Yaml(#[source] serde_norway::Error),
    /// The template has no `Resources` section.
    #[error("the template has no Resources")]
    NoResources,
    /// The template does not declare a given parameter.
    #[error("the template has no parameter {0}")]
    UnknownParameter(String),
    /// A parameter has neither a value nor a default.
    #[error("the template's parameter {0} has no default; pass a value for it")]
    MissingParameter(String),
    /// A parameter has a value that `AllowedValues` does not list.
    #[error("the template's parameter {name} does not allow `{value}`; use one of: {}", allowed_values.join(", "))]
    ForbiddenParameter {
        /// The parameter.
        name: String,
        /// The given value.
        value: String,
        /// `AllowedValues`.
        allowed_values: Vec<String>,
    },
    /// A property or condition is invalid or not supported.
    #[error("{resource}, {property}: {message}")]
    Property {
        /// The logical id of the resource or condition.
        resource: String,
        /// The path of the property.
        property: String,
        /// What is wrong with it.
        message: String,
    },
}

/// A position in a template.
#[derive(Clone, Debug)]
pub(crate) struct Location<'a> {
    resource: &'a str,
    property: String,
}

impl<'a> Location<'a> {
    pub(crate) fn new(resource: &'a str, property: impl Into<String>) -> Self {
        Self { resource, property: property.into() }
    }

    pub(crate) fn child(&self, key: &str) -> Self {
        Self { resource: self.resource, property: format!("{}.{key}", self.property) }
    }

    pub(crate) fn error(&self, message: impl Into<String>) -> Error {
        Error::Property { resource: self.resource.to_owned(), property: self.property.clone(), message: message.into() }
    }

    pub(crate) fn missing(&self) -> Error {
        self.error("the value is missing")
    }
}
