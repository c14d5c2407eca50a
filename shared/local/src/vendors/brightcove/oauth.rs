//! OAuth: a client's id and secret for a token that lasts five minutes.

use std::time::{Duration, Instant};

use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use shared::encoding::from_base64;

use super::{Brightcove, refusal::Api, secret};

/// How long a token lasts, in seconds.
const LIFE: u64 = 300;

pub(super) async fn token(State(brightcove): State<Brightcove>, headers: HeaderMap, body: Bytes) -> Response {
    let refuse = |code, message| Api::Oauth.refuse(StatusCode::BAD_REQUEST, code, message);
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let basic = text(header::AUTHORIZATION).strip_prefix("Basic ").and_then(from_base64);
    let known = format!("{}:{}", brightcove.client_id(), brightcove.client_secret().expose());
    if basic.is_none_or(|basic| basic != known.as_bytes()) {
        return refuse("invalid_client", "The \"client_id\" or \"client_secret\" is not known.");
    }
    if !text(header::CONTENT_TYPE).starts_with("application/x-www-form-urlencoded") {
        return refuse("invalid_request", "The content type must be application/x-www-form-urlencoded.");
    }
    let mut form = form_urlencoded::parse(&body);
    if !form.any(|(name, value)| name == "grant_type" && value == "client_credentials") {
        return refuse("unsupported_grant_type", "The grant type must be client_credentials.");
    }
    let token = secret();
    brightcove.desk().tokens.insert(token.expose().into(), Instant::now() + Duration::from_secs(LIFE));
    Json(json!({"access_token": token.expose(), "token_type": "Bearer", "expires_in": LIFE})).into_response()
}
