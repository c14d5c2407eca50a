//! Evaluates conditions and replaces intrinsic functions by their values.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use serde_norway::Value;

use crate::{
    deployment::Deployment,
    error::{Error, Location},
    intrinsic::{self, Segment},
    json,
    template::{Resource, Template},
    yaml,
};

/// Evaluates conditions and intrinsic functions of a template, under chosen parameters, in a
/// deployment.
#[derive(Debug)]
pub(crate) struct Resolver<'a> {
    template: &'a Template,
    parameters: BTreeMap<String, String>,
    deployment: &'a Deployment,
}

impl<'a> Resolver<'a> {
    /// Fails for a parameter that is unknown, has a forbidden value, or has no value.
    pub(crate) fn new(template: &'a Template, chosen: &BTreeMap<String, String>, deployment: &'a Deployment) -> Result<Self, Error> {
        let mut parameters = BTreeMap::new();
        for parameter in template.parameters() {
            let name = parameter.name;
            let value = chosen.get(&name).cloned().or(parameter.default).ok_or_else(|| Error::MissingParameter(name.clone()))?;
            if !parameter.allowed_values.is_empty() && !parameter.allowed_values.contains(&value) {
                return Err(Error::ForbiddenParameter { name, value, allowed_values: parameter.allowed_values });
            }
            parameters.insert(name, value);
        }
        match chosen.keys().find(|name| !parameters.contains_key(*name)) {
            Some(unknown) => Err(Error::UnknownParameter(unknown.clone())),
            None => Ok(Self { template, parameters, deployment }),
        }
    }

    pub(crate) const fn template(&self) -> &'a Template {
        self.template
    }

    /// Whether a condition holds.
    pub(crate) fn condition(&self, name: &str) -> Result<bool, Error> {
        let location = Location::new(name, "Conditions");
        let condition = self.template.node().get(&["Conditions", name]).ok_or_else(|| location.error("there is no such condition"))?;
        self.evaluate(condition.0, &location)
    }

    fn evaluate(&self, value: &Value, at: &Location<'_>) -> Result<bool, Error> {
        if let Some(name) = yaml::string(value, "Condition") {
            return self.condition(name);
        }
        let (name, argument) = intrinsic::parse(value).ok_or_else(|| at.error("the value is not a condition"))?;
        let operands = || argument.as_sequence().ok_or_else(|| at.error(format!("{name} takes a list")));
        match name.as_str() {
            "Condition" => self.condition(argument.as_str().ok_or_else(|| at.error("Condition takes a name"))?),
            "Equals" => match operands()?.as_slice() {
                [left, right] => Ok(self.value(left, at)? == self.value(right, at)?),
                _ => Err(at.error("Equals takes two values")),
            },
            "Not" => match operands()?.as_slice() {
                [operand] => Ok(!self.evaluate(operand, at)?),
                _ => Err(at.error("Not takes one condition")),
            },
            "And" => operands()?.iter().try_fold(true, |all, operand| Ok(all & self.evaluate(operand, at)?)),
            "Or" => operands()?.iter().try_fold(false, |any, operand| Ok(any | self.evaluate(operand, at)?)),
            _ => Err(at.error(format!("{name} is not supported in a condition"))),
        }
    }

    /// A value with its intrinsic functions replaced. `None` is `AWS::NoValue`, which removes the
    /// property.
    pub(crate) fn value(&self, value: &Value, at: &Location<'_>) -> Result<Option<Json>, Error> {
        if let Some((name, argument)) = intrinsic::parse(value) {
            return self.call(&name, argument, at);
        }
        match value {
            Value::Sequence(items) => {
                let items = items.iter().map(|item| self.value(item, at)).filter_map(Result::transpose);
                items.collect::<Result<Vec<_>, _>>().map(|items| Some(items.into()))
            }
            Value::Mapping(_) => {
                let mut object = serde_json::Map::new();
                for (key, value) in yaml::entries(Some(value)) {
                    if let Some(value) = self.value(value, &at.child(key))? {
                        object.insert(key.to_owned(), value);
                    }
                }
                Ok(Some(object.into()))
            }
            _ => serde_json::to_value(value).map(Some).map_err(|error| at.error(error.to_string())),
        }
    }

    fn call(&self, name: &str, argument: &Value, at: &Location<'_>) -> Result<Option<Json>, Error> {
        match (name, argument) {
            ("Ref", Value::String(target)) if target == "AWS::NoValue" => Ok(None),
            ("Ref", Value::String(target)) => self.reference(target, at).map(|text| Some(text.into())),
            ("GetAtt", Value::String(path)) => {
                let (resource, attribute) = path.split_once('.').ok_or_else(|| at.error("GetAtt takes `Resource.Attribute`"))?;
                self.attribute(resource, attribute, at).map(|text| Some(text.into()))
            }
            ("GetAtt", Value::Sequence(path)) => match path.as_slice() {
                [Value::String(resource), Value::String(attribute)] => {
                    self.attribute(resource, attribute, at).map(|text| Some(text.into()))
                }
                _ => Err(at.error("GetAtt takes a resource and an attribute")),
            },
            ("Sub", Value::String(text)) => self.sub(text, None, at),
            ("Sub", Value::Sequence(parts)) => match parts.as_slice() {
                [Value::String(text), variables] => self.sub(text, Some(variables), at),
                _ => Err(at.error("Sub takes a string and a map of its variables")),
            },
            ("If", Value::Sequence(parts)) => match parts.as_slice() {
                [Value::String(condition), then, otherwise] => self.value(if self.condition(condition)? { then } else { otherwise }, at),
                _ => Err(at.error("If takes a condition and two values")),
            },
            ("Join", Value::Sequence(parts)) => match parts.as_slice() {
                [Value::String(delimiter), list] => self.join(delimiter, list, at),
                _ => Err(at.error("Join takes a delimiter and a list")),
            },
            ("FindInMap", Value::Sequence(path)) => self.find_in_map(path, at),
            _ => Err(at.error(format!("{name} is not supported, or not with this argument"))),
        }
    }

    fn reference(&self, target: &str, at: &Location<'_>) -> Result<String, Error> {
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
            // CloudFormation generates these physical ids; here they are the logical ids.
            "AWS::DynamoDB::Table" | "AWS::Serverless::Function" | "AWS::Serverless::Api" => Ok(target.into()),
            kind => Err(at.error(format!("Ref of {target} ({kind}) has no value on this machine"))),
        }
    }

    fn attribute(&self, target: &str, attribute: &str, at: &Location<'_>) -> Result<String, Error> {
        let resource = self.resource(target, at)?;
        let Deployment { region, account, master_key, .. } = self.deployment;
        match (resource.kind, attribute) {
            ("AWS::KMS::Key", "Arn") => Ok(format!("file:{}", master_key.display())),
            ("AWS::DynamoDB::Table", "Arn") => Ok(format!("arn:aws:dynamodb:{region}:{account}:table/{target}")),
            ("AWS::Serverless::Function", "Arn") => Ok(format!("arn:aws:lambda:{region}:{account}:function:{target}")),
            ("AWS::SageMaker::Endpoint", "EndpointName")
            | ("AWS::SageMaker::EndpointConfig", "EndpointConfigName")
            | ("AWS::SageMaker::Model", "ModelName") => self.name(&resource, attribute),
            (kind, _) => Err(at.error(format!("GetAtt of {attribute} of {target} ({kind}) has no value on this machine"))),
        }
    }

    /// The physical name that a resource sets for itself in `property`, or its logical id.
    pub(crate) fn name(&self, resource: &Resource<'_>, property: &str) -> Result<String, Error> {
        let Some(name) = resource.node.get(&["Properties", property]) else { return Ok(resource.id.to_owned()) };
        let location = Location::new(resource.id, format!("Properties.{property}"));
        let name = self.value(name.0, &location)?.map(|name| string(Some(&name), &location)).transpose()?;
        Ok(name.unwrap_or_else(|| resource.id.to_owned()))
    }

    fn resource(&self, id: &str, at: &Location<'_>) -> Result<Resource<'a>, Error> {
        self.template.resource(id).ok_or_else(|| at.error(format!("there is no resource {id}")))
    }

    fn sub(&self, text: &str, variables: Option<&Value>, at: &Location<'_>) -> Result<Option<Json>, Error> {
        let mut whole = String::with_capacity(text.len());
        for segment in intrinsic::segments(text).map_err(|message| at.error(message))? {
            match segment {
                Segment::Text(text) => whole.push_str(text),
                Segment::Variable(name) => {
                    if let Some(value) = variables.and_then(|variables| variables.get(name)) {
                        whole.push_str(&string(self.value(value, at)?.as_ref(), at)?);
                    } else if let Some((resource, attribute)) = name.split_once('.') {
                        whole.push_str(&self.attribute(resource, attribute, at)?);
                    } else {
                        whole.push_str(&self.reference(name, at)?);
                    }
                }
            }
        }
        Ok(Some(self.to_local_url(whole).into()))
    }

    fn join(&self, delimiter: &str, list: &Value, at: &Location<'_>) -> Result<Option<Json>, Error> {
        let list = self.value(list, at)?.unwrap_or_default();
        let items = list.as_array().ok_or_else(|| at.error("Join takes a list"))?;
        let items = items.iter().map(|item| string(Some(item), at)).collect::<Result<Vec<_>, _>>()?;
        Ok(Some(self.to_local_url(items.join(delimiter)).into()))
    }

    fn find_in_map(&self, path: &[Value], at: &Location<'_>) -> Result<Option<Json>, Error> {
        let mut found = self.template.node().get(&["Mappings"]);
        for key in path {
            let key = string(self.value(key, at)?.as_ref(), at)?;
            found = found.and_then(|mapping| mapping.get(&[&key]));
        }
        let value = found.and_then(|found| yaml::scalar(found.0));
        value.map(|value| Some(value.into())).ok_or_else(|| at.error("FindInMap finds no value"))
    }

    /// Replaces the host of a deployed API by this deployment's address.
    fn to_local_url(&self, text: String) -> String {
        let Some(rest) = text.strip_prefix("https://") else {
            return text;
        };
        let domain = format!(".execute-api.{}.amazonaws.com", self.deployment.region);
        match rest.split_once(&domain) {
            Some((api, path)) if self.template.resource(api).is_some_and(|api| api.kind == "AWS::Serverless::Api") => {
                format!("{}{path}", self.deployment.address)
            }
            _ => text,
        }
    }
}

fn string(value: Option<&Json>, at: &Location<'_>) -> Result<String, Error> {
    value.and_then(json::scalar).ok_or_else(|| at.error("the value must be a scalar"))
}
