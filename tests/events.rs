//! Every event under `events/`, sent to its function, gets the answer in the file beside it.

mod uploads;

use std::{fs, path::Path};

use local::Error;
use serde_json::Value;
use shared::{crypto::sha256, encoding::hex, identity::Kind};

use self::uploads::Callers;
use crate::{identity::fixture::start_with, openapi::described};

const FUNCTIONS: [(&str, &str); 10] = [
    ("auth_token", "AuthTokenFunction"),
    ("create_video", "CreateVideoFunction"),
    ("id_api", "IdApiFunction"),
    ("ingest", "IngestFunction"),
    ("init_token", "InitTokenFunction"),
    ("sign_upload", "SignUploadFunction"),
    ("sm_proxy", "SmProxyFunction"),
    ("upload_authorizer", "UploadAuthorizerFunction"),
    ("upload_reaper", "UploadReaperFunction"),
    ("usage", "UsageFunction"),
];

#[tokio::test]
async fn every_event_gets_its_promised_answer() {
    let callers = Callers::new();
    let fixture = start_with(1, callers.parameters()).await;
    let token = fixture.init().await;
    let seed = &fixture.seed.credentials;
    let form = format!("grant_type=client_credentials&client_id={}&client_secret={}", seed.client_id, seed.client_secret.expose());
    let access = fixture.post_text("/token", form).await.body["access_token"].as_str().unwrap().to_owned();
    let id = fixture.mint(Kind::Maintained, "1005", 1).await.remove(0);
    let expired = expired(&fixture.signing_key().await, &token);
    let mut placeholders = vec![
        ("CLIENT_ID".to_owned(), seed.client_id.clone()),
        ("CLIENT_SECRET".to_owned(), seed.client_secret.expose().to_owned()),
        ("SMART_TOKEN".to_owned(), token),
        ("EXPIRED_TOKEN".to_owned(), expired),
        ("ACCESS_TOKEN".to_owned(), access),
        ("RAMPID".to_owned(), id),
        ("TARGET".to_owned(), "1006".to_owned()),
    ];
    placeholders.extend(callers.placeholders());
    placeholders.extend(uploads::placeholders(&fixture, &callers).await);
    let events = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events");
    assert_eq!(fs::read_dir(&events).unwrap().count(), FUNCTIONS.len(), "the folders of events, and the functions in FUNCTIONS");
    let description = described();
    let (mut cases, mut failures) = (0, Vec::new());
    for (folder, function) in FUNCTIONS {
        for entry in fs::read_dir(events.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.display().to_string();
            if name.ends_with(".answer.json") {
                continue;
            }
            let event = filled(&path, &placeholders);
            let expected = filled(Path::new(&name.replace(".json", ".answer.json")), &placeholders);
            let answer = match fixture.cloud.invoke(function, &event).await {
                Ok(answer) => with_parsed_body(answer),
                // An authorizer refuses an unknown caller by an error.
                Err(Error::Function { payload, .. }) => serde_json::from_str(&payload).unwrap_or_else(|_| payload.into()),
                Err(error) => {
                    failures.push(format!("{name}: {error}"));
                    continue;
                }
            };
            if !matches_promise(&expected, &answer, true) {
                failures.push(format!("{name}:\n  promised {expected}\n  got      {answer}"));
            }
            // An authorizer's answer is API Gateway's to read, and a schedule's event has no route.
            if let Some(status) = answer["statusCode"].as_u64() {
                let described = description.check_response(&event, &answer).and_then(|()| description.check_body(&event, &answer));
                let described = if status < 300 { described.and_then(|()| description.check_request(&event)) } else { described };
                failures.extend(described.err().map(|failure| format!("{name}: {failure}")));
            }
            cases += 1;
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(cases > 100, "{cases} events");
}

/// A file with its placeholders replaced. `${HASH}` is the hash of the event's own canonical
/// request.
fn filled(path: &Path, placeholders: &[(String, String)]) -> Value {
    let text = fs::read_to_string(path).unwrap();
    let text = placeholders.iter().fold(text, |text, (placeholder, value)| text.replace(&format!("${{{placeholder}}}"), value));
    let json = |text: &str| -> Value { serde_json::from_str(text).unwrap_or_else(|error| panic!("{}: {error}", path.display())) };
    let filled = match json(&text)["queryStringParameters"]["canonical_request"].as_str() {
        Some(request) => text.replace("${HASH}", &hex(&sha256(request.as_bytes()))),
        None => text,
    };
    assert!(!filled.contains("${"), "{} has an unknown placeholder", path.display());
    json(&filled)
}

/// An answer with its body parsed if it is JSON. Other bodies stay text.
fn with_parsed_body(mut answer: Value) -> Value {
    let is_json = answer["headers"]["Content-Type"].as_str().is_some_and(|media_type| media_type.starts_with("application/json"));
    if let Some(body) = answer["body"].as_str().filter(|_| is_json) {
        answer["body"] = serde_json::from_str(body).unwrap();
    }
    answer
}

/// Whether an answer is as promised. `"*"` matches any value except null. An answer may have
/// headers and outermost members that are not promised; a header promised as `null` must be absent.
fn matches_promise(promised: &Value, answer: &Value, outermost: bool) -> bool {
    match (promised, answer) {
        (Value::String(any), _) if any == "*" => !answer.is_null(),
        (Value::Object(promised), Value::Object(answer)) => {
            let more = outermost || promised.len() == answer.len();
            more && promised.iter().all(|(name, value)| {
                answer.get(name).is_some_and(|answer| {
                    if name == "headers" { headers_match(value, answer) } else { matches_promise(value, answer, false) }
                })
            })
        }
        (Value::Array(promised), Value::Array(answer)) => {
            promised.len() == answer.len() && promised.iter().zip(answer).all(|(promised, answer)| matches_promise(promised, answer, false))
        }
        _ => promised == answer,
    }
}

fn headers_match(promised: &Value, answer: &Value) -> bool {
    let (Some(promised), Some(answer)) = (promised.as_object(), answer.as_object()) else { return false };
    promised.iter().all(|(name, value)| {
        let found = answer.iter().find(|(other, _)| name.eq_ignore_ascii_case(other)).map(|(_, found)| found);
        found.map_or(value.is_null(), |found| matches_promise(value, found, false))
    })
}

fn expired(key: &shared::crypto::jws::SigningKey, token: &str) -> String {
    let payload = shared::encoding::from_base64url(token.split('.').nth(1).unwrap()).unwrap();
    let mut claims: Value = serde_json::from_slice(&payload).unwrap();
    claims["exp"] = (claims["iat"].as_u64().unwrap() - 60).into();
    key.sign(&claims)
}
