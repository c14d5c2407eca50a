//! Every event under `events/`, given to its function, gets the answer that lies beside it.

mod uploads;

use std::{fs, path::Path};

use local::Error;
use serde_json::Value;
use shared::{crypto::sha256, encoding::hex, identity::Kind};

use self::uploads::Callers;
use crate::identity::suite::start_with;

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
async fn every_event_gets_the_answer_that_is_promised() {
    let callers = Callers::new();
    let running = start_with(1, callers.parameters()).await;
    let token = running.init().await;
    let seed = &running.seed.credentials;
    let form = format!("grant_type=client_credentials&client_id={}&client_secret={}", seed.client_id, seed.client_secret.expose());
    let access = running.post_text("/token", form).await.body["access_token"].as_str().unwrap().to_owned();
    let id = running.mint(Kind::Maintained, "1005", 1).await.remove(0);
    let expired = expired(&running.signing_key().await, &token);
    let mut given = vec![
        ("CLIENT_ID".to_owned(), seed.client_id.clone()),
        ("CLIENT_SECRET".to_owned(), seed.client_secret.expose().to_owned()),
        ("SMART_TOKEN".to_owned(), token),
        ("EXPIRED_TOKEN".to_owned(), expired),
        ("ACCESS_TOKEN".to_owned(), access),
        ("RAMPID".to_owned(), id),
        ("TARGET".to_owned(), "1006".to_owned()),
    ];
    given.extend(callers.given());
    given.extend(uploads::given(&running, &callers).await);
    let events = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events");
    assert_eq!(fs::read_dir(&events).unwrap().count(), FUNCTIONS.len(), "the functions with events, and those that get them");
    let (mut cases, mut faults) = (0, Vec::new());
    for (folder, function) in FUNCTIONS {
        for entry in fs::read_dir(events.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.display().to_string();
            if name.ends_with(".answer.json") {
                continue;
            }
            let event = filled(&path, &given);
            let expected = filled(Path::new(&name.replace(".json", ".answer.json")), &given);
            let answer = match running.suite.invoke(function, &event).await {
                Ok(answer) => read(answer),
                // How an authorizer says no.
                Err(Error::Function { answer, .. }) => serde_json::from_str(&answer).unwrap_or_else(|_| answer.into()),
                Err(error) => {
                    faults.push(format!("{name}: {error}"));
                    continue;
                }
            };
            if !holds(&expected, &answer, true) {
                faults.push(format!("{name}:\n  promised {expected}\n  got      {answer}"));
            }
            cases += 1;
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(cases > 100, "{cases} events");
}

/// A file with what its placeholders stand for. `${HASH}` is of the request that the event itself wants signed.
fn filled(path: &Path, given: &[(String, String)]) -> Value {
    let text = fs::read_to_string(path).unwrap();
    let text = given.iter().fold(text, |text, (placeholder, value)| text.replace(&format!("${{{placeholder}}}"), value));
    let json = |text: &str| -> Value { serde_json::from_str(text).unwrap_or_else(|error| panic!("{}: {error}", path.display())) };
    let filled = match json(&text)["queryStringParameters"]["canonical_request"].as_str() {
        Some(request) => text.replace("${HASH}", &hex(&sha256(request.as_bytes()))),
        None => text,
    };
    assert!(!filled.contains("${"), "{} has a placeholder that stands for nothing", path.display());
    json(&filled)
}

/// An answer with a body of JSON read; other bodies stay text.
fn read(mut answer: Value) -> Value {
    let is_json = answer["headers"]["Content-Type"].as_str().is_some_and(|media_type| media_type.starts_with("application/json"));
    if let Some(body) = answer["body"].as_str().filter(|_| is_json) {
        answer["body"] = serde_json::from_str(body).unwrap();
    }
    answer
}

/// Whether an answer is as promised: `"*"` stands for anything, and an answer's headers may be more than those named, except those that
/// are promised to be `null`: not there.
fn holds(promised: &Value, answer: &Value, outermost: bool) -> bool {
    match (promised, answer) {
        (Value::String(any), _) if any == "*" => !answer.is_null(),
        (Value::Object(promised), Value::Object(answer)) => {
            let more = outermost || promised.len() == answer.len();
            more && promised.iter().all(|(name, value)| {
                answer.get(name).is_some_and(|answer| if name == "headers" { headers(value, answer) } else { holds(value, answer, false) })
            })
        }
        (Value::Array(promised), Value::Array(answer)) => {
            promised.len() == answer.len() && promised.iter().zip(answer).all(|(promised, answer)| holds(promised, answer, false))
        }
        _ => promised == answer,
    }
}

fn headers(promised: &Value, answer: &Value) -> bool {
    let (Some(promised), Some(answer)) = (promised.as_object(), answer.as_object()) else { return false };
    promised.iter().all(|(name, value)| {
        let found = answer.iter().find(|(other, _)| name.eq_ignore_ascii_case(other)).map(|(_, found)| found);
        found.map_or(value.is_null(), |found| holds(value, found, false))
    })
}

fn expired(key: &shared::crypto::jws::SigningKey, token: &str) -> String {
    let payload = shared::encoding::from_base64url(token.split('.').nth(1).unwrap()).unwrap();
    let mut claims: Value = serde_json::from_slice(&payload).unwrap();
    claims["exp"] = (claims["iat"].as_u64().unwrap() - 60).into();
    key.sign(&claims)
}
