//! Replaces intrinsic functions by their values.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::Value as Json;
use serde_norway::Value;

use super::{
    Error, Properties, Resource, Template, entries,
    error::At,
    intrinsic::{self, Piece},
    scalar,
};

/// Where a stack runs: what references to its resources lead to.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// The address under which all APIs are found, without a stage: `http://127.0.0.1:3000`.
    pub address: String,
    /// The file that stands for every KMS key.
    pub master_key: PathBuf,
    /// `AWS::Region`.
    pub region: String,
    /// `AWS::AccountId`.
    pub account: String,
}

impl Deployment {
    /// This machine.
    #[must_use]
    pub fn local(address: impl Into<String>, master_key: &Path) -> Self {
        Self { address: address.into(), master_key: master_key.into(), region: "eu-west-1".into(), account: "123456789012".into() }
    }
}

/// Evaluates conditions and intrinsic functions of a template, under chosen parameters, in a deployment.
#[derive(Debug)]
pub struct Resolver<'a> {
    template: &'a Template,
    parameters: BTreeMap<String, String>,
    deployment: &'a Deployment,
}

impl<'a> Resolver<'a> {
    /// Fails when a parameter is unknown, has a forbidden value, or has none at all.
    pub fn new(template: &'a Template, chosen: &BTreeMap<String, String>, deployment: &'a Deployment) -> Result<Self, Error> {
        let mut parameters = BTreeMap::new();
        for parameter in template.parameters() {
            let name = parameter.name;
            let value = chosen.get(&name).cloned().or(parameter.default).ok_or_else(|| Error::MissingParameter(name.clone()))?;
            if !parameter.allowed.is_empty() && !parameter.allowed.contains(&value) {
                return Err(Error::ForbiddenParameter { name, value, allowed: parameter.allowed });
            }
            parameters.insert(name, value);
        }
        match chosen.keys().find(|name| !parameters.contains_key(*name)) {
            Some(unknown) => Err(Error::UnknownParameter(unknown.clone())),
            None => Ok(Self { template, parameters, deployment }),
        }
    }

    pub(super) const fn template(&self) -> &Template {
        self.template
    }

    /// A resource's properties, over what `Globals` says of its section.
    #[must_use]
    pub fn properties<'b>(&'b self, resource: &Resource<'b>, section: &str) -> Properties<'b> {
        let globals = self.template.document().get("Globals").and_then(|globals| globals.get(section));
        Properties { resolver: self, resource: resource.id, own: resource.body.get("Properties"), globals }
    }

    /// A value with its intrinsic functions replaced; `None` is `AWS::NoValue`, which takes the property away.
    pub(super) fn value(&self, value: &Value, at: &At<'_>) -> Result<Option<Json>, Error> {
        if let Some((name, argument)) = intrinsic::read(value) {
            return self.call(&name, argument, at);
        }
        match value {
            Value::Sequence(items) => {
                let items = items.iter().map(|item| self.value(item, at)).filter_map(Result::transpose);
                items.collect::<Result<Vec<_>, _>>().map(|items| Some(items.into()))
            }
            Value::Mapping(_) => {
                let mut object = serde_json::Map::new();
                for (key, value) in entries(Some(value)) {
                    if let Some(value) = self.value(value, &at.then(key))? {
                        object.insert(key.to_owned(), value);
                    }
                }
                Ok(Some(object.into()))
            }
            _ => serde_json::to_value(value).map(Some).map_err(|error| at.error(error.to_string())),
        }
    }

    fn call(&self, name: &str, argument: &Value, at: &At<'_>) -> Result<Option<Json>, Error> {
        match (name, argument) {
            ("Ref", Value::String(target)) if target == "AWS::NoValue" => Ok(None),
            ("Ref", Value::String(target)) => self.reference(target, at).map(|text| Some(text.into())),
            ("GetAtt", Value::String(path)) => {
                let (resource, attribute) = path.split_once('.').ok_or_else(|| at.error("GetAtt needs `Resource.Attribute`"))?;
                self.attribute(resource, attribute, at).map(|text| Some(text.into()))
            }
            ("GetAtt", Value::Sequence(path)) => match path.as_slice() {
                [Value::String(resource), Value::String(attribute)] => {
                    self.attribute(resource, attribute, at).map(|text| Some(text.into()))
                }
                _ => Err(at.error("GetAtt needs a resource and an attribute")),
            },
            ("Sub", Value::String(text)) => self.sub(text, None, at),
            ("Sub", Value::Sequence(parts)) => match parts.as_slice() {
                [Value::String(text), names] => self.sub(text, Some(names), at),
                _ => Err(at.error("Sub needs a text and the names in it")),
            },
            ("If", Value::Sequence(parts)) => match parts.as_slice() {
                [Value::String(condition), then, otherwise] => self.value(if self.condition(condition)? { then } else { otherwise }, at),
                _ => Err(at.error("If needs a condition and two values")),
            },
            ("Join", Value::Sequence(parts)) => match parts.as_slice() {
                [Value::String(delimiter), list] => self.join(delimiter, list, at),
                _ => Err(at.error("Join needs a delimiter and a list")),
            },
            ("FindInMap", Value::Sequence(path)) => self.find(path, at),
            _ => Err(at.error(format!("{name} is not known here, or not with this argument"))),
        }
    }

    fn reference(&self, target: &str, at: &At<'_>) -> Result<String, Error> {
        if let Some(value) = self.parameters.get(target) {
            return Ok(value.clone());
        }
        match target {
            "AWS::Region" => return Ok(self.deployment.region.clone()),
            "AWS::AccountId" => return Ok(self.deployment.account.clone()),
            "AWS::Partition" => return Ok("aws".into()),
            "AWS::StackName" => return Ok("rampway".into()),
            "AWS::URLSuffix" => return Ok("amazonaws.com".into()),
            _ => {}
        }
        let resource = self.resource(target, at)?;
        match resource.kind {
            // Physical names are free to choose: the logical ones will do.
            "AWS::DynamoDB::Table" | "AWS::Serverless::Function" | "AWS::Serverless::Api" => Ok(target.into()),
            kind => Err(at.error(format!("Ref of {target}, an {kind}, leads nowhere on this machine"))),
        }
    }

    fn attribute(&self, target: &str, attribute: &str, at: &At<'_>) -> Result<String, Error> {
        let resource = self.resource(target, at)?;
        let Deployment { region, account, master_key, .. } = self.deployment;
        match (resource.kind, attribute) {
            ("AWS::KMS::Key", "Arn") => Ok(format!("file:{}", master_key.display())),
            ("AWS::DynamoDB::Table", "Arn") => Ok(format!("arn:aws:dynamodb:{region}:{account}:table/{target}")),
            ("AWS::Serverless::Function", "Arn") => Ok(format!("arn:aws:lambda:{region}:{account}:function:{target}")),
            ("AWS::SageMaker::Endpoint", "EndpointName")
            | ("AWS::SageMaker::EndpointConfig", "EndpointConfigName")
            | ("AWS::SageMaker::Model", "ModelName") => self.name(&resource, attribute),
            (kind, _) => Err(at.error(format!("GetAtt of {attribute} from {target}, an {kind}, leads nowhere on this machine"))),
        }
    }

    /// A resource's own name, if it gives itself one, else its logical id.
    pub(super) fn name(&self, resource: &Resource<'_>, property: &str) -> Result<String, Error> {
        Ok(self.properties(resource, "").text(property)?.unwrap_or_else(|| resource.id.to_owned()))
    }

    fn resource(&self, id: &str, at: &At<'_>) -> Result<Resource<'a>, Error> {
        self.template.resources().find(|resource| resource.id == id).ok_or_else(|| at.error(format!("there is no {id}")))
    }

    fn sub(&self, text: &str, names: Option<&Value>, at: &At<'_>) -> Result<Option<Json>, Error> {
        let mut whole = String::with_capacity(text.len());
        for piece in intrinsic::pieces(text).map_err(|problem| at.error(problem))? {
            match piece {
                Piece::Text(text) => whole.push_str(text),
                Piece::Name(name) => {
                    if let Some(value) = names.and_then(|names| names.get(name)) {
                        whole.push_str(&as_text(self.value(value, at)?, at)?);
                    } else if let Some((resource, attribute)) = name.split_once('.') {
                        whole.push_str(&self.attribute(resource, attribute, at)?);
                    } else {
                        whole.push_str(&self.reference(name, at)?);
                    }
                }
            }
        }
        Ok(Some(self.at_home(whole).into()))
    }

    fn join(&self, delimiter: &str, list: &Value, at: &At<'_>) -> Result<Option<Json>, Error> {
        let list = self.value(list, at)?.unwrap_or_default();
        let items = list.as_array().ok_or_else(|| at.error("Join needs a list"))?;
        let items = items.iter().map(|item| as_text(Some(item.clone()), at)).collect::<Result<Vec<_>, _>>()?;
        Ok(Some(self.at_home(items.join(delimiter)).into()))
    }

    fn find(&self, path: &[Value], at: &At<'_>) -> Result<Option<Json>, Error> {
        let mut found = self.template.document().get("Mappings");
        for step in path {
            let step = as_text(self.value(step, at)?, at)?;
            found = found.and_then(|mapping| mapping.get(step.as_str()));
        }
        found.and_then(scalar).map(|value| Some(value.into())).ok_or_else(|| at.error("FindInMap finds nothing"))
    }

    /// The address of a deployed API becomes this deployment's.
    fn at_home(&self, text: String) -> String {
        let Some(rest) = text.strip_prefix("https://") else {
            return text;
        };
        let away = format!(".execute-api.{}.amazonaws.com", self.deployment.region);
        match rest.split_once(&away) {
            Some((api, path)) if self.template.resources().any(|r| r.id == api && r.kind == "AWS::Serverless::Api") => {
                format!("{}{path}", self.deployment.address)
            }
            _ => text,
        }
    }
}

fn as_text(value: Option<Json>, at: &At<'_>) -> Result<String, Error> {
    match value {
        Some(Json::String(text)) => Ok(text),
        Some(value @ (Json::Number(_) | Json::Bool(_))) => Ok(value.to_string()),
        _ => Err(at.error("this must be text")),
    }
}
