//! What comes in.

use std::collections::{BTreeMap, HashMap};

use lambda_http::{
    aws_lambda_events::apigw::ApiGatewayProxyRequest,
    http::{HeaderMap, Method, header},
};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, value::RawValue};

/// What API Gateway hands over.
#[derive(Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path within the stage.
    pub path: String,
    /// The template's route, such as `/sign/{videoId}`.
    pub route: String,
    /// The values of the route's parameters.
    pub parameters: HashMap<String, String>,
    /// The query, decoded by the gateway: every pair, also of a name that is repeated.
    pub query: Vec<(String, String)>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; bytes that are no UTF-8 do not pass API Gateway as text.
    pub body: String,
    /// The caller's address.
    pub source: String,
    /// Who the API's authorizer says the caller is, where it has one.
    pub caller: Option<Caller>,
    /// The API's own address, stage included, as the caller wrote it; without a slash at its end.
    pub base: String,
}

/// Who an authorizer let pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The principal.
    pub principal: String,
    /// What the authorizer said besides.
    pub context: BTreeMap<String, String>,
}

/// What started the function.
#[derive(Debug)]
pub enum Event {
    /// A request through API Gateway.
    Http(Box<Request>),
    /// A schedule, with its input.
    Schedule(Value),
}

impl Request {
    /// A parameter of the route; nothing where it is not there.
    #[must_use]
    pub fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    /// A header, where it is there and text.
    #[must_use]
    pub fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The web origin whose page the request is of.
    #[must_use]
    pub fn origin(&self) -> Option<&str> {
        self.header(header::ORIGIN)
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        match serde_json::from_str::<ApiGatewayProxyRequest>(raw) {
            Ok(request) => Ok(Self::Http(Box::new(request.into()))),
            Err(malformed) => match serde_json::from_str::<Value>(raw) {
                // A request that is malformed must not pass for a schedule, which needs no credentials.
                Ok(value) if value.get("httpMethod").is_none() => Ok(Self::Schedule(value)),
                _ => Err(serde::de::Error::custom(malformed)),
            },
        }
    }
}

impl From<ApiGatewayProxyRequest> for Request {
    fn from(event: ApiGatewayProxyRequest) -> Self {
        // Where both forms are given, the multi-valued one holds all.
        let headers = if event.multi_value_headers.is_empty() { event.headers } else { event.multi_value_headers };
        let several = &event.multi_value_query_string_parameters;
        let query = if several.is_empty() { &event.query_string_parameters } else { several };
        let query = query.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let body = event.body.unwrap_or_default();
        let body = if event.is_base64_encoded { text_of_base64(&body) } else { body };
        let route = event.resource.unwrap_or_default();
        let context = event.request_context;
        let domain = context.domain_name.unwrap_or_default();
        Self {
            base: base(&headers, &domain, &context.path.unwrap_or_default(), &route),
            method: event.http_method,
            path: event.path.unwrap_or_default(),
            parameters: event.path_parameters,
            query,
            headers,
            body,
            source: context.identity.source_ip.unwrap_or_default(),
            caller: caller(context.authorizer.fields),
            route,
        }
    }
}

fn text_of_base64(body: &str) -> String {
    let bytes = shared::encoding::from_base64(body).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn caller(fields: HashMap<String, Value>) -> Option<Caller> {
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let mut context: BTreeMap<String, String> = fields.into_iter().map(|(name, value)| (name, text(value))).collect();
    Some(Caller { principal: context.remove("principalId")?, context })
}

/// What is left of a path when the route's segments are taken from its end: the stage, or a base path of an own domain.
fn base(headers: &HeaderMap, domain: &str, path: &str, route: &str) -> String {
    let scheme = headers.get("x-forwarded-proto").and_then(|scheme| scheme.to_str().ok()).filter(|scheme| *scheme == "http");
    let end = (0..route.matches('/').count()).try_fold(path.len(), |end, _| path[..end].rfind('/')).unwrap_or_default();
    format!("{}://{domain}{}", scheme.unwrap_or("https"), &path[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(text: &str) -> Result<Event, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn a_malformed_request_is_no_schedule() {
        assert!(matches!(event(r#"{"rpc":"reinit"}"#), Ok(Event::Schedule(_))));
        let request = r#"{"httpMethod":"POST","path":"/x","requestContext":{"httpMethod":"POST"},"body":"AQ==","isBase64Encoded":true}"#;
        assert!(matches!(event(request), Ok(Event::Http(request)) if request.body == "\u{1}"));
        assert!(event(&request.replace("POST", "P O S T")).is_err());
        assert!(event(r#"{"httpMethod":"POST"}"#).is_err());
    }

    #[test]
    fn all_that_the_gateway_knows_is_taken() {
        let text = r#"{"httpMethod":"GET","resource":"/status/{videoId}/{tag}","path":"/status/12/ab",
            "headers":{"X-Forwarded-Proto":"https"},"pathParameters":{"videoId":"12","tag":"ab"},
            "queryStringParameters":{"a":"2"},"multiValueQueryStringParameters":{"a":["1","2"]},
            "requestContext":{"httpMethod":"GET","path":"/Prod/status/12/ab","domainName":"example.org",
                "identity":{"sourceIp":"203.0.113.9"},"authorizer":{"principalId":"alice","max_bytes":"5","integrationLatency":7}}}"#;
        let Ok(Event::Http(request)) = event(text) else { panic!("it is a request") };
        assert_eq!((request.base.as_str(), request.source.as_str()), ("https://example.org/Prod", "203.0.113.9"));
        assert_eq!((request.parameter("videoId"), request.parameter("other")), ("12", ""));
        assert_eq!(request.query, [("a".to_owned(), "1".to_owned()), ("a".to_owned(), "2".to_owned())]);
        let caller = request.caller.unwrap();
        assert_eq!((caller.principal.as_str(), caller.context["max_bytes"].as_str()), ("alice", "5"));
    }

    #[test]
    fn a_base_is_what_comes_before_the_route() {
        let headers = HeaderMap::new();
        assert_eq!(base(&headers, "a", "/Prod/time", "/time"), "https://a/Prod");
        assert_eq!(base(&headers, "a", "/videos/ingest/1", "/ingest/{videoId}"), "https://a/videos");
        assert_eq!(base(&headers, "a", "/time", "/time"), "https://a");
        assert_eq!(base(&headers, "", "", "/ingest/{videoId}"), "https://");
    }
}
