//! A SAM template, its parameters and its resources, as they are written.

use std::{fs, path::Path};

use serde_norway::Value;

use crate::{error::Error, node::Node, yaml};

/// A SAM template, as it is written.
#[derive(Clone, Debug)]
pub struct Template {
    document: Value,
}

/// A parameter of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The name.
    pub name: String,
    /// `Default`.
    pub default: Option<String>,
    /// `AllowedValues`; an empty list allows every value.
    pub allowed_values: Vec<String>,
}

/// A resource of a template, as it is written.
#[derive(Clone, Copy, Debug)]
pub struct Resource<'a> {
    /// The logical id.
    pub id: &'a str,
    /// The type, such as `AWS::DynamoDB::Table`.
    pub kind: &'a str,
    /// The condition under which the resource exists.
    pub condition: Option<&'a str>,
    /// The whole resource: `Type`, `Properties`, `DeletionPolicy` and so on.
    pub node: Node<'a>,
}

impl Template {
    /// Reads a template from a file.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(|source| Error::Read { path: path.into(), source })?;
        Self::parse(&text)
    }

    /// Parses a template. It must have a `Resources` section.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let document: Value = serde_norway::from_str(text).map_err(Error::Yaml)?;
        if document.get("Resources").is_none_or(|resources| !resources.is_mapping()) {
            return Err(Error::NoResources);
        }
        Ok(Self { document })
    }

    /// The whole document.
    #[must_use]
    pub const fn node(&self) -> Node<'_> {
        Node(&self.document)
    }

    /// All resources, whatever their conditions, in the order they are written.
    pub fn resources(&self) -> impl Iterator<Item = Resource<'_>> {
        yaml::entries(self.document.get("Resources")).map(|(id, value)| Resource {
            id,
            kind: yaml::string(value, "Type").unwrap_or_default(),
            condition: yaml::string(value, "Condition"),
            node: Node(value),
        })
    }

    /// The resource of a logical id.
    #[must_use]
    pub fn resource(&self, id: &str) -> Option<Resource<'_>> {
        self.resources().find(|resource| resource.id == id)
    }

    /// The parameters, in the order they are written.
    pub fn parameters(&self) -> impl Iterator<Item = Parameter> + '_ {
        yaml::entries(self.document.get("Parameters")).map(|(name, value)| {
            let allowed_values = value.get("AllowedValues").and_then(Value::as_sequence).into_iter().flatten();
            Parameter {
                name: name.to_owned(),
                default: value.get("Default").and_then(yaml::scalar),
                allowed_values: allowed_values.filter_map(yaml::scalar).collect(),
            }
        })
    }

    /// `Globals` of a resource type: `Function`, `Api` and so on.
    pub(crate) fn globals(&self, section: &str) -> Option<&Value> {
        self.document.get("Globals").and_then(|globals| globals.get(section))
    }
}
