//! An OpenAPI document as a judge of requests and answers.

use std::collections::BTreeSet;

use jsonschema::Draft;
use serde_json::{Map, Value};

const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

/// An OpenAPI document. Requests may have members that it does not describe, and answers may not.
pub struct Description {
    document: Value,
    /// The document, with schemas that refuse members without a description.
    closed: Value,
}

impl Description {
    pub fn new(document: Value) -> Self {
        let mut closed = document.clone();
        let schemas = closed["components"]["schemas"].as_object_mut().unwrap();
        schemas.values_mut().for_each(close);
        for response in closed["components"]["responses"].as_object_mut().unwrap().values_mut() {
            close_response(response);
        }
        for item in closed["paths"].as_object_mut().unwrap().values_mut() {
            for operation in item.as_object_mut().unwrap().values_mut() {
                let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
                responses.into_iter().flat_map(Map::values_mut).for_each(close_response);
            }
        }
        Self { document, closed }
    }

    pub fn into_document(self) -> Value {
        self.document
    }

    /// Checks the status, the media type and the error code of an event's answer.
    pub fn check_response(&self, event: &Value, answer: &Value) -> Result<(), String> {
        let status = answer["statusCode"].as_u64().unwrap();
        let Some(operation) = self.operation(event) else {
            let described = self.methods(event);
            let allowed = answer["headers"]["Allow"].as_str().unwrap_or_default().split(", ");
            let allowed: BTreeSet<_> = allowed.filter(|method| *method != "OPTIONS").map(str::to_lowercase).collect();
            let is_refused = status == 405 && allowed == described;
            return if is_refused { Ok(()) } else { Err(format!("{} is not described, but {described:?}", route(event))) };
        };
        let response = self.response(operation, answer).ok_or_else(|| format!("{}: status {status} is not described", route(event)))?;
        let content = response["content"].as_object();
        let media_type = media_type(answer);
        if content.map_or(!media_type.is_empty(), |content| !content.contains_key(media_type)) {
            return Err(format!("{}: {status} as {media_type} is not described", route(event)));
        }
        let Some(code) = answer["body"]["code"].as_str().or_else(|| answer["body"]["error"].as_str()) else { return Ok(()) };
        let described = response["content"][media_type]["schema"]["allOf"][1].to_string();
        let is_described = status < 400 || described.contains(&format!("\"{code}\""));
        if is_described { Ok(()) } else { Err(format!("{}: {status} {code} is not described", route(event))) }
    }

    /// Checks the body of an event's answer.
    pub fn check_body(&self, event: &Value, answer: &Value) -> Result<(), String> {
        let closed = &self.closed["paths"][event["resource"].as_str().unwrap()];
        let response = match self.operation(event) {
            Some(_) => self.response(&closed[method(event)], answer),
            // A 405, which no operation has.
            None => closed.as_object().unwrap().values().find_map(|operation| operation["responses"].get("4XX")),
        };
        let response = self.resolved(response.unwrap_or(&Value::Null));
        if response.get("content").is_none() {
            return if answer["body"] == "" { Ok(()) } else { Err(format!("{}: a body is not described", route(event))) };
        }
        let errors = errors(&self.closed, &response["content"][media_type(answer)]["schema"], &answer["body"]);
        if errors.is_empty() { Ok(()) } else { Err(format!("{}: {}: {}", route(event), answer["statusCode"], errors.join("; "))) }
    }

    /// Checks the parameters and the body of an event.
    pub fn check_request(&self, event: &Value) -> Result<(), String> {
        let Some(operation) = self.operation(event) else { return Err(format!("{} is not described", route(event))) };
        let item = &self.document["paths"][event["resource"].as_str().unwrap()];
        let parameters = [&item["parameters"], &operation["parameters"]].into_iter().filter_map(Value::as_array).flatten();
        let parameters: Vec<_> = parameters.map(|parameter| self.resolved(parameter)).collect();
        let mut errors = Vec::new();
        for (place, given) in [("path", &event["pathParameters"]), ("query", &event["queryStringParameters"])] {
            let described = |name: &str| parameters.iter().find(|parameter| parameter["in"] == place && parameter["name"] == name);
            for (name, value) in given.as_object().into_iter().flatten() {
                match described(name) {
                    Some(parameter) => errors.extend(self::errors(&self.document, &parameter["schema"], value)),
                    None => errors.push(format!("the parameter {name} is not described")),
                }
            }
            let required = parameters.iter().filter(|parameter| parameter["in"] == place && parameter["required"] == true);
            let missing = required.filter(|parameter| given.get(parameter["name"].as_str().unwrap()).is_none());
            errors.extend(missing.map(|parameter| format!("the parameter {} is missing", parameter["name"])));
        }
        let body = event["body"].as_str().unwrap_or_default();
        let content = &self.resolved(&operation["requestBody"])["content"];
        match (content.get(media_type(event)), media_type(event)) {
            (Some(media), "application/x-www-form-urlencoded") => {
                let form: Map<_, _> = form_urlencoded::parse(body.as_bytes()).map(|(name, value)| (name.into(), value.into())).collect();
                errors.extend(self::errors(&self.document, &media["schema"], &form.into()));
            }
            (Some(media), _) => {
                errors.extend(self::errors(&self.document, &media["schema"], &serde_json::from_str(body).unwrap_or_default()));
            }
            (None, _) if body.is_empty() && content.is_null() => {}
            (None, media_type) => errors.push(format!("a body of type {media_type:?} is not described")),
        }
        if errors.is_empty() { Ok(()) } else { Err(format!("{}: {}", route(event), errors.join("; "))) }
    }

    /// The examples, and what is wrong with each.
    pub fn examples(&self) -> Vec<(String, Vec<String>)> {
        let (mut examples, mut waiting) = (Vec::new(), vec![(String::new(), &self.closed)]);
        while let Some((name, value)) = waiting.pop() {
            let document = if name.contains("/responses/") { &self.closed } else { &self.document };
            if let Some(schema) = value.get("schema") {
                let several = value["examples"].as_object().into_iter().flatten().map(|(_, example)| &example["value"]);
                let each = several.chain(value.get("example"));
                examples.extend(each.map(|example| (format!("{name}: {example}"), errors(document, schema, example))));
            }
            let members = value.as_object().into_iter().flatten().map(|(member, value)| (member.clone(), value));
            let items = value.as_array().into_iter().flatten().enumerate().map(|(index, value)| (index.to_string(), value));
            waiting.extend(members.chain(items).map(|(step, value)| (format!("{name}/{step}"), value)));
        }
        examples
    }

    fn operation(&self, event: &Value) -> Option<&Value> {
        self.document["paths"].get(event["resource"].as_str()?)?.get(method(event))
    }

    fn methods(&self, event: &Value) -> BTreeSet<String> {
        let item = self.document["paths"][event["resource"].as_str().unwrap()].as_object();
        item.into_iter().flatten().map(|(member, _)| member.clone()).filter(|member| METHODS.contains(&member.as_str())).collect()
    }

    fn response<'a>(&'a self, operation: &'a Value, answer: &Value) -> Option<&'a Value> {
        operation["responses"].get(answer["statusCode"].to_string()).map(|response| self.resolved(response))
    }

    /// A value, or what it refers to.
    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => self.closed.pointer(reference.trim_start_matches('#')).unwrap_or_else(|| panic!("{reference}")),
            None => value,
        }
    }
}

/// What is wrong with a value by a schema of a document.
fn errors(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut schema = schema.clone();
    schema["components"] = document["components"].clone();
    let validator = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true).build(&schema).unwrap();
    validator.iter_errors(value).map(|error| error.to_string()).collect()
}

fn close_response(response: &mut Value) {
    let content = response.get_mut("content").and_then(Value::as_object_mut);
    content.into_iter().flat_map(Map::values_mut).filter_map(|media| media.get_mut("schema")).for_each(close);
}

/// Makes a schema refuse members that it does not describe. An `allOf` is closed as a whole.
fn close(schema: &mut Value) {
    let Some(schema) = schema.as_object_mut() else { return };
    for name in ["items", "additionalProperties"] {
        schema.get_mut(name).into_iter().for_each(close);
    }
    for name in ["oneOf", "anyOf"] {
        schema.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten().for_each(close);
    }
    schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut).for_each(close);
    let is_open = schema.get("additionalProperties").is_some();
    if !is_open && (schema.contains_key("properties") || schema.contains_key("allOf")) {
        schema.insert("unevaluatedProperties".into(), false.into());
    }
}

fn method(event: &Value) -> String {
    event["httpMethod"].as_str().unwrap_or_default().to_lowercase()
}

fn route(event: &Value) -> String {
    format!("{} {}", event["httpMethod"].as_str().unwrap_or_default(), event["resource"].as_str().unwrap_or_default())
}

/// The media type of an event or answer, without its parameters.
fn media_type(message: &Value) -> &str {
    let headers = message["headers"].as_object().into_iter().flatten();
    let mut values = headers.filter(|(name, _)| name.eq_ignore_ascii_case("content-type")).filter_map(|(_, value)| value.as_str());
    values.next().unwrap_or_default().split(';').next().unwrap_or_default()
}
