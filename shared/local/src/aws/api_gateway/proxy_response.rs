//! The response of a Lambda proxy integration.

use std::collections::BTreeMap;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use serde::Deserialize;
use serde_json::Value;

/// The payload of a proxy integration's response.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProxyResponse {
    status_code: Value,
    #[serde(default)]
    headers: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    multi_value_headers: Option<BTreeMap<String, Vec<Value>>>,
    #[serde(default)]
    body: Option<String>,
}

/// Parses a function's payload. `None` is a malformed proxy response.
pub(super) fn parse(payload: &[u8]) -> Option<Response> {
    let proxy: ProxyResponse = serde_json::from_slice(payload).ok()?;
    let status = match &proxy.status_code {
        Value::Number(number) => u16::try_from(number.as_u64()?).ok()?,
        Value::String(text) => text.parse().ok()?,
        _ => return None,
    };
    let mut headers = HeaderMap::new();
    for (name, value) in proxy.headers.unwrap_or_default() {
        headers.append(header_name(&name)?, header_value(&value)?);
    }
    for (name, values) in proxy.multi_value_headers.unwrap_or_default() {
        let name = header_name(&name)?;
        // A name in both mappings is merged, without duplicate values.
        for value in values {
            let value = header_value(&value)?;
            if !headers.get_all(&name).iter().any(|known| *known == value) {
                headers.append(name.clone(), value);
            }
        }
    }
    headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
    // API Gateway computes the length.
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::TRANSFER_ENCODING);
    // Without binary media types a base64 body stays text.
    let mut response = Response::new(Body::from(proxy.body.unwrap_or_default()));
    *response.status_mut() = StatusCode::from_u16(status).ok()?;
    *response.headers_mut() = headers;
    Some(response)
}

/// The name of a header. API Gateway reserves some names, and remaps those of a function.
fn header_name(name: &str) -> Option<HeaderName> {
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    let reserved = [header::CONNECTION, header::DATE, header::SERVER, header::WWW_AUTHENTICATE];
    if reserved.contains(&name) { HeaderName::try_from(format!("x-amzn-remapped-{name}")).ok() } else { Some(name) }
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
    fn a_proxy_response_becomes_http() {
        let response = parse(
            br#"{"statusCode":"201","headers":{"A":"1","Www-Authenticate":"Basic"},"multiValueHeaders":{"a":["1","2"]},"body":"{}"}"#,
        )
        .unwrap();
        assert_eq!(response.status(), StatusCode::CREATED);
        assert_eq!(response.headers().get_all("a").iter().collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(response.headers()["x-amzn-remapped-www-authenticate"], "Basic");
        assert_eq!(response.headers()["content-type"], "application/json");
    }

    #[test]
    fn a_malformed_proxy_response_is_none() {
        let malformed = [
            r#""text""#,
            "{}",
            r#"{"statusCode":200,"body":{}}"#,
            r#"{"statusCode":99999}"#,
            r#"{"statusCode":200,"headers":{"a b":"x"}}"#,
            "",
        ];
        for payload in malformed {
            assert!(parse(payload.as_bytes()).is_none(), "{payload}");
        }
    }
}
