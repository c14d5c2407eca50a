//! The door: an API Gateway request (REST, version 1) or a schedule comes in, a [`Reply`] or a [`Failure`] goes out.

use std::{error::Error as StdError, fmt};

use lambda_http::{
    aws_lambda_events::apigw::ApiGatewayProxyRequest,
    http::{HeaderMap, Method},
    lambda_runtime::{self, Diagnostic, LambdaEvent},
};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json, value::RawValue};
use shared::fault::Fault;

use crate::setting::Environment;

/// Whatever ends a function before it serves.
pub type Error = Box<dyn StdError + Send + Sync>;

/// What API Gateway hands over.
#[derive(Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path within the stage.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; bytes that are no UTF-8 do not pass API Gateway as text.
    pub body: String,
}

/// What started the function.
#[derive(Debug)]
pub enum Event {
    /// A request through API Gateway.
    Http(Request),
    /// A schedule, with its input.
    Schedule(Value),
}

/// A good answer.
#[derive(Debug)]
pub struct Reply {
    /// The body, JSON.
    pub body: String,
}

impl Reply {
    /// An answer of JSON text.
    #[must_use]
    pub const fn json(body: String) -> Self {
        Self { body }
    }
}

impl From<Value> for Reply {
    fn from(value: Value) -> Self {
        Self::json(value.to_string())
    }
}

/// A failure: a public body for the caller, a private cause for the log, once.
#[derive(Debug)]
pub struct Failure {
    status: u16,
    body: Value,
    header: Option<(&'static str, String)>,
    cause: Option<Error>,
}

impl Failure {
    /// A failure that a documented code tells of.
    #[must_use]
    pub fn new(fault: Fault, code: &str, sentence: impl fmt::Display) -> Self {
        Self { status: fault.status(), body: json!({"code": code, "message": sentence.to_string()}), header: None, cause: None }
    }

    /// A failure with a body of its own form.
    #[must_use]
    pub const fn with_body(fault: Fault, body: Value) -> Self {
        Self { status: fault.status(), body, header: None, cause: None }
    }

    /// Another status than the fault's: only for those that HTTP itself defines.
    #[must_use]
    pub const fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// What the log shall know and the caller shall not.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Error>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// When to try again, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.header = Some(("Retry-After", seconds.to_string()));
        self
    }

    /// The answer to a wrong method: 405, naming the right one.
    #[must_use]
    pub fn method(allowed: &str, code: &str) -> Self {
        let mut failure = Self::new(Fault::Request, code, format_args!("the method is {allowed}")).status(405);
        failure.header = Some(("Allow", allowed.into()));
        failure
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.body)?;
        let mut cause = self.cause.as_deref().map(|cause| cause as &dyn StdError);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl StdError for Failure {}

/// Serves requests through API Gateway.
pub async fn serve<H>(environment: &Environment, handler: H) -> Result<(), Error>
where
    H: AsyncFn(Request) -> Result<Reply, Failure>,
{
    run(environment, async |event| match event {
        Event::Http(request) => handler(request).await,
        Event::Schedule(_) => Err(Failure::new(Fault::Request, "schedule", "this function has no schedule")),
    })
    .await
}

/// Serves requests through API Gateway and schedules.
pub async fn run<H>(environment: &Environment, handler: H) -> Result<(), Error>
where
    H: AsyncFn(Event) -> Result<Reply, Failure>,
{
    log(environment);
    let origin = environment.allowed_origin();
    let service = lambda_runtime::service_fn(async |event: LambdaEvent<Event>| {
        let scheduled = matches!(event.payload, Event::Schedule(_));
        // Boxed: the futures of SDK calls nest deeper than the compiler looks.
        let outcome = Box::pin(handler(event.payload)).await;
        match &outcome {
            Err(failure) if failure.status >= 500 => tracing::error!("{failure}"),
            Err(failure) => tracing::info!("{failure}"),
            Ok(_) => {}
        }
        match (outcome, scheduled) {
            (Ok(reply), true) => Ok(Answer::Plain(serde_json::from_str(&reply.body).unwrap_or_default())),
            // Nobody reads the answer to a schedule: a failure must be a failure of the function, or no alarm goes off.
            (Err(failure), true) => Err(Diagnostic { error_type: "Failure".into(), error_message: failure.body.to_string() }),
            (Ok(reply), false) => Ok(Answer::proxy(200, None, origin.as_deref(), reply.body)),
            (Err(failure), false) => Ok(Answer::proxy(failure.status, failure.header, origin.as_deref(), failure.body.to_string())),
        }
    });
    lambda_runtime::run(service).await
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        match serde_json::from_str::<ApiGatewayProxyRequest>(raw) {
            Ok(request) => Ok(Self::Http(request.into())),
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
        // Where both forms of the headers are given, the multi-valued one holds all.
        let headers = if event.multi_value_headers.is_empty() { event.headers } else { event.multi_value_headers };
        let body = event.body.unwrap_or_default();
        let body = if event.is_base64_encoded { text_of_base64(&body) } else { body };
        Self { method: event.http_method, path: event.path.unwrap_or_default(), headers, body }
    }
}

fn text_of_base64(body: &str) -> String {
    let bytes = shared::encoding::from_base64(body).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The function's answer, as API Gateway or the schedule's caller reads it.
#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    #[serde(rename_all = "camelCase")]
    Proxy {
        status_code: u16,
        headers: serde_json::Map<String, Value>,
        body: String,
        is_base64_encoded: bool,
    },
    Plain(Value),
}

impl Answer {
    fn proxy(status_code: u16, header: Option<(&'static str, String)>, origin: Option<&str>, body: String) -> Self {
        let mut headers = serde_json::Map::new();
        headers.insert("Content-Type".into(), "application/json".into());
        // Tokens and ids are for the caller alone.
        headers.insert("Cache-Control".into(), "no-store".into());
        // The template's preflights promise it.
        headers.extend(origin.map(|origin| ("Access-Control-Allow-Origin".into(), origin.into())));
        headers.extend(header.map(|(name, value)| (name.into(), value.into())));
        Self::Proxy { status_code, headers, body, is_base64_encoded: false }
    }
}

fn log(environment: &Environment) {
    use tracing_subscriber::filter::LevelFilter;
    let level = environment.log_level().parse().unwrap_or(LevelFilter::INFO);
    // A second call, in a test, changes nothing.
    let _ = tracing_subscriber::fmt().json().without_time().with_max_level(level).with_ansi(false).with_writer(std::io::stderr).try_init();
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
        assert!(matches!(event(request), Ok(Event::Http(Request { body, .. })) if body == "\u{1}"));
        assert!(event(&request.replace("POST", "P O S T")).is_err());
        assert!(event(r#"{"httpMethod":"POST"}"#).is_err());
    }
}
