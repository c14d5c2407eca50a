//! Videos of the CMS API.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::Value;
use time::OffsetDateTime;

use super::{
    error_response::Api,
    stand_in::Brightcove,
    video::{Video, validation_error},
};

pub(super) async fn create(State(brightcove): State<Brightcove>, body: Bytes) -> Response {
    let created: Value = match serde_json::from_slice(&body) {
        Ok(Value::Object(created)) => created.into(),
        _ => return Api::Cms.error(StatusCode::BAD_REQUEST, "UNABLE_TO_PARSE_JSON", "The body is no JSON object."),
    };
    if let Some((code, message)) = validation_error(&created) {
        return Api::Cms.error(StatusCode::UNPROCESSABLE_ENTITY, code, &message);
    }
    let now = OffsetDateTime::now_utc();
    let mut state = brightcove.state();
    if created["reference_id"].as_str().is_some_and(|reference| state.video_by_reference(reference).is_some()) {
        return Api::Cms.error(StatusCode::CONFLICT, "REFERENCE_ID_IN_USE", "Another video has this reference_id.");
    }
    let id = state.allocate_video_id(now.unix_timestamp_nanos() / 1_000_000);
    let video = Video { id, created, complete: false, created_at: now.unix_timestamp() };
    let response = (StatusCode::CREATED, Json(video.json(brightcove.account()))).into_response();
    state.videos.insert(video.id.clone(), video);
    response
}

pub(super) async fn read(State(brightcove): State<Brightcove>, Path((account, id)): Path<(String, String)>) -> Response {
    let state = brightcove.state();
    let video = match id.strip_prefix("ref:") {
        Some(reference) => state.video_by_reference(reference),
        None => state.videos.get(&id),
    };
    video.map_or_else(not_found, |video| Json(video.json(&account)).into_response())
}

pub(super) async fn delete(State(brightcove): State<Brightcove>, Path((_, id)): Path<(String, String)>) -> Response {
    brightcove.state().videos.remove(&id).map_or_else(not_found, |_| StatusCode::NO_CONTENT.into_response())
}

fn not_found() -> Response {
    Api::Cms.error(StatusCode::NOT_FOUND, "RESOURCE_NOT_FOUND", "There is no such video.")
}
