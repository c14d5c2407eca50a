//! The OpenAPI document, held to the events, to the functions' answers and to its own examples.

mod description;

use std::{collections::BTreeMap, fs, path::Path};

use local::parameters;
use sam::{Deployment, Template};
use serde_json::{Value, json};

use self::description::Description;
use crate::{house::root, identity::fixture::start, response::Response};

/// The description of the project's template.
pub fn described() -> Description {
    let template = Template::read(&root().join("template.yaml")).unwrap();
    let deployment = Deployment::local("http://127.0.0.1:3000", Path::new("master.key"));
    let stack = template.stack(&parameters(&template, &BTreeMap::new()), &deployment).unwrap();
    Description::new(rampway::openapi::document(&stack, "http://127.0.0.1:3000/Prod"))
}

#[test]
fn every_event_s_route_status_and_code_is_described() {
    let (description, mut cases) = (described(), 0);
    for folder in fs::read_dir(root().join("events")).unwrap() {
        for entry in fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.display().to_string();
            let json = |path: &str| -> Value { serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap() };
            let (event, answer) = (json(&name), name.strip_suffix(".json").map(|stem| format!("{stem}.answer.json")).unwrap());
            if name.ends_with(".answer.json") || event.get("httpMethod").is_none() {
                continue;
            }
            let answer = json(&answer);
            // An authorizer's answer is API Gateway's to read.
            if answer.get("statusCode").is_some() {
                cases += 1;
                assert_eq!(description.check_response(&event, &answer).err(), None, "{name}");
            }
        }
    }
    assert!(cases > 90, "{cases} events");
}

#[test]
fn every_example_is_valid() {
    let examples = described().examples();
    for (example, errors) in &examples {
        assert_eq!(errors, &[""; 0], "{example}");
    }
    assert!(examples.len() > 100, "{} examples", examples.len());
}

#[test]
fn what_is_not_described_is_found() {
    let description = described();
    let event = |method: &str, body: &str| {
        let headers = json!({"Content-Type": "application/json"});
        json!({"httpMethod": method, "resource": "/auth/init", "headers": headers, "body": body})
    };
    let answer = |status: u16, body: Value| json!({"statusCode": status, "headers": {"Content-Type": "application/json"}, "body": body});
    let good = json!({"transcoder_response": "Transcoder Initialization successful", "smart_token": "e.e.e"});
    let credentials = r#"{"client_id": "demo", "client_secret": "secret"}"#;
    let check = |event: &Value, answer: &Value| {
        description.check_request(event)?;
        description.check_response(event, answer)?;
        description.check_body(event, answer)
    };
    assert_eq!(check(&event("POST", credentials), &answer(200, good.clone())), Ok(()));
    let more = json!({"transcoder_response": "Transcoder Initialization successful", "smart_token": "e.e.e", "more": 1});
    let in_text = answer(200, good.clone()).to_string().replace("application/json", "text/plain");
    for (event, answer, reason) in [
        (event("POST", "{}"), answer(200, good.clone()), "\"client_secret\" is a required property"),
        (event("GET", credentials), answer(200, good.clone()), "GET /auth/init is not described"),
        (event("POST", credentials), answer(201, good.clone()), "status 201 is not described"),
        (event("POST", credentials), answer(200, more), "('more' was unexpected)"),
        (event("POST", credentials), answer(401, json!({"code": "S012"})), "\"message\" is a required property"),
        (event("POST", credentials), answer(401, json!({"code": "E006", "message": "m"})), "E006 is not described"),
        (event("POST", credentials), serde_json::from_str(&in_text).unwrap(), "text/plain is not described"),
    ] {
        let found = check(&event, &answer).unwrap_err();
        assert!(found.contains(reason), "{found}");
    }
}

#[tokio::test]
async fn the_document_is_served_beside_the_stage() {
    let fixture = start(1).await;
    let (address, _) = fixture.cloud.api().rsplit_once("/Prod").unwrap();
    let request = fixture.client.get(format!("{address}/openapi.json")).header("origin", "https://editor.example");
    let response = Response::to(request).await;
    assert_eq!((response.status, response.header("content-type")), (200, Some("application/json")));
    assert_eq!(response.header("access-control-allow-origin"), Some("*"));
    let mut expected = described().into_document();
    expected["servers"] = json!([{"url": fixture.cloud.api()}]);
    assert_eq!(response.body, expected);
}
