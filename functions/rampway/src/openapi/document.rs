//! Composes the OpenAPI document.
//!
//! The YAML files beside this one are parts of the document, one for each API: summaries, parameters,
//! schemas and examples. The template gives the rest: which paths exist, each path's API, authorizer
//! and CORS preflight, and API Gateway's own responses. The messages of the error codes come from the
//! nouns' tables of codes.

use sam::{Api, Route, Stack};
use serde_json::{Map, Value, json};

use super::{
    errors,
    noun::{NOUNS, Noun},
    operation,
};

pub(super) const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

const DESCRIPTION: &str = "\
RampID translation on the customer's and the authority's side, and uploads by browsers to Brightcove. Each tag but `CORS` is \
an API of the template, which has a base URL of its own on AWS. A path that does not exist is answered with 404, and another \
method of a path with 405.";

/// Describes the routes of a stack. `server_url` is the base URL of the APIs, with the stage.
///
/// A route that no part describes is left out; a test holds that the project's template has none.
#[must_use]
pub fn document(stack: &Stack, server_url: &str) -> Value {
    let (mut paths, mut components, mut tags) = (Map::new(), json!({}), Vec::new());
    for noun in &NOUNS {
        let parts: Vec<Value> = noun.parts();
        let items = parts.iter().filter_map(|part| part["paths"].as_object()).flatten();
        let described: Map<_, _> = items.filter_map(|(path, item)| Some((path.clone(), path_item(stack, noun, path, item)?))).collect();
        if described.is_empty() {
            continue;
        }
        let apis = described.keys().filter_map(|path| Some(route(stack, "ANY", path)?.1));
        merge(&mut components, errors::components(noun, apis));
        paths.extend(described);
        for part in parts {
            let deployed = |tag: &&Value| stack.apis.iter().any(|api| tag["name"] == api.id);
            tags.extend(part["tags"].as_array().into_iter().flatten().filter(deployed).cloned());
            merge(&mut components, part["components"].clone());
        }
    }
    tags.push(json!({"name": operation::CORS, "description": "Preflight requests of browsers."}));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Rampway",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": {"name": "MIT or Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": server_url}],
        "tags": tags,
        "paths": paths,
        "components": components,
    })
}

/// A path with the operations that have a route; none if no operation has.
fn path_item(stack: &Stack, noun: &Noun, path: &str, item: &Value) -> Option<Value> {
    let mut item = item.as_object()?.clone();
    item.retain(|member, _| !METHODS.contains(&member.as_str()) || route(stack, member, path).is_some());
    for method in METHODS {
        if let (Some(operation), Some((route, api))) = (item.get_mut(method), route(stack, method, path)) {
            operation::complete(operation, noun, route, api);
        }
    }
    if !item.keys().any(|member| METHODS.contains(&member.as_str())) {
        return None;
    }
    if let Some(cors) = route(stack, "options", path).and_then(|(_, api)| api.cors.as_ref()) {
        item.insert("options".into(), operation::preflight(cors));
    }
    Some(item.into())
}

/// The route of a method and path, and its API; an exact method precedes `ANY`, as in API Gateway.
pub(super) fn route<'a>(stack: &'a Stack, method: &str, path: &str) -> Option<(&'a Route, &'a Api)> {
    let routes = || stack.functions.iter().flat_map(|function| &function.routes).filter(|route| route.path == path);
    let exact = routes().find(|route| route.method.eq_ignore_ascii_case(method));
    let route = exact.or_else(|| routes().find(|route| route.method == "ANY"))?;
    Some((route, stack.apis.iter().find(|api| api.id == route.api)?))
}

/// Adds the members of an object to another's, object by object.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}
