//! The responses of errors: those of the operations' codes, and those of API Gateway itself.

use sam::Api;
use serde_json::{Map, Value, json};

use super::noun::Noun;

/// An error response of API Gateway itself.
pub(super) struct GatewayError {
    /// The status, or a range such as `4XX`.
    pub(super) status: String,
    /// The code in the template's response.
    pub(super) code: String,
}

/// API Gateway's response types, their statuses, and the operations that they apply to.
const RESPONSE_TYPES: [(&str, &str, Applies); 7] = [
    ("UNAUTHORIZED", "401", Applies::Authorized),
    ("ACCESS_DENIED", "403", Applies::Authorized),
    ("REQUEST_TOO_LARGE", "413", Applies::WithBody),
    ("THROTTLED", "429", Applies::Always),
    ("INTEGRATION_TIMEOUT", "504", Applies::Always),
    ("DEFAULT_4XX", "4XX", Applies::Always),
    ("DEFAULT_5XX", "5XX", Applies::Always),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Applies {
    Always,
    WithBody,
    Authorized,
}

/// API Gateway's own error responses to an operation of an API.
pub(super) fn of_gateway(api: &Api, noun: &Noun, has_body: bool, is_authorized: bool) -> Vec<GatewayError> {
    let applies = |applies| match applies {
        Applies::Always => true,
        Applies::WithBody => has_body,
        Applies::Authorized => is_authorized,
    };
    let own = RESPONSE_TYPES.iter().filter(|(.., condition)| applies(*condition)).filter_map(|(name, status, _)| {
        let response = api.responses.get(*name)?;
        let status = response.status.map_or_else(|| (*status).to_owned(), |status| status.to_string());
        // The message is inserted as a JSON string.
        let body = response.template.as_ref()?.replace("$context.error.messageString", "\"\"");
        let body: Value = serde_json::from_str(&body).ok()?;
        Some(GatewayError { status, code: body[noun.error_key].as_str()?.to_owned() })
    });
    own.collect()
}

/// A reference to one of API Gateway's own responses.
pub(super) fn reference(api: &Api, status: &str) -> Value {
    json!({"$ref": format!("#/components/responses/{}.{status}", api.id)})
}

/// The response of a status with the codes that it can have.
pub(super) fn response(noun: &Noun, status: &str, codes: &[String]) -> Value {
    let table = (noun.codes)();
    let message = |code: &str| table.iter().find(|(known, _)| *known == code).map_or("", |(_, message)| *message);
    let lines: Vec<_> = codes.iter().map(|code| format!("`{code}`: {}.", message(code))).collect();
    let schema = format!("#/components/schemas/{}Error", noun.name);
    let mut schema = json!({"$ref": schema});
    let mut response = json!({"description": lines.join(" ")});
    if status.ends_with("XX") {
        response["description"] = "Another error of API Gateway itself.".into();
    } else {
        schema = json!({"allOf": [schema, {"properties": {noun.error_key: {"enum": codes}}}]});
    }
    response["content"] = json!({"application/json": {"schema": schema}});
    if let Some(code) = codes.first() {
        response["content"]["application/json"]["example"] = json!({noun.error_key: code, "message": message(code)});
    }
    if ["429", "503"].contains(&status) {
        let seconds = json!({"description": "Seconds until a retry.", "schema": {"type": "integer", "minimum": 0}});
        response["headers"] = json!({"Retry-After": seconds});
    }
    response
}

/// The components that a noun's errors refer to: its codes, and API Gateway's own responses.
pub(super) fn components<'a>(noun: &Noun, apis: impl Iterator<Item = &'a Api>) -> Value {
    let table = (noun.codes)();
    let codes: Vec<_> = table.iter().map(|(code, _)| *code).collect();
    let lines: Vec<_> = table.iter().map(|(code, message)| format!("- `{code}`: {message}")).collect();
    let mut responses = Map::new();
    for api in apis {
        for GatewayError { status, code } in of_gateway(api, noun, true, true) {
            responses.insert(format!("{}.{status}", api.id), response(noun, &status, &[code]));
        }
    }
    json!({
        "schemas": {format!("{}Code", noun.name): {"type": "string", "enum": codes, "description": lines.join("\n")}},
        "responses": responses,
    })
}
