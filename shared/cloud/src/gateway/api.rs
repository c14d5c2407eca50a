//! An API: how its errors are written, which web origins may read its responses (CORS), and the
//! loop that serves it.

use lambda_http::lambda_runtime::{self, Diagnostic, LambdaEvent};
use serde::Serialize;
use serde_json::{Map, Value};
use shared::fault::Fault;

use super::{
    log,
    request::{Event, Request},
    response::{ApiError, Error, Response},
};
use crate::setting::Environment;

/// How long a browser caches a preflight response, in seconds: `Access-Control-Max-Age`.
const PREFLIGHT_MAX_AGE: &str = "600";

/// An API.
#[derive(Clone, Debug)]
pub struct Api {
    error_key: ErrorKey,
    cors: Cors,
}

/// The key of the code in an error's JSON body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKey {
    /// `code`.
    Code,
    /// `error`.
    Error,
}

/// The web origins whose pages may read responses.
#[derive(Clone, Debug)]
pub enum Cors {
    /// One origin at most, named in every response. The template answers preflight requests.
    SingleOrigin(Option<String>),
    /// Several origins: a response names the request's own origin if it is listed. The functions
    /// answer preflight requests.
    AllowList(Vec<String>),
}

/// The value of a response's `Access-Control-Allow-Origin`, if it has one.
#[derive(Clone, Debug)]
pub struct AllowedOrigin(Option<String>);

/// A function's response, as the Lambda runtime sends it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum LambdaResponse {
    /// To API Gateway: a proxy integration's response.
    #[serde(rename_all = "camelCase")]
    Proxy {
        /// The status.
        status_code: u16,
        /// The headers.
        headers: Map<String, Value>,
        /// The body.
        body: String,
        /// Always false: every body is text.
        is_base64_encoded: bool,
    },
    /// To a schedule.
    Json(Value),
}

impl ErrorKey {
    /// The key.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Error => "error",
        }
    }
}

impl Api {
    /// An API with a key for its error codes, and a CORS policy.
    #[must_use]
    pub const fn new(error_key: ErrorKey, cors: Cors) -> Self {
        Self { error_key, cors }
    }

    /// Serves requests from API Gateway.
    pub async fn serve<H>(self, environment: &Environment, handler: H) -> Result<(), Error>
    where
        H: AsyncFn(Request) -> Result<Response, ApiError>,
    {
        self.run(environment, async |event| match event {
            Event::Http(request) => handler(*request).await,
            Event::Schedule(_) => Err(ApiError::new(Fault::Request, "schedule", "this function has no schedule")),
        })
        .await
    }

    /// Serves requests from API Gateway and scheduled events.
    pub async fn run<H>(self, environment: &Environment, handler: H) -> Result<(), Error>
    where
        H: AsyncFn(Event) -> Result<Response, ApiError>,
    {
        log::init(environment);
        let service = lambda_runtime::service_fn(async |event: LambdaEvent<Event>| {
            let origin = match &event.payload {
                Event::Http(request) => Some(self.allowed_origin(request.origin())),
                Event::Schedule(_) => None,
            };
            // Boxed: the futures of SDK calls nest deeper than the compiler's recursion limit.
            let outcome = Box::pin(handler(event.payload)).await;
            match &outcome {
                Err(error) if error.is_server_error() => tracing::error!("{error}"),
                Err(error) => tracing::info!("{error}"),
                Ok(_) => {}
            }
            match (outcome, origin) {
                (outcome, Some(origin)) => Ok(self.respond(outcome, origin)),
                (Ok(response), None) => Ok(LambdaResponse::Json(serde_json::from_str(&response.body).unwrap_or_default())),
                // A schedule discards the response: only an invocation error raises the alarm.
                (Err(error), None) => Err(Diagnostic { error_type: "Failure".into(), error_message: error.body(self.error_key.name()) }),
            }
        });
        lambda_runtime::run(service).await
    }

    /// The origin to allow for a request with an `Origin` header, or without one.
    #[must_use]
    pub fn allowed_origin(&self, origin: Option<&str>) -> AllowedOrigin {
        AllowedOrigin(match &self.cors {
            Cors::SingleOrigin(allowed) => allowed.clone(),
            Cors::AllowList(allowed) => origin.filter(|origin| allowed.iter().any(|known| known == origin)).map(str::to_owned),
        })
    }

    /// The response to a request.
    #[must_use]
    pub fn respond(&self, outcome: Result<Response, ApiError>, origin: AllowedOrigin) -> LambdaResponse {
        let mut headers = Map::new();
        let mut set = |name: &str, value: String| drop(headers.insert(name.into(), value.into()));
        let is_readable = origin.0.is_some();
        let (status_code, body) = match outcome {
            Ok(response) => {
                if response.status != 204 {
                    set("Content-Type", response.content_type.into());
                }
                if let Some(methods) = response.methods.filter(|_| is_readable) {
                    set("Access-Control-Allow-Methods", methods.into());
                    set("Access-Control-Allow-Headers", "Content-Type".into());
                    set("Access-Control-Max-Age", PREFLIGHT_MAX_AGE.into());
                }
                if let Some((name, value)) = response.header {
                    set(name, value);
                }
                (response.status, response.body)
            }
            Err(error) => {
                set("Content-Type", "application/json".into());
                let body = error.body(self.error_key.name());
                if let Some((name, value)) = error.header {
                    set(name, value);
                }
                (error.status, body)
            }
        };
        // Responses hold tokens and ids: no cache may store them.
        set("Cache-Control", "no-store".into());
        if matches!(self.cors, Cors::AllowList(_)) {
            set("Vary", "Origin".into());
        }
        if let Some(origin) = origin.0 {
            set("Access-Control-Allow-Origin", origin);
        }
        LambdaResponse::Proxy { status_code, headers, body, is_base64_encoded: false }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn respond(api: &Api, outcome: Result<Response, ApiError>, origin: Option<&str>) -> Value {
        serde_json::to_value(api.respond(outcome, api.allowed_origin(origin))).unwrap()
    }

    #[test]
    fn a_single_origin_is_named_in_every_response() {
        let api = Api::new(ErrorKey::Code, Cors::SingleOrigin(Some("https://a.example".into())));
        let response = respond(&api, Err(ApiError::method_not_allowed("GET", "E006")), Some("https://b.example"));
        assert_eq!(
            response,
            json!({
                "statusCode": 405,
                "headers": {
                    "Content-Type": "application/json", "Cache-Control": "no-store", "Allow": "GET",
                    "Access-Control-Allow-Origin": "https://a.example"
                },
                "body": r#"{"code":"E006","message":"the method is GET"}"#,
                "isBase64Encoded": false
            })
        );
    }

    #[test]
    fn a_listed_origin_is_named_in_its_own_responses_only() {
        let api = Api::new(ErrorKey::Error, Cors::AllowList(vec!["https://a.example".into(), "https://b.example".into()]));
        let known = respond(&api, Ok(Response::preflight("GET, OPTIONS")), Some("https://b.example"));
        assert_eq!(known["headers"]["Access-Control-Allow-Origin"], "https://b.example");
        assert_eq!(known["headers"]["Access-Control-Allow-Methods"], "GET, OPTIONS");
        assert_eq!((&known["statusCode"], &known["headers"]["Vary"]), (&json!(204), &json!("Origin")));
        for origin in [None, Some("https://c.example"), Some("null")] {
            let unknown = respond(&api, Ok(Response::preflight("GET, OPTIONS")), origin);
            assert_eq!(unknown["headers"], json!({"Cache-Control": "no-store", "Vary": "Origin"}), "{origin:?}");
        }
        let error = ApiError::new(Fault::Busy, "busy", "later").with_field("upstream_code", "SLOW").with_retry_after(2);
        let failed = respond(&api, Err(error), Some("https://a.example"));
        assert_eq!(failed["body"], r#"{"error":"busy","message":"later","upstream_code":"SLOW"}"#);
        assert_eq!((&failed["headers"]["Retry-After"], &failed["headers"]["Vary"]), (&json!("2"), &json!("Origin")));
    }
}
