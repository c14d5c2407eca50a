//! The SAM template, read and understood: what it would deploy, once parameters are chosen and references lead somewhere.
//!
//! [`Template`] is the document as it is written. [`Template::stack`] makes a [`Stack`] of it: conditions decided, globals
//! merged, every intrinsic function that is needed replaced by its value. What `Ref`, `GetAtt` and `Sub` give for a resource
//! depends on where the stack runs, a [`Deployment`]; the [`Resolver`] does the replacing.
//!
//! Only properties that are asked for are resolved: a role's ARN means nothing here, and need not. A construct that is
//! asked for and not known is an [`Error`] that names the resource and the property.

mod api;
mod condition;
mod endpoint;
mod error;
mod function;
mod intrinsic;
mod properties;
mod resolver;
mod schedule;
mod table;

use std::{collections::BTreeMap, fs, path::Path};

use serde_norway::Value;

pub use self::{
    api::{Api, Authorizer, Cors, GatewayResponse, Header, Throttle},
    endpoint::{Endpoint, Variant},
    error::Error,
    function::{Function, Route, Schedule},
    properties::Properties,
    resolver::{Deployment, Resolver},
    schedule::{Cron, Expression},
    table::{Attribute, Index, Key, Table},
};

/// A SAM template, as it is written.
#[derive(Clone, Debug)]
pub struct Template {
    document: Value,
}

/// A parameter of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its value when nobody says another.
    pub default: Option<String>,
    /// The values that it may have; none given means any.
    pub allowed: Vec<String>,
}

/// A resource of a template, as it is written.
#[derive(Clone, Copy, Debug)]
pub struct Resource<'a> {
    /// The logical id.
    pub id: &'a str,
    /// The type, such as `AWS::DynamoDB::Table`.
    pub kind: &'a str,
    /// The condition under which it exists.
    pub condition: Option<&'a str>,
    /// Everything it says.
    pub body: &'a Value,
}

/// What a template deploys under chosen parameters.
#[derive(Clone, Debug)]
pub struct Stack {
    /// The Lambda functions.
    pub functions: Vec<Function>,
    /// The DynamoDB tables.
    pub tables: Vec<Table>,
    /// The REST APIs.
    pub apis: Vec<Api>,
    /// The SageMaker endpoints.
    pub endpoints: Vec<Endpoint>,
}

impl Template {
    /// Reads a template from a file.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(|source| Error::Unreadable { path: path.into(), source })?;
        Self::parse(&text)
    }

    /// Reads a template from its text.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let document: Value = serde_norway::from_str(text).map_err(Error::Yaml)?;
        if document.get("Resources").is_none_or(|resources| !resources.is_mapping()) {
            return Err(Error::NoResources);
        }
        Ok(Self { document })
    }

    /// The document, with its intrinsic functions as YAML tags.
    #[must_use]
    pub const fn document(&self) -> &Value {
        &self.document
    }

    /// All resources, whatever the conditions say, in the order they are written.
    pub fn resources(&self) -> impl Iterator<Item = Resource<'_>> {
        entries(self.document.get("Resources")).map(|(id, body)| Resource {
            id,
            kind: text(body, "Type").unwrap_or_default(),
            condition: text(body, "Condition"),
            body,
        })
    }

    /// The parameters, in the order they are written.
    pub fn parameters(&self) -> impl Iterator<Item = Parameter> + '_ {
        entries(self.document.get("Parameters")).map(|(name, body)| Parameter {
            name: name.to_owned(),
            default: body.get("Default").and_then(scalar),
            allowed: body.get("AllowedValues").and_then(Value::as_sequence).into_iter().flatten().filter_map(scalar).collect(),
        })
    }

    /// What is deployed with these parameters (defaults stand for the others), in this deployment.
    pub fn stack(&self, parameters: &BTreeMap<String, String>, deployment: &Deployment) -> Result<Stack, Error> {
        let resolver = Resolver::new(self, parameters, deployment)?;
        let mut stack = Stack { functions: Vec::new(), tables: Vec::new(), apis: Vec::new(), endpoints: Vec::new() };
        for resource in self.resources() {
            if let Some(condition) = resource.condition
                && !resolver.condition(condition)?
            {
                continue;
            }
            match resource.kind {
                "AWS::Serverless::Function" => stack.functions.push(Function::read(&resolver.properties(&resource, "Function"))?),
                "AWS::Serverless::Api" => stack.apis.push(Api::read(&resolver.properties(&resource, "Api"))?),
                "AWS::DynamoDB::Table" => stack.tables.push(Table::read(&resolver.properties(&resource, "Table"))?),
                "AWS::SageMaker::Endpoint" => {
                    stack.endpoints.push(Endpoint::read(&resolver, &resource)?);
                }
                _ => {}
            }
        }
        Ok(stack)
    }
}

/// A mapping's entries whose keys are text.
fn entries(mapping: Option<&Value>) -> impl Iterator<Item = (&str, &Value)> {
    mapping.and_then(Value::as_mapping).into_iter().flatten().filter_map(|(key, value)| Some((key.as_str()?, value)))
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

/// A scalar as CloudFormation sees it: everything is text.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
