//! SageMaker endpoints, with their production variants and the environment of their containers.

use std::collections::BTreeMap;

use serde_norway::Value;

use crate::{error::Error, json::scalars, properties::Properties, resolver::Resolver, template::Resource};

/// A SageMaker endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The logical id.
    pub id: String,
    /// The name to invoke it by.
    pub name: String,
    /// The production variants.
    pub variants: Vec<Variant>,
}

/// A production variant of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// The name.
    pub name: String,
    /// The environment of the container of its model.
    pub environment: BTreeMap<String, String>,
}

impl Endpoint {
    pub(crate) fn read(resolver: &Resolver<'_>, resource: &Resource<'_>) -> Result<Self, Error> {
        let properties = Properties::new(resolver, resource, "");
        let config_name = properties.required("EndpointConfigName")?;
        let config = named(resolver, "AWS::SageMaker::EndpointConfig", "EndpointConfigName", &config_name)?
            .ok_or_else(|| properties.location("EndpointConfigName").error(format!("there is no endpoint configuration {config_name}")))?;
        let config = Properties::new(resolver, &config, "");
        let at = config.location("ProductionVariants");
        let variants = config.raw("ProductionVariants").and_then(Value::as_sequence);
        let variants = variants.ok_or_else(|| at.missing())?.iter().map(|variant| {
            let text = |key: &str| {
                let at = at.child(key);
                let value = resolver.value(variant.get(key).ok_or_else(|| at.missing())?, &at)?.unwrap_or_default();
                value.as_str().map(str::to_owned).ok_or_else(|| at.error("the value must be a string"))
            };
            let model = text("ModelName")?;
            let model = named(resolver, "AWS::SageMaker::Model", "ModelName", &model)?
                .ok_or_else(|| at.error(format!("there is no model {model}")))?;
            Ok(Variant { name: text("VariantName")?, environment: environment(resolver, &model)? })
        });
        Ok(Self {
            id: resource.id.to_owned(),
            name: resolver.name(resource, "EndpointName")?,
            variants: variants.collect::<Result<_, Error>>()?,
        })
    }
}

/// The resource of a type by its physical name, which `property` sets.
fn named<'a>(resolver: &'a Resolver<'_>, kind: &str, property: &str, name: &str) -> Result<Option<Resource<'a>>, Error> {
    for resource in resolver.template().resources().filter(|resource| resource.kind == kind) {
        if resolver.name(&resource, property)? == name {
            return Ok(Some(resource));
        }
    }
    Ok(None)
}

fn environment(resolver: &Resolver<'_>, model: &Resource<'_>) -> Result<BTreeMap<String, String>, Error> {
    let properties = Properties::new(resolver, model, "");
    let container = properties.raw("PrimaryContainer").and_then(|container| container.get("Environment"));
    let at = properties.location("PrimaryContainer.Environment");
    let value = container.map_or(Ok(None), |value| resolver.value(value, &at))?;
    Ok(scalars(value.as_ref()))
}
