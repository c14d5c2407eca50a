//! The REST APIs of a stack, under one base URL.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode},
    response::{IntoResponse, Response},
};
use sam::{Api, Cors, Deployment, Stack};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    authorizer,
    event::GatewayRequest,
    gateway_response::{self, ResponseType},
    proxy_response,
    routes::{RouteMatch, Routes, Target},
    throttle::TokenBuckets,
};
use crate::{
    aws::lambda::{Lambda, MAX_EVENT_BYTES},
    body::{self, BodyError},
    error::Error,
};

/// The maximum size of a request's body.
const MAX_REQUEST_BYTES: usize = 10 * 1024 * 1024;

/// All APIs of a stack, under one base URL.
#[derive(Debug)]
pub(crate) struct Gateway {
    stage: String,
    apis: Vec<Api>,
    routes: Routes,
    buckets: TokenBuckets,
    lambda: Arc<Lambda>,
    account: String,
    region: String,
    port: u16,
    integration_timeout: Duration,
}

/// The stage, which all APIs must share.
pub(crate) fn stage(apis: &[Api]) -> Result<String, Error> {
    let mut stages: Vec<&str> = apis.iter().map(|api| api.stage.as_str()).collect();
    stages.dedup();
    match stages.as_slice() {
        [] => Ok("Prod".to_owned()),
        [stage] => Ok((*stage).to_owned()),
        _ => Err(Error::Stages(stages.join(", "))),
    }
}

impl Gateway {
    pub(crate) fn new(
        stack: &Stack,
        lambda: Arc<Lambda>,
        deployment: &Deployment,
        port: u16,
        integration_timeout: Duration,
    ) -> Result<Self, Error> {
        let stage = stage(&stack.apis)?;
        let routes = Routes::new(&stack.functions)?;
        let (account, region) = (deployment.account.clone(), deployment.region.clone());
        let (apis, buckets) = (stack.apis.clone(), TokenBuckets::default());
        Ok(Self { stage, apis, routes, buckets, lambda, account, region, port, integration_timeout })
    }

    /// Every route, as `METHOD path`.
    pub(crate) fn routes(&self) -> Vec<String> {
        self.routes.all().map(|target| format!("{} {}", target.route.method, target.route.path)).collect()
    }

    fn api(&self, target: &Target) -> Option<&Api> {
        self.apis.iter().find(|api| api.id == target.route.api)
    }

    async fn respond(&self, request: Request, id: &str) -> Response {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path();
        let path = path.strip_prefix('/').and_then(|path| path.strip_prefix(&self.stage));
        let Some(path) = path.filter(|path| path.is_empty() || path.starts_with('/')) else {
            return (StatusCode::FORBIDDEN, [("content-type", "application/json")], r#"{"message":"Forbidden"}"#).into_response();
        };
        let generate = |kind: ResponseType, api| kind.response(api, &parts.headers, id);
        let (target, parameters) = match self.routes.find(parts.method.as_str(), path) {
            RouteMatch::NotFound => {
                // All APIs share the base URL, so the nearest one generates the response.
                let nearest = self.routes.nearest(path).and_then(|target| self.api(target));
                return generate(gateway_response::MISSING_AUTHENTICATION_TOKEN, nearest.or(self.apis.first()));
            }
            RouteMatch::OtherMethods(target) => {
                let api = self.api(target);
                return match api.and_then(|api| api.cors.as_ref()) {
                    Some(cors) if parts.method == Method::OPTIONS => preflight(cors),
                    _ => generate(gateway_response::MISSING_AUTHENTICATION_TOKEN, api),
                };
            }
            RouteMatch::Target(target, parameters) => (target, parameters),
        };
        let api = self.api(target);
        // SAM adds an OPTIONS method to each path with CORS. It is more specific than ANY.
        if let Some(cors) = api.and_then(|api| api.cors.as_ref())
            && parts.method == Method::OPTIONS
            && target.route.method == "ANY"
        {
            return preflight(cors);
        }
        if let Some(limit) = api.and_then(|api| api.throttle)
            && !self.buckets.try_acquire(limit, &target.route.path, &target.route.method, Instant::now())
        {
            return generate(gateway_response::THROTTLED, api);
        }
        let body = match body::read(body, MAX_REQUEST_BYTES).await {
            Ok(body) => body,
            Err(BodyError::TooLarge) => return generate(gateway_response::REQUEST_TOO_LARGE, api),
            Err(BodyError::Incomplete) => return generate(gateway_response::BAD_REQUEST, api),
        };
        let request = GatewayRequest {
            id,
            account: &self.account,
            region: &self.region,
            stage: &self.stage,
            method: &parts.method,
            path,
            query: parts.uri.query(),
            headers: &parts.headers,
            body: &body,
            port: self.port,
        };
        let context = match self.authorize(&request, target, &parameters).await {
            Ok(context) => context,
            Err(kind) => return generate(kind, api),
        };
        let event = request.proxy_event(target, &parameters, context.as_ref());
        drop(body);
        if event.len() > MAX_EVENT_BYTES {
            return generate(gateway_response::EVENT_TOO_LARGE, api);
        }
        match tokio::time::timeout(self.integration_timeout, self.lambda.invoke(&target.function, id, event.into())).await {
            Err(_) => generate(gateway_response::INTEGRATION_TIMEOUT, api),
            Ok(output) => {
                let response = output.filter(|output| !output.is_error).and_then(|output| proxy_response::parse(&output.payload));
                response.unwrap_or_else(|| generate(gateway_response::BAD_GATEWAY, api))
            }
        }
    }

    /// Invokes the authorizer of the target. Returns its context, `None` when the target has no
    /// authorizer, or the gateway response that rejects the request.
    async fn authorize(
        &self,
        request: &GatewayRequest<'_>,
        target: &Target,
        parameters: &[(&str, String)],
    ) -> Result<Option<Map<String, Value>>, ResponseType> {
        let Some(name) = &target.route.authorizer else { return Ok(None) };
        let api = self.api(target);
        let authorizer = api.and_then(|api| api.authorizers.get(name)).ok_or(gateway_response::AUTHORIZER_CONFIGURATION_ERROR)?;
        let event = request.authorizer_event(target, parameters);
        let invocation = self.lambda.invoke(&authorizer.function, request.id, event.into());
        let output = tokio::time::timeout(self.integration_timeout, invocation).await;
        let output = output.ok().flatten().ok_or(gateway_response::AUTHORIZER_FAILURE)?;
        if output.is_error {
            return Err(authorizer::failure(&output.payload));
        }
        authorizer::decide(&output.payload, &request.arn(target)).map(Some)
    }
}

/// Serves all APIs. Every path falls back to them.
pub(crate) fn router(gateway: Arc<Gateway>) -> Router {
    Router::new().fallback(handle).with_state(gateway)
}

async fn handle(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let id = Uuid::new_v4().to_string();
    let mut response = gateway.respond(request, &id).await;
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}

fn preflight(cors: &Cors) -> Response {
    let headers = [
        ("access-control-allow-origin", &cors.origin),
        ("access-control-allow-methods", &cors.methods),
        ("access-control-allow-headers", &cors.headers),
        ("access-control-max-age", &cors.max_age),
    ];
    let mut response = StatusCode::OK.into_response();
    for (name, value) in headers {
        if let Some(value) = value.as_ref().and_then(|value| HeaderValue::try_from(value).ok()) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}
