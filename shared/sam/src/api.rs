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
    /// The functions that decide who passes, by their names as authorizers.
    pub authorizers: BTreeMap<String, Authorizer>,
}

/// A function that decides who passes, by the whole request, each time anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorizer {
    /// The function's logical id.
    pub function: String,
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
    pub headers: BTreeMap<String, Header>,
    /// Its JSON body, in which `$context.error.messageString` and the like stand for what happened.
    pub template: Option<String>,
}

/// A header's value in an answer of the gateway itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Header {
    /// Always the same.
    Fixed(String),
    /// That of the request's header of this name; without one there is none in the answer.
    OfRequest(String),
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
            authorizers: authorizers(properties)?,
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
            let headers = headers.into_iter().map(|(name, value)| {
                let unknown = |problem| at.then(kind).then(&name).error(problem);
                Header::read(&value).map(|value| (name.clone(), value)).map_err(unknown)
            });
            let headers = headers.collect::<Result<_, _>>()?;
            let response = GatewayResponse { status, headers, template: text(&value["ResponseTemplates"]["application/json"]) };
            Ok((kind.clone(), response))
        })
        .collect()
}

impl Header {
    fn read(value: &str) -> Result<Self, String> {
        match value.strip_prefix("method.request.header.") {
            Some(name) => Ok(Self::OfRequest(name.to_owned())),
            None if value.starts_with('\'') => Ok(Self::Fixed(unquoted(value.to_owned()))),
            None => Err(format!("`{value}` is neither a text in quotes nor a header of the request")),
        }
    }
}

fn authorizers(properties: &Properties<'_>) -> Result<BTreeMap<String, Authorizer>, Error> {
    let at = properties.at("Auth");
    let auth = properties.json("Auth")?.unwrap_or_default();
    if let Some(unknown) = auth.as_object().and_then(|auth| auth.keys().find(|name| *name != "Authorizers")) {
        return Err(at.then(unknown).error("this is not known here"));
    }
    let entries = auth["Authorizers"].as_object().into_iter().flatten();
    entries
        .map(|(name, value)| {
            let at = at.then("Authorizers").then(name);
            if value["FunctionPayloadType"] != "REQUEST" {
                return Err(at.then("FunctionPayloadType").error("only REQUEST is known here"));
            }
            let identity = value["Identity"].as_object();
            if text(&value["Identity"]["ReauthorizeEvery"]).as_deref() != Some("0") || identity.is_none_or(|identity| identity.len() > 1) {
                return Err(at.then("Identity").error("only `ReauthorizeEvery: 0` is known here: each request is decided anew"));
            }
            let arn = text(&value["FunctionArn"]).ok_or_else(|| at.then("FunctionArn").error("this is missing"))?;
            let function = arn.rsplit(':').next().unwrap_or_default().to_owned();
            Ok((name.clone(), Authorizer { function }))
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
