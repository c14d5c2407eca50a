//! REST APIs: their stage, what they answer to browsers, and what the gateway says in its own name.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{
    Error, Properties,
    properties::{text, texts},
};

/// A REST API.
#[derive(Clone, Debug, PartialEq)]
pub struct Api {
    /// The logical id.
    pub id: String,
    /// The stage, the first segment of every path.
    pub stage: String,
    /// What a browser's preflight request hears.
    pub cors: Option<Cors>,
    /// What the gateway itself answers, by response type such as `MISSING_AUTHENTICATION_TOKEN`.
    pub responses: BTreeMap<String, GatewayResponse>,
    /// How many requests pass.
    pub throttle: Option<Throttle>,
}

/// The answer to a preflight request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cors {
    /// `Access-Control-Allow-Origin`.
    pub origin: Option<String>,
    /// `Access-Control-Allow-Methods`.
    pub methods: Option<String>,
    /// `Access-Control-Allow-Headers`.
    pub headers: Option<String>,
    /// `Access-Control-Max-Age`.
    pub max_age: Option<String>,
}

/// An answer of the gateway itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GatewayResponse {
    /// Its status, when it is not the type's own.
    pub status: Option<u16>,
    /// Its headers.
    pub headers: BTreeMap<String, String>,
    /// Its JSON body, in which `$context.error.messageString` and the like stand for what happened.
    pub template: Option<String>,
}

/// A token bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Throttle {
    /// Requests a second.
    pub rate: f64,
    /// Requests at once.
    pub burst: f64,
}

impl Api {
    pub(super) fn read(properties: &Properties<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: properties.resource().to_owned(),
            stage: properties.required("StageName")?,
            cors: properties.json("Cors")?.as_ref().map(Cors::read),
            responses: responses(properties)?,
            throttle: throttle(properties.json("MethodSettings")?.as_ref()),
        })
    }
}

impl Cors {
    fn read(value: &Json) -> Self {
        // SAM takes a text for the origin alone.
        let origin = text(value).or_else(|| text(&value["AllowOrigin"]));
        let part = |name: &str| text(&value[name]).map(unquoted);
        Self { origin: origin.map(unquoted), methods: part("AllowMethods"), headers: part("AllowHeaders"), max_age: part("MaxAge") }
    }
}

fn responses(properties: &Properties<'_>) -> Result<BTreeMap<String, GatewayResponse>, Error> {
    let at = properties.at("GatewayResponses");
    let value = properties.json("GatewayResponses")?.unwrap_or_default();
    let entries = value.as_object().into_iter().flatten();
    entries
        .map(|(kind, value)| {
            let status = text(&value["StatusCode"])
                .map(|status| {
                    let unreadable = || at.then(kind).error(format!("`{status}` is no status"));
                    status.parse().map_err(|_| unreadable())
                })
                .transpose()?;
            let headers = texts(Some(&value["ResponseParameters"]["Headers"]));
            let headers = headers.into_iter().map(|(name, value)| (name, unquoted(value)));
            let response =
                GatewayResponse { status, headers: headers.collect(), template: text(&value["ResponseTemplates"]["application/json"]) };
            Ok((kind.clone(), response))
        })
        .collect()
}

/// The setting for all methods of all paths.
fn throttle(settings: Option<&Json>) -> Option<Throttle> {
    let number = |value: &Json| text(value)?.parse().ok();
    settings?.as_array()?.iter().find_map(|setting| {
        Some(Throttle { rate: number(&setting["ThrottlingRateLimit"])?, burst: number(&setting["ThrottlingBurstLimit"])? })
    })
}

/// API Gateway writes a fixed value in quotes, to tell it from a mapping expression.
fn unquoted(value: String) -> String {
    match value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some(inner) => inner.to_owned(),
        None => value,
    }
}
