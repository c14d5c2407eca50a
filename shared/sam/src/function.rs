//! Lambda functions and their event sources.

use std::{collections::BTreeMap, time::Duration};

use serde_norway::Value;

use crate::{
    error::{Error, Location},
    json::{scalar, scalars},
    properties::Properties,
    schedule::ScheduleExpression,
    yaml::{entries, string},
};

/// A Lambda function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// The logical id, which is the name of the function on this machine.
    pub id: String,
    /// `CodeUri`: the folder of its code, relative to the template.
    pub code_uri: String,
    /// The environment variables.
    pub environment: BTreeMap<String, String>,
    /// `MemorySize`, in megabytes.
    pub memory_mb: u64,
    /// The time limit of an invocation.
    pub timeout: Duration,
    /// Its `Api` events.
    pub routes: Vec<Route>,
    /// Its `Schedule` events.
    pub schedules: Vec<Schedule>,
}

/// A route of an API to a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The name of the event.
    pub event: String,
    /// The logical id of the API.
    pub api: String,
    /// The path: `{name}` matches one segment, `{name+}` the rest.
    pub path: String,
    /// The method in upper case, or `ANY`.
    pub method: String,
    /// The name of the authorizer that must allow a request.
    pub authorizer: Option<String>,
}

/// A schedule that invokes a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The name of the event.
    pub event: String,
    /// The times of the invocations.
    pub expression: ScheduleExpression,
    /// The payload; `None` is the event that EventBridge generates.
    pub input: Option<String>,
}

impl Function {
    pub(crate) fn read(properties: &Properties<'_>) -> Result<Self, Error> {
        let environment = properties.json("Environment")?.unwrap_or_default();
        let mut function = Self {
            id: properties.resource.to_owned(),
            code_uri: properties.required("CodeUri")?,
            environment: scalars(environment.get("Variables")),
            // The defaults of Lambda and SAM.
            memory_mb: properties.number("MemorySize")?.unwrap_or(128),
            timeout: Duration::from_secs(properties.number("Timeout")?.unwrap_or(3)),
            routes: Vec::new(),
            schedules: Vec::new(),
        };
        let at = properties.location("Events");
        for (name, event) in entries(properties.raw("Events")) {
            function.add_event(properties, name, event, &at.child(name))?;
        }
        Ok(function)
    }

    /// The name of its binary: the last segment of [`Self::code_uri`].
    #[must_use]
    pub fn binary(&self) -> &str {
        self.code_uri.trim_end_matches('/').rsplit('/').next().unwrap_or(&self.code_uri)
    }

    fn add_event(&mut self, properties: &Properties<'_>, name: &str, event: &Value, at: &Location<'_>) -> Result<(), Error> {
        let optional = |key: &str| -> Result<Option<String>, Error> {
            let value = event.get("Properties").and_then(|properties| properties.get(key));
            let value = value.map_or(Ok(None), |value| properties.resolver.value(value, &at.child(key)))?;
            Ok(value.as_ref().and_then(scalar))
        };
        let required = |key: &str| optional(key)?.ok_or_else(|| at.child(key).missing());
        match string(event, "Type").unwrap_or_default() {
            "Api" => self.routes.push(Route {
                event: name.to_owned(),
                api: required("RestApiId")?,
                path: required("Path")?,
                method: required("Method")?.to_ascii_uppercase(),
                authorizer: authorizer(properties, event, &at.child("Auth"))?,
            }),
            "Schedule" => {
                let expression = required("Schedule")?.parse();
                self.schedules.push(Schedule {
                    event: name.to_owned(),
                    expression: expression.map_err(|message: String| at.child("Schedule").error(message))?,
                    input: optional("Input")?,
                });
            }
            other => return Err(at.error(format!("an event of type {other} is not supported"))),
        }
        Ok(())
    }
}

/// The authorizer that an event names; `NONE` turns the default off.
fn authorizer(properties: &Properties<'_>, event: &Value, at: &Location<'_>) -> Result<Option<String>, Error> {
    let auth = event.get("Properties").and_then(|properties| properties.get("Auth"));
    let Some(auth) = auth.map_or(Ok(None), |auth| properties.resolver.value(auth, at))? else { return Ok(None) };
    if let Some(unknown) = auth.as_object().and_then(|auth| auth.keys().find(|name| *name != "Authorizer")) {
        return Err(at.child(unknown).error("the property is not supported"));
    }
    Ok(scalar(&auth["Authorizer"]).filter(|name| name != "NONE"))
}
