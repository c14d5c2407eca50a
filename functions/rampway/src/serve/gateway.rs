//! API Gateway: requests become REST (version 1) events, answers become responses, and what the gateway answers itself is the template's.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri, request::Parts},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use super::lambda::{Lambda, MAX_PAYLOAD, Outcome, request_id};
use crate::template::{ACCOUNT, Api, Function};

/// The longest body that the gateway takes, in bytes.
const MAX_BODY: usize = 10 * 1024 * 1024;
/// How long the gateway waits for a function.
const LIMIT: Duration = Duration::from_secs(29);

/// The APIs of a template under one address.
pub struct Gateway {
    stage: String,
    apis: BTreeMap<String, Api>,
    routes: Vec<Route>,
    lambda: Arc<Lambda>,
}

struct Route {
    function: String,
    api: String,
    method: String,
    resource: String,
}

impl Gateway {
    /// The gateway before some functions.
    pub fn new(apis: Vec<Api>, functions: &[Function], lambda: Arc<Lambda>) -> Self {
        let stage = apis.first().map_or_else(|| "Prod".into(), |api| api.stage.clone());
        let routes = functions.iter().flat_map(|function| {
            function.routes.iter().map(|route| Route {
                function: function.id.clone(),
                api: route.api.clone(),
                method: route.method.clone(),
                resource: route.path.clone(),
            })
        });
        Self { stage, routes: routes.collect(), apis: apis.into_iter().map(|api| (api.id.clone(), api)).collect(), lambda }
    }

    /// Serves until the listener's task is aborted.
    pub fn start(self, listener: TcpListener) -> tokio::task::JoinHandle<()> {
        let routes = Router::new().fallback(handle).with_state(Arc::new(self));
        tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, routes).await {
                eprintln!("the gateway ended: {error}");
            }
        })
    }

    fn find(&self, path: &str, method: &Method) -> Found<'_> {
        let mut found = Found::Nothing;
        for route in &self.routes {
            let Some(parameters) = parameters(&route.resource, path) else { continue };
            if route.method == "ANY" || route.method == method.as_str() {
                return Found::Route(route, parameters);
            }
            found = Found::Path(route);
        }
        found
    }

    /// What the gateway answers itself.
    fn own(&self, api: Option<&str>, kind: &str, usual: StatusCode, message: &str) -> Response<Body> {
        let api = api.and_then(|id| self.apis.get(id)).or_else(|| self.apis.values().next());
        let default = if usual.is_server_error() { "DEFAULT_5XX" } else { "DEFAULT_4XX" };
        let response = api.and_then(|api| api.responses.get(kind).or_else(|| api.responses.get(default)));
        let status = response.and_then(|response| response.status).and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(usual);
        let quoted = Value::from(message).to_string();
        let body = response
            .and_then(|response| response.body.as_ref())
            .map_or_else(|| json!({"message": message}).to_string(), |body| body.trim().replace("$context.error.messageString", &quoted));
        let headers = response.map(|response| response.headers.clone()).unwrap_or_default();
        build(status, headers.into_iter().chain([("Content-Type".into(), "application/json".into())]), body)
    }
}

enum Found<'a> {
    Route(&'a Route, Map<String, Value>),
    /// The path is known, the method is not.
    Path(&'a Route),
    Nothing,
}

async fn handle(State(gateway): State<Arc<Gateway>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().strip_prefix(&format!("/{}", gateway.stage)).filter(|path| path.starts_with('/'));
    let Some(path) = path.map(str::to_owned) else {
        return gateway.own(None, "", StatusCode::FORBIDDEN, "Forbidden");
    };
    let found = gateway.find(&path, &parts.method);
    if parts.method == Method::OPTIONS
        && let Found::Route(route, _) | Found::Path(route) = &found
        && let Some(api) = gateway.apis.get(&route.api).filter(|api| !api.cors.is_empty())
    {
        return build(StatusCode::OK, api.cors.clone().into_iter(), String::new());
    }
    let (route, parameters) = match found {
        Found::Route(route, parameters) => (route, parameters),
        Found::Path(_) | Found::Nothing => {
            return gateway.own(None, "MISSING_AUTHENTICATION_TOKEN", StatusCode::FORBIDDEN, "Missing Authentication Token");
        }
    };
    let own = |kind, status, message| gateway.own(Some(&route.api), kind, status, message);
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return own("REQUEST_TOO_LARGE", StatusCode::PAYLOAD_TOO_LARGE, "Request Too Long");
    };
    // Without binary media types the gateway hands bodies over as text: what is no UTF-8 is replaced.
    let event = event(&gateway, route, parameters, &parts, &path, &String::from_utf8_lossy(&body)).to_string();
    if event.len() > MAX_PAYLOAD {
        return own("REQUEST_TOO_LARGE", StatusCode::PAYLOAD_TOO_LARGE, "Request Too Long");
    }
    match tokio::time::timeout(LIMIT, gateway.lambda.invoke(&route.function, event.into())).await {
        Ok(Some(Outcome::Answered(answer))) => {
            respond(&answer).unwrap_or_else(|| own("", StatusCode::BAD_GATEWAY, "Internal server error"))
        }
        Ok(Some(Outcome::TimedOut)) | Err(_) => own("INTEGRATION_TIMEOUT", StatusCode::GATEWAY_TIMEOUT, "Endpoint request timed out"),
        Ok(_) => own("", StatusCode::BAD_GATEWAY, "Internal server error"),
    }
}

/// The parameters of a path that a resource matches; `None` when it does not.
fn parameters(resource: &str, path: &str) -> Option<Map<String, Value>> {
    let mut parameters = Map::new();
    let mut segments = path.split('/');
    for pattern in resource.split('/') {
        match pattern.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) if name.ends_with('+') => {
                let rest: Vec<_> = segments.by_ref().collect();
                parameters.insert(name.trim_end_matches('+').into(), rest.join("/").into());
            }
            Some(name) => drop(parameters.insert(name.into(), segments.next().filter(|segment| !segment.is_empty())?.into())),
            None => (segments.next()? == pattern).then_some(())?,
        }
    }
    segments.next().is_none().then_some(parameters)
}

fn event(gateway: &Gateway, route: &Route, parameters: Map<String, Value>, parts: &Parts, path: &str, body: &str) -> Value {
    let (mut headers, mut multi_value_headers) = (Map::new(), Map::new());
    for name in parts.headers.keys() {
        let values: Vec<_> = parts.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        headers.insert(name.to_string(), values.last().map(|value| value.clone().into_owned()).into());
        multi_value_headers.insert(name.to_string(), json!(values));
    }
    let (query, multi_value_query) = query(&parts.uri);
    let or_null = |map: Map<String, Value>| if map.is_empty() { Value::Null } else { Value::Object(map) };
    let body = if body.is_empty() { Value::Null } else { body.into() };
    json!({
        "resource": route.resource, "path": path, "httpMethod": parts.method.as_str(),
        "headers": headers, "multiValueHeaders": multi_value_headers,
        "queryStringParameters": or_null(query), "multiValueQueryStringParameters": or_null(multi_value_query),
        "pathParameters": or_null(parameters), "stageVariables": null,
        "requestContext": {
            "accountId": ACCOUNT, "apiId": route.api, "httpMethod": parts.method.as_str(), "path": parts.uri.path(),
            "protocol": "HTTP/1.1", "requestId": request_id(), "extendedRequestId": request_id(), "resourceId": "desk",
            "resourcePath": route.resource, "stage": gateway.stage, "domainName": "127.0.0.1",
            "requestTimeEpoch": cloud::setting::now() * 1000,
            "identity": {"sourceIp": "127.0.0.1", "userAgent": headers_text(&parts.headers, "user-agent")},
        },
        "body": body, "isBase64Encoded": false,
    })
}

fn query(uri: &Uri) -> (Map<String, Value>, Map<String, Value>) {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        all.entry(name.into_owned()).or_default().push(value.into_owned());
    }
    let last = all.iter().map(|(name, values)| (name.clone(), json!(values.last()))).collect();
    (last, all.into_iter().map(|(name, values)| (name, json!(values))).collect())
}

fn headers_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The answer of a proxy integration.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
    #[serde(default)]
    headers: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    multi_value_headers: Option<BTreeMap<String, Vec<String>>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

fn respond(answer: &[u8]) -> Option<Response<Body>> {
    let answer: Answer = serde_json::from_slice(answer).ok()?;
    let status = StatusCode::from_u16(answer.status_code).ok()?;
    let single = answer.headers.unwrap_or_default().into_iter();
    let single = single.map(|(name, value)| (name, value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
    let multiple = answer.multi_value_headers.unwrap_or_default().into_iter();
    let multiple = multiple.flat_map(|(name, values)| values.into_iter().map(move |value| (name.clone(), value)));
    let body = answer.body.unwrap_or_default();
    let mut response = build(status, single.chain(multiple), String::new());
    *response.body_mut() = if answer.is_base64_encoded { shared::encoding::from_base64(&body)?.into() } else { body.into() };
    Some(response)
}

fn build(status: StatusCode, headers: impl Iterator<Item = (String, String)>, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_match_as_the_gateway_s_do() {
        let found = |resource, path| parameters(resource, path).map(|parameters| Value::Object(parameters).to_string());
        assert_eq!(found("/auth/init", "/auth/init").as_deref(), Some("{}"));
        assert_eq!(found("/auth/init", "/auth/init/"), None);
        assert_eq!(found("/sign/{id}", "/sign/7").as_deref(), Some(r#"{"id":"7"}"#));
        assert_eq!(found("/sign/{id}", "/sign/"), None);
        assert_eq!(found("/files/{rest+}", "/files/a/b").as_deref(), Some(r#"{"rest":"a/b"}"#));
    }
}
