//! OAuth 2.0 client credentials, RFC 6749, section 4.4.

use serde_json::json;
use shared::{encoding::from_base64, fault::Fault, secret::SecretText};

use super::super::clients::Credentials;
use crate::gateway::{ApiError, Request};

/// The client's credentials, in HTTP Basic or in the form.
pub(super) fn credentials(request: &Request) -> Result<Credentials, ApiError> {
    let form: Vec<(String, String)> = form_urlencoded::parse(request.body.as_bytes()).into_owned().collect();
    let field = |name: &str| {
        let mut values = form.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone());
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(error(Fault::Request, "invalid_request", "a field is given twice")),
        }
    };
    match field("grant_type")?.as_deref() {
        Some("client_credentials") => {}
        Some("authorization_code" | "refresh_token" | "password") => {
            return Err(error(Fault::Request, "unsupported_grant_type", "grant_type is client_credentials"));
        }
        Some(_) => return Err(error(Fault::Request, "invalid_grant", "grant_type is client_credentials")),
        None => return Err(error(Fault::Request, "invalid_request", "grant_type is missing")),
    }
    let (client_id, secret) = match basic(request) {
        Some((id, secret)) => (Some(id), Some(secret)),
        None => (field("client_id")?, field("client_secret")?),
    };
    match (client_id, secret) {
        (Some(client_id), Some(secret)) => Ok(Credentials { client_id, secret: SecretText::new(secret) }),
        _ => Err(error(Fault::Request, "invalid_request", "client_id and client_secret are needed, in the form or in HTTP Basic")),
    }
}

/// An error response, RFC 6749, section 5.2.
pub(super) fn error(fault: Fault, error: &str, description: &str) -> ApiError {
    ApiError::with_body(fault, json!({"error": error, "error_description": description}))
}

fn basic(request: &Request) -> Option<(String, String)> {
    let (scheme, value) = request.headers.get("authorization")?.to_str().ok()?.split_once(' ')?;
    let pair = String::from_utf8(scheme.eq_ignore_ascii_case("basic").then(|| from_base64(value.trim()))??).ok()?;
    let (id, secret) = pair.split_once(':')?;
    Some((id.into(), secret.into()))
}
