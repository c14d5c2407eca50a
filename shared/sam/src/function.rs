//! Lambda functions, with what calls them.

use std::{collections::BTreeMap, time::Duration};

use serde_norway::Value;

use super::{Error, Expression, Properties, entries, error::At, properties::texts, text};

/// A Lambda function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// The logical id, which is the function's name on this machine.
    pub id: String,
    /// The folder of its code, relative to the template.
    pub code: String,
    /// Its environment.
    pub environment: BTreeMap<String, String>,
    /// Its memory, in megabytes.
    pub memory: u64,
    /// The time after which it is stopped.
    pub timeout: Duration,
    /// The routes that lead to it.
    pub routes: Vec<Route>,
    /// The schedules that call it.
    pub schedules: Vec<Schedule>,
}

/// A route of an API to a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The event's name.
    pub event: String,
    /// The API's logical id.
    pub api: String,
    /// The path, in which `{name}` is one segment and `{name+}` the rest.
    pub path: String,
    /// The method, in capitals, or `ANY`.
    pub method: String,
    /// The authorizer of the API that must let a request pass.
    pub authorizer: Option<String>,
}

/// A schedule that calls a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The event's name.
    pub event: String,
    /// When.
    pub expression: Expression,
    /// The payload; without one it is an `EventBridge` event.
    pub input: Option<String>,
}

impl Function {
    pub(super) fn read(properties: &Properties<'_>) -> Result<Self, Error> {
        let environment = properties.json("Environment")?.unwrap_or_default();
        let mut function = Self {
            id: properties.resource().to_owned(),
            code: properties.required("CodeUri")?,
            environment: texts(environment.get("Variables")),
            // Lambda's and SAM's own defaults.
            memory: properties.number("MemorySize")?.unwrap_or(128),
            timeout: Duration::from_secs(properties.number("Timeout")?.unwrap_or(3)),
            routes: Vec::new(),
            schedules: Vec::new(),
        };
        let at = properties.at("Events");
        for (name, event) in entries(properties.raw("Events")) {
            function.event(properties, name, event, &at.then(name))?;
        }
        Ok(function)
    }

    /// The name of its binary: the last part of the code's folder.
    #[must_use]
    pub fn binary(&self) -> &str {
        self.code.trim_end_matches('/').rsplit('/').next().unwrap_or(&self.code)
    }

    fn event(&mut self, properties: &Properties<'_>, name: &str, event: &Value, at: &At<'_>) -> Result<(), Error> {
        let optional = |key: &str| -> Result<Option<String>, Error> {
            let value = event.get("Properties").and_then(|properties| properties.get(key));
            let value = value.map_or(Ok(None), |value| properties.resolver.value(value, &at.then(key)))?;
            Ok(value.as_ref().and_then(super::properties::text))
        };
        let required = |key: &str| optional(key)?.ok_or_else(|| at.then(key).error("this is missing"));
        match text(event, "Type").unwrap_or_default() {
            "Api" => self.routes.push(Route {
                event: name.to_owned(),
                api: required("RestApiId")?,
                path: required("Path")?,
                method: required("Method")?.to_ascii_uppercase(),
                authorizer: authorizer(properties, event, &at.then("Auth"))?,
            }),
            "Schedule" => {
                let expression = required("Schedule")?.parse();
                self.schedules.push(Schedule {
                    event: name.to_owned(),
                    expression: expression.map_err(|problem: String| at.then("Schedule").error(problem))?,
                    input: optional("Input")?,
                });
            }
            other => return Err(at.error(format!("an event of type {other} is not known"))),
        }
        Ok(())
    }
}

/// The authorizer that an event names; `NONE` is no one.
fn authorizer(properties: &Properties<'_>, event: &Value, at: &At<'_>) -> Result<Option<String>, Error> {
    let auth = event.get("Properties").and_then(|properties| properties.get("Auth"));
    let Some(auth) = auth.map_or(Ok(None), |auth| properties.resolver.value(auth, at))? else { return Ok(None) };
    let known = |name: &String| name == "Authorizer";
    if let Some(unknown) = auth.as_object().and_then(|auth| auth.keys().find(|name| !known(name))) {
        return Err(at.then(unknown).error("this is not known here"));
    }
    Ok(super::properties::text(&auth["Authorizer"]).filter(|name| name != "NONE"))
}
