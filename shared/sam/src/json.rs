//! Resolved values: JSON without intrinsic functions.

use std::collections::BTreeMap;

use serde_json::Value as Json;

/// A scalar as a string.
pub(crate) fn scalar(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(_) | Json::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// The entries of an object whose values are scalars, as strings.
pub(crate) fn scalars(value: Option<&Json>) -> BTreeMap<String, String> {
    let entries = value.and_then(Json::as_object).into_iter().flatten();
    entries.filter_map(|(key, value)| Some((key.clone(), scalar(value)?))).collect()
}

/// Merges `over` into `base`: objects key by key, everything else is replaced.
pub(crate) fn merge(base: &mut Json, over: Json) {
    match (base, over) {
        (Json::Object(base), Json::Object(over)) => {
            for (key, value) in over {
                match base.get_mut(&key) {
                    Some(under) => merge(under, value),
                    None => {
                        base.insert(key, value);
                    }
                }
            }
        }
        (base, over) => *base = over,
    }
}
