//! What every call passes first: injected faults, authorization and rate limits.

use std::time::Instant;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{call::Call, error_response::Api, fault_injection::InjectedFault, stand_in::Brightcove};

/// Counts a call, applies its injected fault, and authorizes it.
pub(super) async fn admit(State(brightcove): State<Brightcove>, request: Request, next: Next) -> Response {
    let Some(call) = Call::of(request.method(), request.uri().path()) else { return next.run(request).await };
    let plan = brightcove.state().faults.plan(call);
    tokio::time::sleep(plan.delay).await;
    let json = [(header::CONTENT_TYPE, "application/json")];
    if let Some(InjectedFault::Refuse { status, body }) = plan.fault {
        return (status, json, body).into_response();
    }
    if call != Call::Token
        && let Err(error) = authorize(&brightcove, call, request.uri().path(), request.headers())
    {
        return error;
    }
    let response = next.run(request).await;
    match plan.fault {
        None | Some(InjectedFault::Refuse { .. }) => response,
        Some(InjectedFault::ReplaceResponse { status, body }) => (status, json, body).into_response(),
        Some(InjectedFault::DropResponse) => StatusCode::GATEWAY_TIMEOUT.into_response(),
    }
}

#[expect(clippy::result_large_err, reason = "the error is the response")]
fn authorize(brightcove: &Brightcove, call: Call, path: &str, headers: &HeaderMap) -> Result<(), Response> {
    let api = Api::of(path);
    let mut segments = path.split('/').skip(4);
    let (account, video) = (segments.next().unwrap_or_default(), segments.nth(1));
    let now = Instant::now();
    let mut state = brightcove.state();
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    if bearer.and_then(|token| state.tokens.get(token)).is_none_or(|expiry| *expiry <= now) {
        return Err(api.error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "Permission denied."));
    }
    if account != brightcove.account() || call.scope().is_some_and(|scope| state.revoked_scopes.contains(scope)) {
        return Err(api.error(StatusCode::FORBIDDEN, "ACCESS_DENIED", "The client may not do this with the account."));
    }
    if !state.admit_request(now) {
        return Err(api.error(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS", "Too many requests a second."));
    }
    let no_such_video = || api.error(StatusCode::NOT_FOUND, "RESOURCE_NOT_FOUND", "There is no such video.");
    if call == Call::Read
        && let Some(reference) = video.and_then(|video| video.strip_prefix("ref:"))
    {
        return state.video_by_reference(reference).map(drop).ok_or_else(no_such_video);
    }
    // Brightcove also accepts comma lists and `ref:` names here. Only reads may use `ref:`;
    // anything else is a bug in the caller.
    if video.is_some_and(|video| video.is_empty() || !video.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(api.error(StatusCode::BAD_REQUEST, "BAD_VALUE", "A video's id consists of digits."));
    }
    if video.is_some_and(|video| !state.videos.contains_key(video)) {
        return Err(no_such_video());
    }
    Ok(())
}
