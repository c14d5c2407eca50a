//! SageMaker endpoints, with the variants behind them and what their containers are told.

use std::collections::BTreeMap;

use serde_norway::Value;

use super::{Error, Resolver, Resource, properties::texts};

/// A SageMaker endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The logical id.
    pub id: String,
    /// The name under which it is invoked.
    pub name: String,
    /// The variants behind it.
    pub variants: Vec<Variant>,
}

/// A production variant of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// The environment of its model's container.
    pub environment: BTreeMap<String, String>,
}

impl Endpoint {
    pub(super) fn read(resolver: &Resolver<'_>, resource: &Resource<'_>) -> Result<Self, Error> {
        let properties = resolver.properties(resource, "");
        let config_name = properties.required("EndpointConfigName")?;
        let config = named(resolver, "AWS::SageMaker::EndpointConfig", "EndpointConfigName", &config_name)?
            .ok_or_else(|| properties.at("EndpointConfigName").error(format!("there is no {config_name}")))?;
        let config = resolver.properties(&config, "");
        let at = config.at("ProductionVariants");
        let variants = config.raw("ProductionVariants").and_then(Value::as_sequence);
        let variants = variants.ok_or_else(|| at.error("this is missing"))?.iter().map(|variant| {
            let text = |key: &str| {
                let value = variant.get(key).ok_or_else(|| at.then(key).error("this is missing"))?;
                let value = resolver.value(value, &at.then(key))?.unwrap_or_default();
                value.as_str().map(str::to_owned).ok_or_else(|| at.then(key).error("this must be text"))
            };
            let model = text("ModelName")?;
            let model =
                named(resolver, "AWS::SageMaker::Model", "ModelName", &model)?.ok_or_else(|| at.error(format!("there is no {model}")))?;
            Ok(Variant { name: text("VariantName")?, environment: environment(resolver, &model)? })
        });
        Ok(Self {
            id: resource.id.to_owned(),
            name: resolver.name(resource, "EndpointName")?,
            variants: variants.collect::<Result<_, Error>>()?,
        })
    }
}

/// The resource of a kind that has a name.
fn named<'a>(resolver: &'a Resolver<'_>, kind: &str, property: &str, name: &str) -> Result<Option<Resource<'a>>, Error> {
    for resource in resolver.template().resources().filter(|resource| resource.kind == kind) {
        if resolver.name(&resource, property)? == name {
            return Ok(Some(resource));
        }
    }
    Ok(None)
}

fn environment(resolver: &Resolver<'_>, model: &Resource<'_>) -> Result<BTreeMap<String, String>, Error> {
    let properties = resolver.properties(model, "");
    let container = properties.raw("PrimaryContainer").and_then(|container| container.get("Environment"));
    let at = properties.at("PrimaryContainer.Environment");
    let value = container.map_or(Ok(None), |value| resolver.value(value, &at))?;
    Ok(texts(value.as_ref()))
}
