//! What a template can get wrong.

use std::{io, path::PathBuf};

/// A template cannot be read or understood.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read.
    #[error("the template {} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is not YAML.
    #[error("the template is not YAML: {0}")]
    Yaml(#[source] serde_norway::Error),
    /// It describes nothing.
    #[error("the template has no Resources")]
    NoResources,
    /// A parameter was given that the template does not have.
    #[error("the template has no parameter {0}")]
    UnknownParameter(String),
    /// A parameter has neither a value nor a default.
    #[error("the template's parameter {0} needs a value: it has no default")]
    MissingParameter(String),
    /// A parameter has a value that the template does not allow.
    #[error("the template's parameter {name} may not be `{value}`: it allows {}", allowed.join(", "))]
    ForbiddenParameter {
        /// The parameter.
        name: String,
        /// The value it was given.
        value: String,
        /// The values it may have.
        allowed: Vec<String>,
    },
    /// A part of a resource or a condition is not understood.
    #[error("{resource}, {property}: {problem}")]
    Construct {
        /// The resource's or condition's logical id.
        resource: String,
        /// The property, with the path to it.
        property: String,
        /// What is the matter.
        problem: String,
    },
}

/// Where in a template something stands.
#[derive(Clone, Debug)]
pub(crate) struct At<'a> {
    pub(crate) resource: &'a str,
    pub(crate) property: String,
}

impl<'a> At<'a> {
    pub(crate) fn new(resource: &'a str, property: impl Into<String>) -> Self {
        Self { resource, property: property.into() }
    }

    pub(crate) fn then(&self, step: &str) -> Self {
        Self { resource: self.resource, property: format!("{}.{step}", self.property) }
    }

    pub(crate) fn error(&self, problem: impl Into<String>) -> Error {
        Error::Construct { resource: self.resource.to_owned(), property: self.property.clone(), problem: problem.into() }
    }
}
