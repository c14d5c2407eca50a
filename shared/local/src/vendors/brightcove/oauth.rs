//! OAuth: an access token for a client's id and secret.

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

use super::{
    error_response::Api,
    stand_in::{Brightcove, random_secret},
};

/// The lifetime of an access token.
const ACCESS_TOKEN_TTL_SECONDS: u64 = 300;

pub(super) async fn token(State(brightcove): State<Brightcove>, headers: HeaderMap, body: Bytes) -> Response {
    let error = |code, message| Api::Oauth.error(StatusCode::BAD_REQUEST, code, message);
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let basic = text(header::AUTHORIZATION).strip_prefix("Basic ").and_then(from_base64);
    let expected = format!("{}:{}", brightcove.client_id(), brightcove.client_secret().expose());
    if basic.is_none_or(|basic| basic != expected.as_bytes()) {
        return error("invalid_client", "The \"client_id\" or \"client_secret\" is not known.");
    }
    if !text(header::CONTENT_TYPE).starts_with("application/x-www-form-urlencoded") {
        return error("invalid_request", "The content type must be application/x-www-form-urlencoded.");
    }
    let mut form = form_urlencoded::parse(&body);
    if !form.any(|(name, value)| name == "grant_type" && value == "client_credentials") {
        return error("unsupported_grant_type", "The grant type must be client_credentials.");
    }
    let token = random_secret();
    let expiry = Instant::now() + Duration::from_secs(ACCESS_TOKEN_TTL_SECONDS);
    brightcove.state().tokens.insert(token.expose().into(), expiry);
    Json(json!({"access_token": token.expose(), "token_type": "Bearer", "expires_in": ACCESS_TOKEN_TTL_SECONDS})).into_response()
}
