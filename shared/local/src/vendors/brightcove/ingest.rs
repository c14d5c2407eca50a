//! Dynamic Ingest: upload URLs and ingest requests.

use std::time::Instant;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{error_response::Api, job::Job, jobs, stand_in::Brightcove};

/// The vendor's limit on running jobs of an account: the lower of its two documented numbers.
const MAX_RUNNING_JOBS: usize = 100;

/// The fields of an ingest request.
const INGEST_FIELDS: [&str; 10] = [
    "audio_tracks",
    "callbacks",
    "capture-images",
    "forensic_watermarking",
    "images",
    "master",
    "priority",
    "profile",
    "text_tracks",
    "transcriptions",
];

pub(super) async fn upload_urls(
    State(brightcove): State<Brightcove>,
    Path((account, video, source)): Path<(String, String, String)>,
) -> Response {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if source.is_empty() || !source.bytes().all(allowed) {
        return Api::Ingest.error(StatusCode::BAD_REQUEST, "BAD_VALUE", "The source name may not need to be escaped in a URL.");
    }
    let grant = brightcove.bucket().issue(format!("{account}/{video}/{}/{source}", Uuid::new_v4()));
    let url = brightcove.bucket().object_url(&grant.key);
    let response = Json(json!({
        "bucket": grant.bucket,
        "object_key": grant.key,
        "access_key_id": grant.access_key_id,
        "secret_access_key": grant.secret_access_key.expose(),
        "session_token": grant.session_token.expose(),
        // No client here uses it. The bucket accepts no presigned URL.
        "signed_url": format!("{url}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=86400"),
        "api_request_url": url,
    }));
    brightcove.state().grants.insert(video, grant);
    response.into_response()
}

pub(super) async fn request(State(brightcove): State<Brightcove>, Path((_, video)): Path<(String, String)>, body: Bytes) -> Response {
    let error = |status, code, message: &str| Api::Ingest.error(status, code, message);
    let Ok(request @ Value::Object(_)) = serde_json::from_slice::<Value>(&body) else {
        return error(StatusCode::BAD_REQUEST, "UNABLE_TO_PARSE_JSON", "The body is no JSON object.");
    };
    if let Some(message) = validation_error(&request) {
        return error(StatusCode::UNPROCESSABLE_ENTITY, "VALIDATION_ERROR", &message);
    }
    let job = {
        let mut state = brightcove.state();
        let now = Instant::now();
        if !state.admit_ingest(&video, now) {
            return error(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS", "Too many ingest requests a minute for this video.");
        }
        let running = || state.jobs.iter().filter(|job| job.is_running());
        if running().any(|job| job.video == video) {
            return error(StatusCode::CONFLICT, "CONFLICT", "The video has a job that runs.");
        }
        if running().count() >= MAX_RUNNING_JOBS {
            return error(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS", "Too many jobs at once.");
        }
        let job = Job::new(video, request);
        state.jobs.push(job.clone());
        job
    };
    let id = job.id.clone();
    jobs::start(&brightcove, job);
    Json(json!({"id": id})).into_response()
}

/// The message of an invalid ingest request.
fn validation_error(request: &Value) -> Option<String> {
    if request["master"]["url"].as_str().is_none_or(str::is_empty) {
        return Some("master.url: it must be there.".into());
    }
    if request["capture-images"] == true && !request["images"].is_null() {
        return Some("capture-images: there may not be images beside it.".into());
    }
    if !matches!(request["priority"].as_str(), None | Some("low" | "normal")) {
        return Some("priority: it must be low or normal.".into());
    }
    if !matches!(request["profile"], Value::Null | Value::String(_)) {
        return Some("profile: it must be text.".into());
    }
    let callbacks = request["callbacks"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_url = |callback: &Value| callback.as_str().is_some_and(|url| url.starts_with("http") && !url.ends_with('/'));
    if !(request["callbacks"].is_null() || request["callbacks"].is_array()) || !callbacks.iter().all(is_url) {
        return Some("callbacks: they must be addresses without a slash at the end.".into());
    }
    let unknown = request.as_object()?.keys().find(|field| !INGEST_FIELDS.contains(&field.as_str()))?;
    Some(format!("{unknown}: an ingest request has no such field."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ingest_request_names_its_master_and_nothing_unknown() {
        let master = json!({"url": "https://example.org/a/b"});
        let is_valid = |more: Value| {
            let mut request = json!({"master": master});
            request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            validation_error(&request).is_none()
        };
        assert!(is_valid(
            json!({"profile": "multi-platform-standard-static", "capture-images": true, "callbacks": ["https://a.example/b"]})
        ));
        assert!(!is_valid(json!({"master": {}})));
        assert!(!is_valid(json!({"callbacks": ["https://a.example/"]})));
        assert!(!is_valid(json!({"callbacks": "https://a.example/b"})));
        assert!(!is_valid(json!({"capture-images": true, "images": []})));
        assert!(!is_valid(json!({"priority": "high"})));
        assert!(!is_valid(json!({"video": 1})));
    }
}
