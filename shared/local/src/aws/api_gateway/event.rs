//! The events of a REST API: the proxy event of a function, version 1, and the event of an
//! authorizer.

use std::{borrow::Cow, collections::BTreeMap, time::SystemTime};

use axum::http::{HeaderMap, HeaderName, Method, header};
use serde::Serialize;
use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

use super::routes::Target;

/// The format of `requestTime`.
const REQUEST_TIME: &[BorrowedFormatItem<'_>] = format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000");

/// A request, with what its events say about it.
pub(super) struct GatewayRequest<'a> {
    pub(super) id: &'a str,
    pub(super) account: &'a str,
    pub(super) region: &'a str,
    pub(super) stage: &'a str,
    pub(super) method: &'a Method,
    /// The path without the stage.
    pub(super) path: &'a str,
    pub(super) query: Option<&'a str>,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    pub(super) port: u16,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProxyEvent<'a> {
    resource: &'a str,
    path: &'a str,
    http_method: &'a str,
    headers: Single<'a>,
    multi_value_headers: Multi<'a>,
    query_string_parameters: Option<Single<'a>>,
    multi_value_query_string_parameters: Option<Multi<'a>>,
    path_parameters: Option<BTreeMap<&'a str, &'a str>>,
    stage_variables: Option<()>,
    request_context: Context<'a>,
    body: Option<Cow<'a, str>>,
    is_base64_encoded: bool,
}

/// The event of an authorizer of type `REQUEST`: the proxy event without its body, and with empty
/// objects instead of nulls.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AuthorizerEvent<'a> {
    r#type: &'static str,
    method_arn: String,
    resource: &'a str,
    path: &'a str,
    http_method: &'a str,
    headers: Single<'a>,
    multi_value_headers: Multi<'a>,
    query_string_parameters: Single<'a>,
    multi_value_query_string_parameters: Multi<'a>,
    path_parameters: BTreeMap<&'a str, &'a str>,
    stage_variables: Map<String, Value>,
    request_context: Context<'a>,
}

type Single<'a> = BTreeMap<Cow<'a, str>, Cow<'a, str>>;
type Multi<'a> = BTreeMap<Cow<'a, str>, Vec<Cow<'a, str>>>;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Context<'a> {
    resource_id: &'a str,
    resource_path: &'a str,
    http_method: &'a str,
    extended_request_id: &'a str,
    request_time: String,
    path: String,
    account_id: &'a str,
    protocol: &'static str,
    stage: &'a str,
    domain_prefix: &'a str,
    request_time_epoch: u64,
    request_id: &'a str,
    identity: Identity<'a>,
    domain_name: String,
    deployment_id: &'static str,
    api_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorizer: Option<&'a Map<String, Value>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Identity<'a> {
    cognito_identity_pool_id: Option<()>,
    account_id: Option<()>,
    cognito_identity_id: Option<()>,
    caller: Option<()>,
    source_ip: &'static str,
    principal_org_id: Option<()>,
    access_key: Option<()>,
    cognito_authentication_type: Option<()>,
    cognito_authentication_provider: Option<()>,
    user_arn: Option<()>,
    user_agent: Option<Cow<'a, str>>,
    user: Option<()>,
}

impl GatewayRequest<'_> {
    /// The proxy event of a target, with the context of its authorizer.
    pub(super) fn proxy_event(&self, target: &Target, parameters: &[(&str, String)], authorizer: Option<&Map<String, Value>>) -> Vec<u8> {
        let (headers, query) = (self.headers(), self.query());
        let event = ProxyEvent {
            resource: &target.route.path,
            path: self.path,
            http_method: self.method.as_str(),
            headers: single(&headers),
            query_string_parameters: query.as_ref().map(single),
            multi_value_query_string_parameters: query,
            path_parameters: (!parameters.is_empty()).then(|| by_name(parameters)),
            stage_variables: None,
            request_context: self.context(target, authorizer),
            // Without binary media types API Gateway passes every body as text.
            body: (!self.body.is_empty()).then(|| String::from_utf8_lossy(self.body)),
            is_base64_encoded: false,
            multi_value_headers: headers,
        };
        // Escaping makes a JSON body about a fifth longer.
        serialize(&event, self.body.len() + self.body.len() / 4 + 4096)
    }

    /// The event of a target's authorizer.
    pub(super) fn authorizer_event(&self, target: &Target, parameters: &[(&str, String)]) -> Vec<u8> {
        let (headers, query) = (self.headers(), self.query().unwrap_or_default());
        let event = AuthorizerEvent {
            r#type: "REQUEST",
            method_arn: self.arn(target),
            resource: &target.route.path,
            path: self.path,
            http_method: self.method.as_str(),
            headers: single(&headers),
            multi_value_headers: headers,
            query_string_parameters: single(&query),
            multi_value_query_string_parameters: query,
            path_parameters: by_name(parameters),
            stage_variables: Map::new(),
            request_context: self.context(target, None),
        };
        serialize(&event, 4096)
    }

    /// The ARN of the requested method, as policies name it.
    pub(super) fn arn(&self, target: &Target) -> String {
        let Self { account, region, stage, method, path, .. } = self;
        format!("arn:aws:execute-api:{region}:{account}:{}/{stage}/{method}{path}", target.route.api)
    }

    fn context<'a>(&'a self, target: &'a Target, authorizer: Option<&'a Map<String, Value>>) -> Context<'a> {
        let now = SystemTime::now();
        let epoch = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Context {
            resource_id: &target.route.event,
            resource_path: &target.route.path,
            http_method: self.method.as_str(),
            extended_request_id: self.id,
            request_time: OffsetDateTime::from(now).format(REQUEST_TIME).unwrap_or_default(),
            path: format!("/{}{}", self.stage, self.path),
            account_id: self.account,
            protocol: "HTTP/1.1",
            stage: self.stage,
            domain_prefix: "127",
            request_time_epoch: u64::try_from(epoch.as_millis()).unwrap_or_default(),
            request_id: self.id,
            identity: Identity {
                cognito_identity_pool_id: None,
                account_id: None,
                cognito_identity_id: None,
                caller: None,
                // Every caller comes over the loopback interface.
                source_ip: "127.0.0.1",
                principal_org_id: None,
                access_key: None,
                cognito_authentication_type: None,
                cognito_authentication_provider: None,
                user_arn: None,
                user_agent: self.headers.get(header::USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes())),
                user: None,
            },
            domain_name: format!("127.0.0.1:{}", self.port),
            deployment_id: "local",
            api_id: &target.route.api,
            authorizer,
        }
    }

    fn headers(&self) -> Multi<'_> {
        let mut headers = Multi::new();
        let hop_by_hop = |name: &HeaderName| *name == header::CONNECTION || *name == header::TRANSFER_ENCODING;
        for (name, value) in self.headers.iter().filter(|(name, _)| !hop_by_hop(name)) {
            headers.entry(name.as_str().into()).or_default().push(String::from_utf8_lossy(value.as_bytes()));
        }
        let root = self.id.replace('-', "");
        headers.insert("X-Amzn-Trace-Id".into(), vec![format!("Root=1-{}-{}", &root[..8], &root[8..]).into()]);
        headers.insert("X-Forwarded-For".into(), vec!["127.0.0.1".into()]);
        headers.insert("X-Forwarded-Port".into(), vec![self.port.to_string().into()]);
        headers.insert("X-Forwarded-Proto".into(), vec!["http".into()]);
        headers
    }

    fn query(&self) -> Option<Multi<'_>> {
        let mut query = Multi::new();
        for (name, value) in form_urlencoded::parse(self.query?.as_bytes()) {
            query.entry(name).or_default().push(value);
        }
        (!query.is_empty()).then_some(query)
    }
}

/// The last value of each name.
fn single<'a>(values: &Multi<'a>) -> Single<'a> {
    values.iter().filter_map(|(name, values)| Some((name.clone(), values.last()?.clone()))).collect()
}

fn by_name<'a>(parameters: &'a [(&str, String)]) -> BTreeMap<&'a str, &'a str> {
    parameters.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

fn serialize(event: &impl Serialize, capacity: usize) -> Vec<u8> {
    let mut json = Vec::with_capacity(capacity);
    serde_json::to_writer(&mut json, event).expect("strings and numbers serialize, and a vector takes every byte");
    json
}
