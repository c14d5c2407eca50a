//! REST APIs: their stage, CORS, gateway responses, throttling and authorizers.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::{
    error::Error,
    json::{scalar, scalars},
    properties::Properties,
};

/// A REST API.
#[derive(Clone, Debug, PartialEq)]
pub struct Api {
    /// The logical id.
    pub id: String,
    /// The stage: the first segment of every path.
    pub stage: String,
    /// The response to CORS preflight requests.
    pub cors: Option<Cors>,
    /// The customized gateway responses, by response type such as `MISSING_AUTHENTICATION_TOKEN`.
    pub responses: BTreeMap<String, GatewayResponse>,
    /// The throttling limits of each method.
    pub throttle: Option<Throttle>,
    /// The Lambda authorizers, by name.
    pub authorizers: BTreeMap<String, Authorizer>,
}

/// A Lambda authorizer of type `REQUEST`, without a cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorizer {
    /// The logical id of its function.
    pub function: String,
}

/// The response to a CORS preflight request.
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

/// A response that API Gateway generates itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GatewayResponse {
    /// The status; `None` is the default of the response type.
    pub status: Option<u16>,
    /// The headers.
    pub headers: BTreeMap<String, HeaderMapping>,
    /// The mapping template of the JSON body, with variables such as
    /// `$context.error.messageString`.
    pub template: Option<String>,
}

/// Where the value of a gateway response's header comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderMapping {
    /// A static value.
    Static(String),
    /// The request header of this name. The response has no such header when the request has none.
    RequestHeader(String),
}

/// The token bucket of a method.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Throttle {
    /// Tokens added per second.
    pub rate: f64,
    /// The size of the bucket.
    pub burst: f64,
}

impl Api {
    pub(crate) fn read(properties: &Properties<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: properties.resource.to_owned(),
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
        // SAM takes a string as the origin.
        let origin = scalar(value).or_else(|| scalar(&value["AllowOrigin"]));
        let header = |name: &str| scalar(&value[name]).map(unquote);
        Self { origin: origin.map(unquote), methods: header("AllowMethods"), headers: header("AllowHeaders"), max_age: header("MaxAge") }
    }
}

fn responses(properties: &Properties<'_>) -> Result<BTreeMap<String, GatewayResponse>, Error> {
    let at = properties.location("GatewayResponses");
    let value = properties.json("GatewayResponses")?.unwrap_or_default();
    let entries = value.as_object().into_iter().flatten();
    entries
        .map(|(kind, value)| {
            let status = scalar(&value["StatusCode"])
                .map(|status| status.parse().map_err(|_| at.child(kind).error(format!("`{status}` is not a status code"))))
                .transpose()?;
            let headers = scalars(Some(&value["ResponseParameters"]["Headers"]));
            let headers = headers.into_iter().map(|(name, value)| {
                let invalid = |message| at.child(kind).child(&name).error(message);
                HeaderMapping::parse(&value).map(|value| (name.clone(), value)).map_err(invalid)
            });
            let headers = headers.collect::<Result<_, _>>()?;
            let response = GatewayResponse { status, headers, template: scalar(&value["ResponseTemplates"]["application/json"]) };
            Ok((kind.clone(), response))
        })
        .collect()
}

impl HeaderMapping {
    fn parse(value: &str) -> Result<Self, String> {
        match value.strip_prefix("method.request.header.") {
            Some(name) => Ok(Self::RequestHeader(name.to_owned())),
            None if value.starts_with('\'') => Ok(Self::Static(unquote(value.to_owned()))),
            None => Err(format!("`{value}` is neither a quoted string nor a request header; use '…' or method.request.header.NAME")),
        }
    }
}

fn authorizers(properties: &Properties<'_>) -> Result<BTreeMap<String, Authorizer>, Error> {
    let at = properties.location("Auth");
    let auth = properties.json("Auth")?.unwrap_or_default();
    if let Some(unknown) = auth.as_object().and_then(|auth| auth.keys().find(|name| *name != "Authorizers")) {
        return Err(at.child(unknown).error("the property is not supported"));
    }
    let entries = auth["Authorizers"].as_object().into_iter().flatten();
    entries
        .map(|(name, value)| {
            let at = at.child("Authorizers").child(name);
            if value["FunctionPayloadType"] != "REQUEST" {
                return Err(at.child("FunctionPayloadType").error("the type is not supported; use REQUEST"));
            }
            let identity = value["Identity"].as_object();
            if scalar(&value["Identity"]["ReauthorizeEvery"]).as_deref() != Some("0") || identity.is_none_or(|identity| identity.len() > 1)
            {
                return Err(at.child("Identity").error("a cache of decisions is not supported; use `ReauthorizeEvery: 0` alone"));
            }
            let arn = scalar(&value["FunctionArn"]).ok_or_else(|| at.child("FunctionArn").missing())?;
            let function = arn.rsplit(':').next().unwrap_or_default().to_owned();
            Ok((name.clone(), Authorizer { function }))
        })
        .collect()
}

/// The first method setting that has limits; SAM's settings here are for all methods of all paths.
fn throttle(settings: Option<&Json>) -> Option<Throttle> {
    let number = |value: &Json| scalar(value)?.parse().ok();
    settings?.as_array()?.iter().find_map(|setting| {
        Some(Throttle { rate: number(&setting["ThrottlingRateLimit"])?, burst: number(&setting["ThrottlingBurstLimit"])? })
    })
}

/// API Gateway quotes a static value, to tell it from a mapping expression.
fn unquote(value: String) -> String {
    match value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some(inner) => inner.to_owned(),
        None => value,
    }
}
