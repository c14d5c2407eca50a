//! YAML values, as the template uses them.

use serde_norway::Value;

/// The entries of a mapping whose keys are strings, in the order they are written.
pub(crate) fn entries(mapping: Option<&Value>) -> impl Iterator<Item = (&str, &Value)> {
    mapping.and_then(Value::as_mapping).into_iter().flatten().filter_map(|(key, value)| Some((key.as_str()?, value)))
}

/// The string at a key.
pub(crate) fn string<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

/// A scalar as CloudFormation sees it: every scalar is a string.
pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(boolean) => Some(boolean.to_string()),
        _ => None,
    }
}
