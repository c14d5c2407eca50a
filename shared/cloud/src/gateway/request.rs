//! What invokes a function: a request from API Gateway, or a schedule.

use std::collections::{BTreeMap, HashMap};

use lambda_http::{
    aws_lambda_events::apigw::ApiGatewayProxyRequest,
    http::{HeaderMap, Method, header},
};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, value::RawValue};

/// A request from API Gateway.
#[derive(Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path within the stage.
    pub path: String,
    /// The route in the template (API Gateway's `resource`), such as `/sign/{videoId}`.
    pub route: String,
    /// The path parameters.
    pub parameters: HashMap<String, String>,
    /// The query string parameters, decoded by API Gateway: every pair, including repeated names.
    pub query: Vec<(String, String)>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body. API Gateway encodes a body that is not UTF-8 in base64; it is decoded lossily.
    pub body: String,
    /// The caller's IP address.
    pub source_ip: String,
    /// The authorizer's context, if the API has an authorizer.
    pub authorizer: Option<AuthorizerContext>,
    /// The API's URL as the caller used it: with the stage, without a trailing slash.
    pub base_url: String,
}

/// The context that an authorizer returned for an allowed caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizerContext {
    /// The caller's identity: `principalId`.
    pub principal: String,
    /// The rest of the context.
    pub values: BTreeMap<String, String>,
}

/// What invoked the function.
#[derive(Debug)]
pub enum Event {
    /// A request through API Gateway.
    Http(Box<Request>),
    /// A schedule, with its input.
    Schedule(Value),
}

impl Request {
    /// A path parameter; empty if there is none of this name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    /// A header's value, if it is visible ASCII.
    #[must_use]
    pub fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The `Origin` header: the web origin of the page that makes the request.
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
                // A malformed request must not be taken for a schedule, which needs no credentials.
                Ok(value) if value.get("httpMethod").is_none() => Ok(Self::Schedule(value)),
                _ => Err(serde::de::Error::custom(malformed)),
            },
        }
    }
}

impl From<ApiGatewayProxyRequest> for Request {
    fn from(event: ApiGatewayProxyRequest) -> Self {
        // If both forms are present, the multi-value one is complete.
        let headers = if event.multi_value_headers.is_empty() { event.headers } else { event.multi_value_headers };
        let several = &event.multi_value_query_string_parameters;
        let query = if several.is_empty() { &event.query_string_parameters } else { several };
        let query = query.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let body = event.body.unwrap_or_default();
        let body = if event.is_base64_encoded { decode_base64_text(&body) } else { body };
        let route = event.resource.unwrap_or_default();
        let context = event.request_context;
        let domain = context.domain_name.unwrap_or_default();
        Self {
            base_url: base_url(&headers, &domain, &context.path.unwrap_or_default(), &route),
            method: event.http_method,
            path: event.path.unwrap_or_default(),
            parameters: event.path_parameters,
            query,
            headers,
            body,
            source_ip: context.identity.source_ip.unwrap_or_default(),
            authorizer: authorizer(context.authorizer.fields),
            route,
        }
    }
}

fn decode_base64_text(body: &str) -> String {
    let bytes = shared::encoding::from_base64(body).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn authorizer(fields: HashMap<String, Value>) -> Option<AuthorizerContext> {
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let mut values: BTreeMap<String, String> = fields.into_iter().map(|(name, value)| (name, text(value))).collect();
    Some(AuthorizerContext { principal: values.remove("principalId")?, values })
}

/// The URL before the route. Removing the route's segments from the end of the path leaves the
/// stage, or the base path of a custom domain.
fn base_url(headers: &HeaderMap, domain: &str, path: &str, route: &str) -> String {
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
    fn a_malformed_request_is_not_taken_for_a_schedule() {
        assert!(matches!(event(r#"{"rpc":"reinit"}"#), Ok(Event::Schedule(_))));
        let request = r#"{"httpMethod":"POST","path":"/x","requestContext":{"httpMethod":"POST"},"body":"AQ==","isBase64Encoded":true}"#;
        assert!(matches!(event(request), Ok(Event::Http(request)) if request.body == "\u{1}"));
        let malformed = event(&request.replace("POST", "P O S T")).unwrap_err().to_string();
        assert!(malformed.contains("valid method name"), "{malformed}");
        let malformed = event(r#"{"httpMethod":"POST"}"#).unwrap_err().to_string();
        assert!(malformed.contains("missing field `requestContext`"), "{malformed}");
    }

    #[test]
    fn every_member_of_a_gateway_event_is_read() {
        let text = r#"{"httpMethod":"GET","resource":"/status/{videoId}/{tag}","path":"/status/12/ab",
            "headers":{"X-Forwarded-Proto":"https"},"pathParameters":{"videoId":"12","tag":"ab"},
            "queryStringParameters":{"a":"2"},"multiValueQueryStringParameters":{"a":["1","2"]},
            "requestContext":{"httpMethod":"GET","path":"/Prod/status/12/ab","domainName":"example.org",
                "identity":{"sourceIp":"203.0.113.9"},"authorizer":{"principalId":"alice","max_bytes":"5","integrationLatency":7}}}"#;
        let Ok(Event::Http(request)) = event(text) else { panic!("it is a request") };
        assert_eq!((request.base_url.as_str(), request.source_ip.as_str()), ("https://example.org/Prod", "203.0.113.9"));
        assert_eq!((request.parameter("videoId"), request.parameter("other")), ("12", ""));
        assert_eq!(request.query, [("a".to_owned(), "1".to_owned()), ("a".to_owned(), "2".to_owned())]);
        let authorizer = request.authorizer.unwrap();
        assert_eq!((authorizer.principal.as_str(), authorizer.values["max_bytes"].as_str()), ("alice", "5"));
    }

    #[test]
    fn the_base_url_ends_before_the_route() {
        let headers = HeaderMap::new();
        assert_eq!(base_url(&headers, "a", "/Prod/time", "/time"), "https://a/Prod");
        assert_eq!(base_url(&headers, "a", "/videos/ingest/1", "/ingest/{videoId}"), "https://a/videos");
        assert_eq!(base_url(&headers, "a", "/time", "/time"), "https://a");
        assert_eq!(base_url(&headers, "", "", "/ingest/{videoId}"), "https://");
    }
}
