//! Dynamic Ingest: where to upload, and what to make of it.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Brightcove, job::Job, refusal::Api};

/// The vendor's bound on ingest requests a minute, a video.
const A_MINUTE: usize = 10;

/// The vendor's bound on jobs at once, the stricter of its two numbers.
const AT_ONCE: usize = 100;

/// What an ingest request may say.
const FIELDS: [&str; 10] = [
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
        return Api::Ingest.refuse(StatusCode::BAD_REQUEST, "BAD_VALUE", "The source name may not need to be escaped in a URL.");
    }
    let bucket = &brightcove.0.bucket;
    let grant = bucket.grants().issue(format!("{account}/{video}/{}/{source}", Uuid::new_v4()));
    let address = bucket.address(&grant.key);
    Json(json!({
        "bucket": grant.bucket,
        "object_key": grant.key,
        "access_key_id": grant.access_key_id,
        "secret_access_key": grant.secret_access_key.expose(),
        "session_token": grant.session_token.expose(),
        // Nobody here uses it, and this bucket takes no signature in a query.
        "signed_url": format!("{address}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=86400"),
        "api_request_url": address,
    }))
    .into_response()
}

pub(super) async fn request(State(brightcove): State<Brightcove>, Path((_, video)): Path<(String, String)>, body: Bytes) -> Response {
    let refuse = |status, code, message: &str| Api::Ingest.refuse(status, code, message);
    let Ok(request @ Value::Object(_)) = serde_json::from_slice::<Value>(&body) else {
        return refuse(StatusCode::BAD_REQUEST, "UNABLE_TO_PARSE_JSON", "The body is no JSON object.");
    };
    if let Some(message) = fault(&request) {
        return refuse(StatusCode::UNPROCESSABLE_ENTITY, "VALIDATION_ERROR", &message);
    }
    let job = {
        let mut desk = brightcove.desk();
        let now = Instant::now();
        if !passes(desk.ingests.entry(video.clone()).or_default(), now) {
            return refuse(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS", "Too many ingest requests a minute for this video.");
        }
        let running = || desk.jobs.iter().filter(|job| job.is_running());
        if running().any(|job| job.video == video) {
            return refuse(StatusCode::CONFLICT, "CONFLICT", "The video has a job that runs.");
        }
        if running().count() >= AT_ONCE {
            return refuse(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS", "Too many jobs at once.");
        }
        let job = Job::new(video, request);
        desk.jobs.push(job.clone());
        job
    };
    let id = job.id.clone();
    brightcove.begin(job);
    Json(json!({"id": id})).into_response()
}

fn passes(recent: &mut VecDeque<Instant>, now: Instant) -> bool {
    recent.retain(|before| now.duration_since(*before) < Duration::from_mins(1));
    let passes = recent.len() < A_MINUTE;
    if passes {
        recent.push_back(now);
    }
    passes
}

/// What is wrong with an ingest request.
fn fault(request: &Value) -> Option<String> {
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
    let is_address = |callback: &Value| callback.as_str().is_some_and(|url| url.starts_with("http") && !url.ends_with('/'));
    if !(request["callbacks"].is_null() || request["callbacks"].is_array()) || !callbacks.iter().all(is_address) {
        return Some("callbacks: they must be addresses without a slash at the end.".into());
    }
    let unknown = request.as_object()?.keys().find(|field| !FIELDS.contains(&field.as_str()))?;
    Some(format!("{unknown}: an ingest request has no such field."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ingest_request_names_its_master_and_nothing_unknown() {
        let master = json!({"url": "https://example.org/a/b"});
        let right = |more: Value| {
            let mut request = json!({"master": master});
            request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            fault(&request).is_none()
        };
        assert!(right(json!({"profile": "multi-platform-standard-static", "capture-images": true, "callbacks": ["https://a.example/b"]})));
        assert!(!right(json!({"master": {}})));
        assert!(!right(json!({"callbacks": ["https://a.example/"]})));
        assert!(!right(json!({"callbacks": "https://a.example/b"})));
        assert!(!right(json!({"capture-images": true, "images": []})));
        assert!(!right(json!({"priority": "high"})));
        assert!(!right(json!({"video": 1})));
    }
}
