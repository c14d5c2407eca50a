//! API Gateway's part: finds the function a request is for, and speaks for it when it does not.

mod answer;
mod authorizer;
mod event;
mod response;
mod routes;
mod throttle;

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
use uuid::Uuid;

use self::{
    response::Kind,
    routes::{Found, Routes, Target},
    throttle::Buckets,
};
use crate::{
    Error,
    aws::lambda::{Lambda, MAX_EVENT},
    body,
};
use sam::{Api, Cors, Deployment, Stack};

/// The longest body.
const MAX_BODY: usize = 10 * 1024 * 1024;

/// All APIs of a stack, under one address.
#[derive(Debug)]
pub(crate) struct Gateway {
    stage: String,
    apis: Vec<Api>,
    routes: Routes,
    buckets: Buckets,
    lambda: Arc<Lambda>,
    account: String,
    region: String,
    port: u16,
    limit: Duration,
}

/// The one stage of all APIs.
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
    /// `limit` is how long a function may take.
    pub(crate) fn new(stack: &Stack, lambda: Arc<Lambda>, deployment: &Deployment, port: u16, limit: Duration) -> Result<Self, Error> {
        let stage = stage(&stack.apis)?;
        let routes = Routes::new(&stack.functions)?;
        let (account, region) = (deployment.account.clone(), deployment.region.clone());
        Ok(Self { stage, apis: stack.apis.clone(), routes, buckets: Buckets::default(), lambda, account, region, port, limit })
    }

    /// Every route, as `METHOD path`.
    pub(crate) fn routes(&self) -> Vec<String> {
        self.routes.all().map(|target| format!("{} {}", target.route.method, target.route.path)).collect()
    }

    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new().fallback(handle).with_state(Arc::clone(self))
    }

    fn api(&self, target: &Target) -> Option<&Api> {
        self.apis.iter().find(|api| api.id == target.route.api)
    }

    async fn answer(&self, request: Request, id: &str) -> Response {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path();
        let path = path.strip_prefix('/').and_then(|path| path.strip_prefix(&self.stage));
        let Some(path) = path.filter(|path| path.is_empty() || path.starts_with('/')) else {
            return (StatusCode::FORBIDDEN, [("content-type", "application/json")], r#"{"message":"Forbidden"}"#).into_response();
        };
        let refuse = |kind: Kind, api| kind.response(api, &parts.headers, id);
        let (target, parameters) = match self.routes.find(parts.method.as_str(), path) {
            Found::Nothing => {
                // Several APIs under one address are one place to get lost in: the one that is nearest says so.
                let near = self.routes.near(path).and_then(|target| self.api(target));
                return refuse(response::MISSING_AUTHENTICATION_TOKEN, near.or(self.apis.first()));
            }
            Found::OtherMethods(target) => {
                let api = self.api(target);
                return match api.and_then(|api| api.cors.as_ref()) {
                    Some(cors) if parts.method == Method::OPTIONS => preflight(cors),
                    _ => refuse(response::MISSING_AUTHENTICATION_TOKEN, api),
                };
            }
            Found::Target(target, parameters) => (target, parameters),
        };
        let api = self.api(target);
        // SAM gives each path with CORS an OPTIONS method of its own, which is more exact than ANY.
        if let Some(cors) = api.and_then(|api| api.cors.as_ref())
            && parts.method == Method::OPTIONS
            && target.route.method == "ANY"
        {
            return preflight(cors);
        }
        if let Some(limit) = api.and_then(|api| api.throttle)
            && !self.buckets.pass(limit, &target.route.path, &target.route.method, Instant::now())
        {
            return refuse(response::THROTTLED, api);
        }
        let body = match body::read(body, MAX_BODY).await {
            Ok(body) => body,
            Err(body::Error::TooLarge) => return refuse(response::REQUEST_TOO_LARGE, api),
            Err(body::Error::Broken) => return refuse(response::BAD_REQUEST, api),
        };
        let request = event::Request {
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
        let caller = match self.authorize(&request, target, &parameters).await {
            Ok(caller) => caller,
            Err(kind) => return refuse(kind, api),
        };
        let event = request.event(target, &parameters, caller.as_ref());
        drop(body);
        if event.len() > MAX_EVENT {
            return refuse(response::EVENT_TOO_LARGE, api);
        }
        match tokio::time::timeout(self.limit, self.lambda.invoke(&target.function, id, event.into())).await {
            Err(_) => refuse(response::INTEGRATION_TIMEOUT, api),
            Ok(Some(reply)) if !reply.failed => answer::read(&reply.payload).unwrap_or_else(|| refuse(response::NO_ANSWER, api)),
            Ok(_) => refuse(response::NO_ANSWER, api),
        }
    }
}

async fn handle(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let id = Uuid::new_v4().to_string();
    let mut response = gateway.answer(request, &id).await;
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
