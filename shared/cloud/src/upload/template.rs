//! The configured parts of the request bodies for Brightcove.

use serde_json::{Map, Value, json};
use shared::secret::SecretText;

use super::{error::Error, intent::Reference};
use crate::setting::{self, Environment};

/// The maximum number of callbacks in one ingest request, Brightcove's.
const MAX_CALLBACKS: usize = 10;

/// The fields of every new video.
pub(super) struct VideoTemplate(Map<String, Value>);

/// The fields of every ingest request.
pub(super) struct IngestTemplate(Map<String, Value>);

impl VideoTemplate {
    pub(super) fn from_env(environment: &Environment) -> Result<Self, Error> {
        Ok(Self::parse(environment.video_template())?)
    }

    fn parse(text: Option<String>) -> Result<Self, setting::Error> {
        let name = "VIDEO_TEMPLATE";
        let template = object(name, text)?;
        if template.contains_key("reference_id") {
            return Err(setting::Error::Invalid { name, reason: "reference_id is set for each video and cannot be configured" });
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
        Ok(Self::parse(environment.ingest_template())?)
    }

    fn parse(text: Option<String>) -> Result<Self, setting::Error> {
        let name = "INGEST_TEMPLATE";
        let template = object(name, text)?;
        let invalid = |reason| Err(setting::Error::Invalid { name, reason });
        if template.get("priority").is_some_and(|priority| priority == "low") {
            return invalid("a file may expire before it is ingested with priority low");
        }
        if template.get("capture-images") == Some(&Value::Bool(true)) && template.contains_key("images") {
            return invalid("images and capture-images exclude each other");
        }
        let is_callback = |callback: &Value| callback.as_str().is_some_and(|url| !url.is_empty() && !url.ends_with('/'));
        if template.get("callbacks").is_some_and(|callbacks| !callbacks.as_array().is_some_and(|all| all.iter().all(is_callback))) {
            return invalid("callbacks must be a list of URLs that do not end in a slash");
        }
        Ok(Self(template))
    }

    /// The body that ingests a file from `url`.
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
    let invalid = |_| setting::Error::Invalid { name, reason: "it must be a JSON object" };
    text.map_or_else(|| Ok(Map::new()), |text| serde_json::from_str(&text).map_err(invalid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ingest_template_that_would_lose_files_is_refused() {
        let parse = |text: &str| IngestTemplate::parse(Some(text.into())).map(|_| ());
        assert!(parse(r#"{"profile":"a","capture-images":true,"priority":"normal"}"#).is_ok());
        assert!(parse(r#"{"capture-images":false,"images":[]}"#).is_ok());
        assert!(parse(r#"{"callbacks":["https://a","https://b/c"]}"#).is_ok());
        for (text, reason) in [
            (r#"{"priority":"low"}"#, "priority low"),
            (r#"{"capture-images":true,"images":[]}"#, "exclude each other"),
            ("[]", "a JSON object"),
            ("x", "a JSON object"),
            (r#"{"callbacks":"https://a"}"#, "a list of URLs"),
            (r#"{"callbacks":["https://a","https://b/"]}"#, "a list of URLs"),
            (r#"{"callbacks":["https://a",5]}"#, "a list of URLs"),
            (r#"{"callbacks":[""]}"#, "a list of URLs"),
        ] {
            assert!(parse(text).unwrap_err().to_string().contains(reason), "{text}");
        }
    }

    #[test]
    fn a_video_template_cannot_set_the_reference_id() {
        assert!(VideoTemplate::parse(Some(r#"{"tags":["a"]}"#.into())).is_ok());
        let error = VideoTemplate::parse(Some(r#"{"reference_id":"a"}"#.into())).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("reference_id is set for each video"), "{error}");
    }

    #[test]
    fn the_own_callback_comes_first() {
        let template = IngestTemplate::parse(Some(r#"{"profile":"p","master":{"a":1},"callbacks":["b"]}"#.into())).unwrap();
        let body = template.body(&SecretText::new("s3://x".into()), Some("c".into()));
        assert_eq!(body, json!({"profile": "p", "master": {"a": 1, "url": "s3://x"}, "callbacks": ["c", "b"]}));
        let bare = IngestTemplate::parse(None).unwrap().body(&SecretText::new("u".into()), None);
        assert_eq!(bare, json!({"master": {"url": "u"}}));
    }
}
