//! template.yaml as a tree of values, its tags kept.

use serde_norway::Value;

use super::read;

/// The template.
pub(crate) struct Template(Value);

impl Template {
    pub(crate) fn read() -> Self {
        Self(serde_norway::from_str(&read("template.yaml")).expect("template.yaml is YAML"))
    }

    pub(crate) fn get(&self, path: &[&str]) -> Option<&Value> {
        get(&self.0, path)
    }

    /// The resources of a type, by name. There must be some.
    pub(crate) fn resources(&self, kind: &str) -> Vec<(&str, &Value)> {
        let all = self.get(&["Resources"]).and_then(Value::as_mapping).expect("there are resources");
        let named = all.iter().filter_map(|(name, resource)| Some((name.as_str()?, resource)));
        let found: Vec<_> = named.filter(|(_, resource)| text(get(resource, &["Type"])) == kind).collect();
        assert!(!found.is_empty(), "the template has no {kind}");
        found
    }

    /// A function's setting: its own, or everybody's.
    pub(crate) fn setting<'a>(&'a self, function: &'a Value, name: &str) -> Option<&'a Value> {
        get(function, &["Properties", name]).or_else(|| self.get(&["Globals", "Function", name]))
    }

    /// The functions with the folders of their code.
    pub(crate) fn functions(&self) -> Vec<(&str, &Value)> {
        let functions = self.resources("AWS::Serverless::Function");
        functions.into_iter().map(|(_, function)| (folder(function), function)).collect()
    }
}

/// `sm_proxy` of `CodeUri: functions/sm_proxy`.
fn folder(function: &Value) -> &str {
    let code = get(function, &["Properties", "CodeUri"]).and_then(Value::as_str).expect("a function has code");
    code.strip_prefix("functions/").expect("a function lives under functions/")
}

/// A function's events of a type, with their properties.
pub(crate) fn events<'a>(function: &'a Value, kind: &str) -> Vec<&'a Value> {
    let events = get(function, &["Properties", "Events"]).and_then(Value::as_mapping);
    let events = events.into_iter().flat_map(|events| events.values());
    events.filter(|event| text(get(event, &["Type"])) == kind).filter_map(|event| get(event, &["Properties"])).collect()
}

/// What lies at a path of names.
pub(crate) fn get<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, name| value.get(*name))
}

/// Text, with its tag as it is written: `!GetAtt VaultKey.Arn`.
pub(crate) fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::Tagged(tagged)) => format!("{} {}", tagged.tag, text(Some(&tagged.value))),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(yes)) => yes.to_string(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// One text, or a list of them.
pub(crate) fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Sequence(list)) => list.iter().map(|entry| text(Some(entry))).collect(),
        None => Vec::new(),
        one => vec![text(one)],
    }
}

/// The names of a mapping.
pub(crate) fn names(value: Option<&Value>) -> Vec<String> {
    value.and_then(Value::as_mapping).into_iter().flat_map(|map| map.keys()).map(|name| text(Some(name))).collect()
}
