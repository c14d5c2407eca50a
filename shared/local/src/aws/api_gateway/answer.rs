//! What a function answers, as HTTP.

use std::collections::BTreeMap;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use serde::Deserialize;
use serde_json::Value;

/// A proxy integration's answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: Value,
    #[serde(default)]
    headers: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    multi_value_headers: Option<BTreeMap<String, Vec<Value>>>,
    #[serde(default)]
    body: Option<String>,
}

/// `None` is an answer that API Gateway calls malformed.
pub(super) fn read(payload: &[u8]) -> Option<Response> {
    let answer: Answer = serde_json::from_slice(payload).ok()?;
    let status = match &answer.status_code {
        Value::Number(number) => u16::try_from(number.as_u64()?).ok()?,
        Value::String(text) => text.parse().ok()?,
        _ => return None,
    };
    let mut headers = HeaderMap::new();
    for (name, value) in answer.headers.unwrap_or_default() {
        headers.append(named(&name)?, header_value(&value)?);
    }
    for (name, values) in answer.multi_value_headers.unwrap_or_default() {
        let name = named(&name)?;
        // A name in both mappings is merged: what is the same counts once.
        for value in values {
            let value = header_value(&value)?;
            if !headers.get_all(&name).iter().any(|known| *known == value) {
                headers.append(name.clone(), value);
            }
        }
    }
    headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
    // The length is the gateway's to say.
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::TRANSFER_ENCODING);
    // Without binary media types a base64 body is passed on as the text that it is.
    let mut response = Response::new(Body::from(answer.body.unwrap_or_default()));
    *response.status_mut() = StatusCode::from_u16(status).ok()?;
    *response.headers_mut() = headers;
    Some(response)
}

/// A header's name; API Gateway keeps a few for itself, and renames a function's.
fn named(name: &str) -> Option<HeaderName> {
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    let kept = [header::CONNECTION, header::DATE, header::SERVER, header::WWW_AUTHENTICATE];
    if kept.contains(&name) { HeaderName::try_from(format!("x-amzn-remapped-{name}")).ok() } else { Some(name) }
}

fn header_value(value: &Value) -> Option<HeaderValue> {
    match value {
        Value::String(text) => HeaderValue::from_str(text).ok(),
        Value::Number(_) | Value::Bool(_) => HeaderValue::from_str(&value.to_string()).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_becomes_http() {
        let response =
            read(br#"{"statusCode":"201","headers":{"A":"1","Www-Authenticate":"Basic"},"multiValueHeaders":{"a":["1","2"]},"body":"{}"}"#)
                .unwrap();
        assert_eq!(response.status(), StatusCode::CREATED);
        assert_eq!(response.headers().get_all("a").iter().collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(response.headers()["x-amzn-remapped-www-authenticate"], "Basic");
        assert_eq!(response.headers()["content-type"], "application/json");
    }

    #[test]
    fn a_malformed_answer_is_none() {
        let malformed = [
            r#""text""#,
            "{}",
            r#"{"statusCode":200,"body":{}}"#,
            r#"{"statusCode":99999}"#,
            r#"{"statusCode":200,"headers":{"a b":"x"}}"#,
            "",
        ];
        for payload in malformed {
            assert!(read(payload.as_bytes()).is_none(), "{payload}");
        }
    }
}
