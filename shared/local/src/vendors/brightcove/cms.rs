//! The CMS API: videos come and go.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use super::{Brightcove, Desk, refusal::Api, written};

/// What a video may be created with.
const FIELDS: [&str; 16] = [
    "ad_keys",
    "cue_points",
    "custom_fields",
    "description",
    "drm_disabled",
    "economics",
    "geo",
    "link",
    "long_description",
    "name",
    "offline_enabled",
    "projection",
    "reference_id",
    "schedule",
    "state",
    "tags",
];

/// A video.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Video {
    /// Its id.
    pub id: String,
    /// What it was created with.
    pub created: Value,
    /// Whether something was ingested into it.
    pub complete: bool,
    pub(super) created_at: i64,
}

impl Video {
    /// Its title.
    #[must_use]
    pub fn name(&self) -> &str {
        self.created["name"].as_str().unwrap_or_default()
    }

    fn json(&self, account: &str) -> Value {
        let mut video = self.created.clone();
        video["id"] = self.id.as_str().into();
        video["account_id"] = account.into();
        video["complete"] = self.complete.into();
        video["created_at"] = written(self.created_at).into();
        if video["state"].is_null() {
            video["state"] = "ACTIVE".into();
        }
        video
    }
}

impl Desk {
    /// The video of a reference.
    pub(super) fn referred(&self, reference: &str) -> Option<&Video> {
        self.videos.values().find(|video| video.created["reference_id"] == reference)
    }
}

pub(super) async fn create(State(brightcove): State<Brightcove>, body: Bytes) -> Response {
    let created: Value = match serde_json::from_slice(&body) {
        Ok(Value::Object(created)) => created.into(),
        _ => return Api::Cms.refuse(StatusCode::BAD_REQUEST, "UNABLE_TO_PARSE_JSON", "The body is no JSON object."),
    };
    if let Some((code, message)) = fault(&created) {
        return Api::Cms.refuse(StatusCode::UNPROCESSABLE_ENTITY, code, &message);
    }
    let now = OffsetDateTime::now_utc();
    let mut desk = brightcove.desk();
    if created["reference_id"].as_str().is_some_and(|reference| desk.referred(reference).is_some()) {
        return Api::Cms.refuse(StatusCode::CONFLICT, "REFERENCE_ID_IN_USE", "Another video has this reference_id.");
    }
    // Of the vendor's length, and of no earlier start's: sessions outlive the stand-in.
    desk.last_id = (desk.last_id + 1).max(now.unix_timestamp_nanos() / 1_000_000);
    let video = Video { id: desk.last_id.to_string(), created, complete: false, created_at: now.unix_timestamp() };
    let answer = (StatusCode::CREATED, Json(video.json(brightcove.account()))).into_response();
    desk.videos.insert(video.id.clone(), video);
    answer
}

/// What is wrong with a video's description.
fn fault(created: &Value) -> Option<(&'static str, String)> {
    let name = created["name"].as_str().unwrap_or_default();
    if name.trim().is_empty() || name.chars().count() > 255 {
        return Some(("VALIDATION_ERROR", "name: it must have 1 to 255 characters.".into()));
    }
    if !matches!(created["state"].as_str(), None | Some("ACTIVE" | "INACTIVE")) {
        return Some(("VALIDATION_ERROR", "state: it must be ACTIVE or INACTIVE.".into()));
    }
    let unknown = created.as_object()?.keys().find(|field| !FIELDS.contains(&field.as_str()))?;
    Some(("ILLEGAL_FIELD", format!("{unknown}: a video has no such field.")))
}

pub(super) async fn read(State(brightcove): State<Brightcove>, Path((account, id)): Path<(String, String)>) -> Response {
    let desk = brightcove.desk();
    let video = match id.strip_prefix("ref:") {
        Some(reference) => desk.referred(reference),
        None => desk.videos.get(&id),
    };
    match video {
        Some(video) => Json(video.json(&account)).into_response(),
        None => absent(),
    }
}

pub(super) async fn delete(State(brightcove): State<Brightcove>, Path((_, id)): Path<(String, String)>) -> Response {
    match brightcove.desk().videos.remove(&id) {
        Some(_) => StatusCode::NO_CONTENT.into_response(),
        None => absent(),
    }
}

fn absent() -> Response {
    Api::Cms.refuse(StatusCode::NOT_FOUND, "RESOURCE_NOT_FOUND", "There is no such video.")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_video_has_a_name_and_known_fields() {
        let code = |created: Value| fault(&created).map(|(code, _)| code);
        assert_eq!(code(json!({"name": "Office Perks", "tags": ["a"], "state": "INACTIVE"})), None);
        assert_eq!(code(json!({"name": "  "})), Some("VALIDATION_ERROR"));
        assert_eq!(code(json!({"name": "x", "state": "GONE"})), Some("VALIDATION_ERROR"));
        assert_eq!(code(json!({"name": "x", "title": "y"})), Some("ILLEGAL_FIELD"));
    }
}
