//! What is configured of the bodies that go to Brightcove.

use serde_json::{Map, Value, json};
use shared::secret::SecretText;

use super::{Error, intent::Reference};
use crate::{
    setting::{self, Environment},
    vault,
};

/// How many addresses Brightcove calls back.
const MAX_CALLBACKS: usize = 10;

/// What every video is created with.
pub(super) struct VideoTemplate(Map<String, Value>);

/// What every video is ingested with.
pub(super) struct IngestTemplate(Map<String, Value>);

impl VideoTemplate {
    pub(super) fn from_env(environment: &Environment) -> Result<Self, Error> {
        Ok(Self::parse(environment.video_template()).map_err(vault::Error::from)?)
    }

    fn parse(text: Option<String>) -> Result<Self, setting::Error> {
        let name = "VIDEO_TEMPLATE";
        let template = object(name, text)?;
        if template.contains_key("reference_id") {
            return Err(setting::Error::Refused { name, why: "reference_id is each video's own, and is set here" });
        }
        Ok(Self(template))
    }

    /// The body that creates a video.
    pub(super) fn body(&self, name: &str, reference: &Reference) -> Value {
        let mut body = self.0.clone();
        body.insert("name".into(), name.into());
        body.insert("reference_id".into(), reference.as_str().into());
        body.into()
    }
}

impl IngestTemplate {
    pub(super) fn from_env(environment: &Environment) -> Result<Self, Error> {
        Ok(Self::parse(environment.ingest_template()).map_err(vault::Error::from)?)
    }

    fn parse(text: Option<String>) -> Result<Self, setting::Error> {
        let name = "INGEST_TEMPLATE";
        let template = object(name, text)?;
        let refused = |why| Err(setting::Error::Refused { name, why });
        if template.get("priority").is_some_and(|priority| priority == "low") {
            return refused("with a low priority a file may expire before its turn comes");
        }
        if template.get("capture-images") == Some(&Value::Bool(true)) && template.contains_key("images") {
            return refused("images are either captured or given");
        }
        let is_callback = |callback: &Value| callback.as_str().is_some_and(|url| !url.is_empty() && !url.ends_with('/'));
        if template.get("callbacks").is_some_and(|callbacks| !callbacks.as_array().is_some_and(|all| all.iter().all(is_callback))) {
            return refused("callbacks are a list of addresses, none of which ends in a slash");
        }
        Ok(Self(template))
    }

    /// The body that hands a video over.
    pub(super) fn body(&self, url: &SecretText, callback: Option<String>) -> Value {
        let mut body = self.0.clone();
        let master = body.entry("master").or_insert_with(|| json!({}));
        if !master.is_object() {
            *master = json!({});
        }
        master["url"] = url.expose().into();
        let others = body.remove("callbacks");
        let others = others.as_ref().and_then(Value::as_array).into_iter().flatten().cloned();
        let callbacks: Vec<Value> = callback.map(Value::from).into_iter().chain(others).take(MAX_CALLBACKS).collect();
        if !callbacks.is_empty() {
            body.insert("callbacks".into(), callbacks.into());
        }
        body.into()
    }
}

fn object(name: &'static str, text: Option<String>) -> Result<Map<String, Value>, setting::Error> {
    let refused = |_| setting::Error::Refused { name, why: "it is no JSON object" };
    text.map_or_else(|| Ok(Map::new()), |text| serde_json::from_str(&text).map_err(refused))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_lose_files_is_refused_at_the_start() {
        let parse = |text: &str| IngestTemplate::parse(Some(text.into())).map(|_| ());
        assert!(parse(r#"{"profile":"a","capture-images":true,"priority":"normal"}"#).is_ok());
        assert!(parse(r#"{"capture-images":false,"images":[]}"#).is_ok());
        assert!(parse(r#"{"callbacks":["https://a","https://b/c"]}"#).is_ok());
        for text in [
            r#"{"priority":"low"}"#,
            r#"{"capture-images":true,"images":[]}"#,
            "[]",
            "x",
            r#"{"callbacks":"https://a"}"#,
            r#"{"callbacks":["https://a","https://b/"]}"#,
            r#"{"callbacks":["https://a",5]}"#,
            r#"{"callbacks":[""]}"#,
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_reference_is_not_configured() {
        assert!(VideoTemplate::parse(Some(r#"{"tags":["a"]}"#.into())).is_ok());
        assert!(VideoTemplate::parse(Some(r#"{"reference_id":"a"}"#.into())).is_err());
    }

    #[test]
    fn our_callback_comes_first() {
        let template = IngestTemplate::parse(Some(r#"{"profile":"p","master":{"a":1},"callbacks":["b"]}"#.into())).unwrap();
        let body = template.body(&SecretText::new("s3://x".into()), Some("c".into()));
        assert_eq!(body, json!({"profile": "p", "master": {"a": 1, "url": "s3://x"}, "callbacks": ["c", "b"]}));
        let bare = IngestTemplate::parse(None).unwrap().body(&SecretText::new("u".into()), None);
        assert_eq!(bare, json!({"master": {"url": "u"}}));
    }
}
