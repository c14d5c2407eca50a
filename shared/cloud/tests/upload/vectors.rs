//! The contract's genuine and hostile requests, through the handler and the table. The documents
//! are not part of the project.

use std::{fs, path::Path};

use aws_sdk_dynamodb::types::AttributeValue;
use local::Call;
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::fixture::{Fixture, request};

fn vectors(name: &str) -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors").join(name);
    let text = fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("SKIPPED: there is no {}", path.display());
    }
    text.map(|text| serde_json::from_str(&text).unwrap())
}

fn seconds(value: &Value) -> Option<u64> {
    let time = OffsetDateTime::parse(value.as_str()?, &Rfc3339).unwrap();
    u64::try_from(time.unix_timestamp()).ok()
}

fn s(value: &str) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn n(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

struct Case<'a> {
    fixture: &'a Fixture,
    sessions: &'a Value,
    vector: &'a Value,
}

impl Case<'_> {
    /// Puts the session in the case's state.
    async fn prepare(&self) {
        let sessions = self.sessions.as_object().unwrap().values();
        let Some(session) = sessions.clone().find(|session| session["video_id"] == self.vector["video_id"]) else { return };
        let video = session["video_id"].as_str().unwrap();
        let patch = &self.vector["session_patch"];
        let named = self.vector.to_string().contains("uploadId=").then(|| session["upload_id"].as_str().unwrap());
        let upload = patch["upload_id"].as_str().or(named);
        let max_parts = self.vector["config_patch"]["max_parts"].as_u64().unwrap_or(10_000);
        for (name, value) in [
            ("state", Some(s(patch["state"].as_str().unwrap_or("open")))),
            ("upload_id", upload.map(s)),
            ("last_part_at", seconds(&patch["last_part_at"]).map(n)),
            ("listed", Some(AttributeValue::Bool(patch["listed"] == true))),
            ("expires_at", seconds(&session["expires_at"]).map(n)),
            ("max_parts", Some(n(max_parts))),
        ] {
            self.fixture.patch(video, name, value).await;
        }
    }

    /// The query, as API Gateway decodes it.
    fn query(&self) -> Value {
        let mut query: serde_json::Map<String, Value> = serde_json::Map::new();
        let mut add = |name: &str, value: String| {
            query.entry(name).or_insert_with(|| json!([])).as_array_mut().unwrap().push(value.into());
        };
        let text = |name: &str| self.vector[name].as_str().unwrap_or_default();
        for (name, value) in form_urlencoded::parse((text("raw_query").to_owned() + text("sign_query")).as_bytes()) {
            add(&name, value.into_owned());
        }
        for pairs in [&self.vector["query"], &self.vector["extra_query"]].into_iter().filter_map(Value::as_object) {
            for (name, value) in pairs {
                add(name, value.as_str().unwrap_or_default().into());
            }
        }
        let generate = &self.vector["generate"];
        if let Some(count) = generate["count"].as_u64() {
            add(generate["param"].as_str().unwrap(), generate["repeat"].as_str().unwrap().repeat(usize::try_from(count).unwrap()));
        }
        query.into()
    }

    async fn outcome(&self) -> (u64, String) {
        self.prepare().await;
        let method = self.vector["http_method"].as_str().unwrap_or("GET");
        let video = self.vector["video_id"].as_str().unwrap();
        let query = json!({"multiValueQueryStringParameters": self.query()});
        let request = request(method, "/sign/{videoId}", &[("videoId", video)], &query);
        let response = self.fixture.sign(&request, seconds(&self.vector["now"]).unwrap()).await;
        if response.status == 200 { (200, response.text) } else { response.error() }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn genuine_requests_are_signed_and_hostile_ones_are_not() {
    let (Some(genuine), Some(hostile)) = (vectors("sigv4_upload.json"), vectors("sigv4_upload_hostile.json")) else { return };
    let fixture = Fixture::new().await;
    let sessions = &genuine["sessions"];
    for session in sessions.as_object().unwrap().values() {
        fixture.adopt(session).await;
    }
    let case = |vector| Case { fixture: &fixture, sessions, vector };
    for one in genuine["cases"].as_array().unwrap() {
        assert_eq!(case(one).outcome().await, (200, one["signature"].as_str().unwrap().into()), "{}", one["id"]);
    }
    for one in hostile["must_accept"].as_array().unwrap() {
        assert_eq!(case(one).outcome().await, (200, one["expect"]["signature"].as_str().unwrap().into()), "{}", one["id"]);
    }
    let refused = hostile["must_refuse"].as_array().unwrap();
    for one in refused {
        let found = case(one).outcome().await;
        assert_ne!(found.0, 200, "{}", one["id"]);
        // API Gateway decodes a raw query first, so the reason may differ; another method is
        // refused by the route.
        if one["raw_query"].is_null() && one["http_method"].is_null() {
            let expected = (one["expect"]["status"].as_u64().unwrap(), one["expect"]["error"].as_str().unwrap().to_owned());
            assert_eq!(found, expected, "{}", one["id"]);
        }
    }
    assert_eq!(refused.len(), 89);
}

impl Fixture {
    /// Creates the upload of a vector.
    async fn adopt(&self, session: &Value) {
        let text = |name: &str| session[name].as_str().unwrap();
        self.brightcove.set_next_video_id(text("video_id").parse().unwrap());
        let urls = json!({
            "bucket": text("bucket"), "object_key": text("object_key"), "access_key_id": text("access_key_id"),
            "secret_access_key": text("secret_access_key"), "session_token": text("session_token"),
            "signed_url": "https://signed.example", "api_request_url": "s3://a/b"
        });
        self.brightcove.refuse(Call::UploadUrls, 1, 200, &urls.to_string());
        let upload = self.upload(text("video_id")).await;
        assert_eq!(upload["videoId"], text("video_id"));
    }
}
