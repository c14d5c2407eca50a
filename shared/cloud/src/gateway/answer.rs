//! What goes out.

use std::{error::Error as StdError, fmt};

use serde_json::{Map, Value, json};
use shared::fault::Fault;

use super::{Error, Form};

/// A good answer.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: String,
    /// The body's media type.
    pub media_type: &'static str,
    /// What a preflight is told of methods.
    pub(super) methods: Option<&'static str>,
    pub(super) header: Option<(&'static str, String)>,
}

impl Reply {
    /// An answer of JSON text.
    #[must_use]
    pub const fn json(body: String) -> Self {
        Self { status: 200, body, media_type: "application/json", methods: None, header: None }
    }

    /// An answer of plain text.
    #[must_use]
    pub const fn text(body: String) -> Self {
        Self { status: 200, body, media_type: "text/plain", methods: None, header: None }
    }

    /// An answer without a body.
    #[must_use]
    pub const fn nothing() -> Self {
        Self { status: 204, body: String::new(), media_type: "text/plain", methods: None, header: None }
    }

    /// The answer to a browser that asks first: the methods of the route, as a list.
    #[must_use]
    pub const fn preflight(methods: &'static str) -> Self {
        Self { status: 204, body: String::new(), media_type: "text/plain", methods: Some(methods), header: None }
    }

    /// The same with a header of its own.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.header = Some((name, value.into()));
        self
    }

    /// The same in another media type.
    #[must_use]
    pub const fn of_type(mut self, media_type: &'static str) -> Self {
        self.media_type = media_type;
        self
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
    pub(super) status: u16,
    body: Body,
    pub(super) header: Option<(&'static str, String)>,
    cause: Option<Error>,
}

#[derive(Debug)]
enum Body {
    /// In the form of the door.
    Told(Box<Told>),
    /// In a form of its own.
    Own(Value),
}

#[derive(Debug)]
struct Told {
    code: String,
    sentence: String,
    more: Map<String, Value>,
}

impl Failure {
    /// A failure that a documented code tells of.
    #[must_use]
    pub fn new(fault: Fault, code: &str, sentence: impl fmt::Display) -> Self {
        let body = Body::Told(Box::new(Told { code: code.into(), sentence: sentence.to_string(), more: Map::new() }));
        Self { status: fault.status(), body, header: None, cause: None }
    }

    /// A failure with a body of its own form.
    #[must_use]
    pub const fn with_body(fault: Fault, body: Value) -> Self {
        Self { status: fault.status(), body: Body::Own(body), header: None, cause: None }
    }

    /// Another status than the fault's: only for those that HTTP itself defines.
    #[must_use]
    pub const fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Another member of the body.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        if let Body::Told(told) = &mut self.body {
            told.more.insert(name.into(), value.into());
        }
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

    /// Whether somebody here has to look after it.
    #[must_use]
    pub const fn is_ours(&self) -> bool {
        self.status >= 500
    }

    /// The body as a door writes it.
    #[must_use]
    pub fn body(&self, form: Form) -> String {
        match &self.body {
            Body::Own(body) => body.to_string(),
            Body::Told(told) => {
                let mut body = json!({form.code(): told.code, "message": told.sentence});
                if let Some(members) = body.as_object_mut() {
                    members.extend(told.more.clone());
                }
                body.to_string()
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.body(Form::Code))?;
        let mut cause = self.cause.as_deref().map(|cause| cause as &dyn StdError);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl StdError for Failure {}
