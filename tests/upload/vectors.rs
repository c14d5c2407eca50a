//! The contract's genuine and hostile requests over HTTP, with their times moved to today. The
//! documents are not part of the project.

use std::{collections::HashMap, fs, path::Path};

use cloud::vault::{Item, flag, n, s};
use reqwest::{Method, Url};
use serde_json::{Value, json};
use shared::{crypto::sha256, encoding::hex};
use time::{Duration, OffsetDateTime, PrimitiveDateTime, format_description::well_known::Rfc3339, macros::format_description};

use super::{
    fixture::{Fixture, start},
    page::amz_date,
};
use crate::response::Response;

fn vectors(name: &str) -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors").join(name);
    let text = fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("SKIPPED: {} does not exist", path.display());
    }
    text.map(|text| serde_json::from_str(&text).expect("vectors are JSON"))
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// The duration by which the times of a case are moved to today.
struct Shift(Duration);

impl Shift {
    fn of(case: &Value) -> Self {
        let then = OffsetDateTime::parse(text(case, "now"), &Rfc3339).expect("a case has a time");
        Self(OffsetDateTime::now_utc() - then)
    }

    /// A moved instant in Unix seconds.
    fn seconds(&self, instant: &Value) -> Option<u64> {
        let instant = OffsetDateTime::parse(instant.as_str()?, &Rfc3339).expect("an instant") + self.0;
        u64::try_from(instant.unix_timestamp()).ok()
    }

    /// A text with its instants moved. Invalid ones, such as one in a thirteenth month, stay.
    fn text(&self, text: &str) -> String {
        let mut moved = text.to_owned();
        let mut days = HashMap::new();
        for (at, _) in text.char_indices() {
            let Some(found) = text.get(at..at + 16) else { continue };
            let format = format_description!("[year][month][day]T[hour][minute][second]Z");
            let Ok(instant) = PrimitiveDateTime::parse(found, format) else { continue };
            let today = amz_date(instant.assume_utc() + self.0);
            days.insert(found[..8].to_owned(), today[..8].to_owned());
            moved = moved.replace(found, &today);
        }
        for (day, today) in days {
            for end in ["/", "%2F"] {
                moved = moved.replace(&format!("{day}{end}"), &format!("{today}{end}"));
            }
        }
        moved
    }
}

/// The query of a case. If its hash of the canonical request was right, it is right again.
fn query(case: &Value) -> String {
    let moved = Shift::of(case);
    let mut url = Url::parse("http://localhost/").expect("a URL");
    for pairs in [&case["query"], &case["extra_query"]].into_iter().filter_map(Value::as_object) {
        url.query_pairs_mut().extend_pairs(pairs.iter().map(|(name, value)| (name, moved.text(value.as_str().unwrap_or_default()))));
    }
    let generate = &case["generate"];
    if let Some(count) = generate["count"].as_u64() {
        let long = text(generate, "repeat").repeat(usize::try_from(count).expect("it fits"));
        url.query_pairs_mut().append_pair(text(generate, "param"), &long);
    }
    let raw = moved.text(text(case, "raw_query")) + &moved.text(text(case, "sign_query"));
    let query = [url.query().filter(|query| !query.is_empty()), Some(&*raw).filter(|raw| !raw.is_empty())];
    // Clients escape a space as `%20`, not as a plus sign.
    let query = query.into_iter().flatten().map(|query| query.replace('+', "%20")).collect::<Vec<_>>().join("&");
    let canonical_request = |query: &str| {
        form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "canonical_request").map(|(_, value)| value.into_owned())
    };
    let before = case["query"]["canonical_request"]
        .as_str()
        .map(str::to_owned)
        .or_else(|| canonical_request(&(text(case, "raw_query").to_owned() + text(case, "sign_query"))));
    match (before, canonical_request(&query)) {
        (Some(before), Some(after)) => query.replace(&hex(&sha256(before.as_bytes())), &hex(&sha256(after.as_bytes()))),
        _ => query,
    }
}

impl Fixture {
    /// Writes an upload of the vectors to the table, in the state of a case.
    async fn store_upload(&self, sessions: &Value, case: &Value) {
        let Some(session) = sessions.as_object().expect("sessions").values().find(|session| session["video_id"] == case["video_id"]) else {
            return;
        };
        let (video, moved, patch) = (text(session, "video_id"), Shift::of(case), &case["session_patch"]);
        let named = case.to_string().contains("uploadId=").then(|| text(session, "upload_id"));
        let vault = self.vault().await;
        let secret = json!({
            "secret_access_key": session["secret_access_key"], "session_token": session["session_token"], "api_request_url": "s3://a/b",
        });
        let label = format!("upload#{}#{video}", self.brightcove().account());
        let sealed = vault.seal(&label, secret.to_string().as_bytes()).await.expect("the vault seals");
        let mut item: Item = [
            ("item", s(format!("upload#{video}"))),
            ("state", s(patch["state"].as_str().unwrap_or("open"))),
            ("name", s("a.webm")),
            ("principal", s("visitor")),
            ("bucket", s(text(session, "bucket"))),
            ("object_key", s(text(session, "object_key"))),
            ("access_key_id", s(text(session, "access_key_id"))),
            ("created_at", n(1)),
            ("expires_at", n(moved.seconds(&session["expires_at"]).expect("an expiry"))),
            ("max_parts", n(case["config_patch"]["max_parts"].as_u64().unwrap_or(10_000))),
            ("version", n(1)),
            ("sealed", sealed),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        let more = [
            ("upload_id", patch["upload_id"].as_str().or(named).map(s)),
            ("last_part_at", moved.seconds(&patch["last_part_at"]).map(n)),
            ("listed", (patch["listed"] == true).then(|| flag(true))),
        ];
        item.extend(more.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        vault.dynamo().put_item().table_name(self.table()).set_item(Some(item)).send().await.expect("the item is written");
    }

    async fn sign_case(&self, sessions: &Value, case: &Value) -> Response {
        self.store_upload(sessions, case).await;
        let method = case["http_method"].as_str().map_or(Method::GET, |method| method.parse().expect("a method"));
        let url = format!("{}/sign/{}?{}", self.cloud.api(), text(case, "video_id"), query(case));
        Response::to(self.client.request(method, url)).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn genuine_requests_are_signed_and_hostile_ones_are_not() {
    let (Some(genuine), Some(hostile)) = (vectors("sigv4_upload.json"), vectors("sigv4_upload_hostile.json")) else { return };
    let fixture = start(&[]).await;
    let sessions = &genuine["sessions"];
    let signed = |response: &Response| {
        response.status == 200 && response.text.len() == 64 && response.text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    for case in genuine["cases"].as_array().unwrap().iter().chain(hostile["must_accept"].as_array().unwrap()) {
        let response = fixture.sign_case(sessions, case).await;
        assert!(signed(&response), "{}: {} {}", case["id"], response.status, response.text);
    }
    let refused = hostile["must_refuse"].as_array().unwrap();
    for case in refused {
        let response = fixture.sign_case(sessions, case).await;
        assert!(!signed(&response), "{} is signed", case["id"]);
        // API Gateway decodes the query. A broken escape or invalid UTF-8 then differs from the
        // text that was hashed.
        let decoded = ["not-utf8", "broken-escape"].contains(&text(case, "id"));
        let code = if decoded { "hash_mismatch" } else { text(&case["expect"], "error") };
        assert_eq!(response.status_and_code(), format!("{} {code}", case["expect"]["status"]), "{}: {}", case["id"], response.text);
    }
    assert_eq!(refused.len(), 89);
    fixture.cloud.stop().await;
}
