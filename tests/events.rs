//! Every event under `events/`, given to its function, gets the answer that lies beside it.

use std::{fs, path::Path};

use serde_json::Value;
use shared::identity::Kind;

use crate::identity::suite::initialised;

const FUNCTIONS: [(&str, &str); 5] = [
    ("auth_token", "AuthTokenFunction"),
    ("id_api", "IdApiFunction"),
    ("init_token", "InitTokenFunction"),
    ("sm_proxy", "SmProxyFunction"),
    ("usage", "UsageFunction"),
];

#[tokio::test]
async fn every_event_gets_the_answer_that_is_promised() {
    let (running, token) = initialised(1).await;
    let seed = running.suite.credentials().unwrap();
    let form = format!("grant_type=client_credentials&client_id={}&client_secret={}", seed.client_id, seed.client_secret.expose());
    let access = running.post_text("/token", form).await.body["access_token"].as_str().unwrap().to_owned();
    let id = running.mint(Kind::Maintained, "1005", 1).await.remove(0);
    let expired = expired(&running.signing_key().await, &token);
    let given = [
        ("${CLIENT_ID}", seed.client_id.as_str()),
        ("${CLIENT_SECRET}", seed.client_secret.expose()),
        ("${SMART_TOKEN}", &token),
        ("${EXPIRED_TOKEN}", &expired),
        ("${ACCESS_TOKEN}", &access),
        ("${RAMPID}", &id),
        ("${TARGET}", "1006"),
    ];
    let events = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events");
    let (mut cases, mut faults) = (0, Vec::new());
    for (folder, function) in FUNCTIONS {
        for entry in fs::read_dir(events.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.display().to_string();
            if name.ends_with(".answer.json") {
                continue;
            }
            let mut event = fs::read_to_string(&path).unwrap();
            for (placeholder, value) in given {
                event = event.replace(placeholder, value);
            }
            let expected: Value = serde_json::from_str(&fs::read_to_string(name.replace(".json", ".answer.json")).unwrap()).unwrap();
            let event: Value = serde_json::from_str(&event).unwrap();
            let mut answer = match running.suite.invoke(function, &event).await {
                Ok(answer) => answer,
                Err(error) => {
                    faults.push(format!("{name}: {error}"));
                    continue;
                }
            };
            if let Some(body) = answer["body"].as_str() {
                answer["body"] = serde_json::from_str(body).unwrap();
            }
            if !holds(&expected, &answer, true) {
                faults.push(format!("{name}:\n  promised {expected}\n  got      {answer}"));
            }
            cases += 1;
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(cases > 30, "{cases} events");
}

/// Whether an answer is as promised: `"*"` stands for anything, and an answer's headers may be more than those named.
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
    promised.iter().all(|(name, value)| answer.iter().any(|(other, found)| name.eq_ignore_ascii_case(other) && holds(value, found, false)))
}

fn expired(key: &shared::crypto::jws::SigningKey, token: &str) -> String {
    let payload = shared::encoding::from_base64url(token.split('.').nth(1).unwrap()).unwrap();
    let mut claims: Value = serde_json::from_slice(&payload).unwrap();
    claims["exp"] = (claims["iat"].as_u64().unwrap() - 60).into();
    key.sign(&claims)
}
