//! How a noun's door looks from outside: the form of its errors, and whose pages may read its answers.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Failure, Reply};

/// How long a browser remembers what it was told before its first request, in seconds.
const REMEMBERED: &str = "600";

/// A door of the suite.
#[derive(Clone, Debug)]
pub struct Door {
    form: Form,
    origins: Origins,
}

/// The name of an error's code in its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `code`.
    Code,
    /// `error`.
    Error,
}

/// Whose pages may read answers.
#[derive(Clone, Debug)]
pub enum Origins {
    /// Those of one web origin, which is told to everybody. The template answers preflights.
    One(Option<String>),
    /// Those of several: whichever asks is told its own name. The functions answer preflights.
    Several(Vec<String>),
}

/// What an answer says of the origin that asked: the name of one that may read it.
#[derive(Clone, Debug)]
pub struct Told(Option<String>);

/// A function's answer, as API Gateway or a schedule's caller reads it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// Of a request.
    #[serde(rename_all = "camelCase")]
    Proxy {
        /// The status.
        status_code: u16,
        /// The headers.
        headers: Map<String, Value>,
        /// The body.
        body: String,
        /// Never: every body is text.
        is_base64_encoded: bool,
    },
    /// Of a schedule.
    Plain(Value),
}

impl Form {
    /// The member's name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Error => "error",
        }
    }
}

impl Door {
    /// A door with a form of errors, and origins that may read.
    #[must_use]
    pub const fn new(form: Form, origins: Origins) -> Self {
        Self { form, origins }
    }

    /// A door whose errors have codes, and that one origin reads at.
    #[must_use]
    pub const fn one_origin(origin: Option<String>) -> Self {
        Self::new(Form::Code, Origins::One(origin))
    }

    /// The form of errors.
    #[must_use]
    pub const fn form(&self) -> Form {
        self.form
    }

    /// What the answer to a request from an origin says of it.
    #[must_use]
    pub fn origin(&self, asking: Option<&str>) -> Told {
        Told(match &self.origins {
            Origins::One(origin) => origin.clone(),
            Origins::Several(origins) => asking.filter(|asking| origins.iter().any(|known| known == asking)).map(str::to_owned),
        })
    }

    /// The answer to a request.
    #[must_use]
    pub fn answer(&self, outcome: Result<Reply, Failure>, origin: Told) -> Answer {
        let mut headers = Map::new();
        let mut say = |name: &str, value: String| drop(headers.insert(name.into(), value.into()));
        let readable = origin.0.is_some();
        let (status_code, body) = match outcome {
            Ok(reply) => {
                if reply.status != 204 {
                    say("Content-Type", reply.media_type.into());
                }
                if let Some(methods) = reply.methods.filter(|_| readable) {
                    say("Access-Control-Allow-Methods", methods.into());
                    say("Access-Control-Allow-Headers", "Content-Type".into());
                    say("Access-Control-Max-Age", REMEMBERED.into());
                }
                if let Some((name, value)) = reply.header {
                    say(name, value);
                }
                (reply.status, reply.body)
            }
            Err(failure) => {
                say("Content-Type", "application/json".into());
                let body = failure.body(self.form);
                if let Some((name, value)) = failure.header {
                    say(name, value);
                }
                (failure.status, body)
            }
        };
        // Tokens and ids are for the caller alone.
        say("Cache-Control", "no-store".into());
        if matches!(self.origins, Origins::Several(_)) {
            say("Vary", "Origin".into());
        }
        if let Some(origin) = origin.0 {
            say("Access-Control-Allow-Origin", origin);
        }
        Answer::Proxy { status_code, headers, body, is_base64_encoded: false }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shared::fault::Fault;

    use super::*;

    fn answer(door: &Door, outcome: Result<Reply, Failure>, asking: Option<&str>) -> Value {
        serde_json::to_value(door.answer(outcome, door.origin(asking))).unwrap()
    }

    #[test]
    fn one_origin_is_told_to_everybody() {
        let door = Door::one_origin(Some("https://a.example".into()));
        let found = answer(&door, Err(Failure::method("GET", "E006")), Some("https://b.example"));
        assert_eq!(
            found,
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
    fn of_several_origins_each_is_told_its_own_name() {
        let door = Door::new(Form::Error, Origins::Several(vec!["https://a.example".into(), "https://b.example".into()]));
        let known = answer(&door, Ok(Reply::preflight("GET, OPTIONS")), Some("https://b.example"));
        assert_eq!(known["headers"]["Access-Control-Allow-Origin"], "https://b.example");
        assert_eq!(known["headers"]["Access-Control-Allow-Methods"], "GET, OPTIONS");
        assert_eq!((&known["statusCode"], &known["headers"]["Vary"]), (&json!(204), &json!("Origin")));
        for asking in [None, Some("https://c.example"), Some("null")] {
            let unknown = answer(&door, Ok(Reply::preflight("GET, OPTIONS")), asking);
            assert_eq!(unknown["headers"], json!({"Cache-Control": "no-store", "Vary": "Origin"}), "{asking:?}");
        }
        let failure = Failure::new(Fault::Busy, "busy", "later").with("upstream_code", "SLOW").retry_after(2);
        let failed = answer(&door, Err(failure), Some("https://a.example"));
        assert_eq!(failed["body"], r#"{"error":"busy","message":"later","upstream_code":"SLOW"}"#);
        assert_eq!((&failed["headers"]["Retry-After"], &failed["headers"]["Vary"]), (&json!("2"), &json!("Origin")));
    }
}
