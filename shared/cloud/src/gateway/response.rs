//! What a handler returns: a [`Response`], or an [`ApiError`].

use std::{error::Error as StdError, fmt};

use serde_json::{Map, Value, json};
use shared::fault::Fault;

/// An error that ends a function before it serves, or that is the source of an [`ApiError`].
pub type Error = Box<dyn StdError + Send + Sync>;

/// A successful response.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: String,
    /// The body's media type.
    pub content_type: &'static str,
    /// The `Access-Control-Allow-Methods` of a preflight response.
    pub(super) methods: Option<&'static str>,
    pub(super) header: Option<(&'static str, String)>,
}

impl Response {
    /// A JSON response, from the JSON text.
    #[must_use]
    pub const fn json(body: String) -> Self {
        Self { status: 200, body, content_type: "application/json", methods: None, header: None }
    }

    /// A plain-text response.
    #[must_use]
    pub const fn text(body: String) -> Self {
        Self { status: 200, body, content_type: "text/plain", methods: None, header: None }
    }

    /// 204 No Content.
    #[must_use]
    pub const fn no_content() -> Self {
        Self { status: 204, body: String::new(), content_type: "text/plain", methods: None, header: None }
    }

    /// The response to a CORS preflight request: `methods` is the route's, separated by commas.
    #[must_use]
    pub const fn preflight(methods: &'static str) -> Self {
        Self { status: 204, body: String::new(), content_type: "text/plain", methods: Some(methods), header: None }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.header = Some((name, value.into()));
        self
    }

    /// Replaces the media type.
    #[must_use]
    pub const fn with_content_type(mut self, content_type: &'static str) -> Self {
        self.content_type = content_type;
        self
    }
}

impl From<Value> for Response {
    fn from(value: Value) -> Self {
        Self::json(value.to_string())
    }
}

/// An error response: a public body for the caller, and a private source for the log, once.
#[derive(Debug)]
pub struct ApiError {
    pub(super) status: u16,
    body: Body,
    pub(super) header: Option<(&'static str, String)>,
    source: Option<Error>,
}

#[derive(Debug)]
enum Body {
    /// The API's error format: code, message and further fields.
    Standard(Box<Standard>),
    /// Another format, such as OAuth's.
    Custom(Value),
}

#[derive(Debug)]
struct Standard {
    code: String,
    message: String,
    fields: Map<String, Value>,
}

impl ApiError {
    /// An error with a documented code.
    #[must_use]
    pub fn new(fault: Fault, code: &str, message: impl fmt::Display) -> Self {
        let body = Body::Standard(Box::new(Standard { code: code.into(), message: message.to_string(), fields: Map::new() }));
        Self { status: fault.status(), body, header: None, source: None }
    }

    /// An error whose body has a format of its own.
    #[must_use]
    pub const fn with_body(fault: Fault, body: Value) -> Self {
        Self { status: fault.status(), body: Body::Custom(body), header: None, source: None }
    }

    /// 405 Method Not Allowed; `allowed` is the value of the `Allow` header.
    #[must_use]
    pub fn method_not_allowed(allowed: &str, code: &str) -> Self {
        let mut error = Self::new(Fault::Request, code, format_args!("the method is {allowed}")).with_status(405);
        error.header = Some(("Allow", allowed.into()));
        error
    }

    /// Replaces the fault's status, only by one that HTTP itself defines for the case.
    #[must_use]
    pub const fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Adds a field to a body in the API's error format.
    #[must_use]
    pub fn with_field(mut self, name: &str, value: impl Into<Value>) -> Self {
        if let Body::Standard(standard) = &mut self.body {
            standard.fields.insert(name.into(), value.into());
        }
        self
    }

    /// Sets the source, which is logged and not sent to the caller.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Error>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Sets the `Retry-After` header, in seconds.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: u64) -> Self {
        self.header = Some(("Retry-After", seconds.to_string()));
        self
    }

    /// Whether the status is 5xx.
    #[must_use]
    pub const fn is_server_error(&self) -> bool {
        self.status >= 500
    }

    /// The body, with the code under `code_key`.
    #[must_use]
    pub fn body(&self, code_key: &str) -> String {
        match &self.body {
            Body::Custom(body) => body.to_string(),
            Body::Standard(standard) => {
                let mut body = json!({code_key: standard.code, "message": standard.message});
                if let Some(members) = body.as_object_mut() {
                    members.extend(standard.fields.clone());
                }
                body.to_string()
            }
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.body("code"))?;
        let mut source = self.source.as_deref().map(|source| source as &dyn StdError);
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

impl StdError for ApiError {}
