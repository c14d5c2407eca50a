//! What the template adds to an operation.

use std::collections::BTreeMap;

use sam::{Api, Cors, Route};
use serde_json::{Map, Value, json};

use super::{errors, noun::Noun};

/// The tag of CORS preflight requests.
pub(super) const CORS: &str = "CORS";

/// Completes an operation by its route: the API's tag, the authorizer, and the error responses.
pub(super) fn complete(operation: &mut Value, noun: &Noun, route: &Route, api: &Api) {
    let Some(operation) = operation.as_object_mut() else { return };
    operation.entry("tags").or_insert_with(|| json!([api.id]));
    if let Some(authorizer) = &route.authorizer {
        let security = operation.entry("security").or_insert_with(|| json!([]));
        if let Some(alternatives) = security.as_array_mut() {
            alternatives.insert(0, json!({authorizer: []}));
        }
    }
    let listed = operation.remove("errors");
    let mut codes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (status, listed) in listed.as_ref().and_then(Value::as_object).into_iter().flatten() {
        let listed = listed.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
        codes.insert(status.clone(), listed.collect());
    }
    let has_body = operation.contains_key("requestBody");
    let responses = operation.entry("responses").or_insert_with(|| Map::new().into());
    let Some(responses) = responses.as_object_mut() else { return };
    for own in errors::of_gateway(api, noun, has_body, route.authorizer.is_some()) {
        match codes.get_mut(&own.status) {
            Some(codes) if codes.contains(&own.code) => {}
            Some(codes) => codes.push(own.code),
            None => drop(responses.entry(own.status.clone()).or_insert_with(|| errors::reference(api, &own.status))),
        }
    }
    for (status, codes) in codes {
        responses.entry(status.clone()).or_insert_with(|| errors::response(noun, &status, &codes));
    }
}

/// API Gateway's response to the preflight requests of an API with `Cors`.
pub(super) fn preflight(cors: &Cors) -> Value {
    let headers = [
        ("Access-Control-Allow-Origin", &cors.origin),
        ("Access-Control-Allow-Methods", &cors.methods),
        ("Access-Control-Allow-Headers", &cors.headers),
        ("Access-Control-Max-Age", &cors.max_age),
    ];
    let headers: Map<String, Value> = headers
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), json!({"schema": {"type": "string"}, "example": value.as_ref()?}))))
        .collect();
    json!({
        "tags": [CORS],
        "summary": "Answer a CORS preflight request",
        "responses": {"200": {"description": "API Gateway's response, for the origin of the parameter `AllowedOrigin`.", "headers": headers}},
    })
}
