//! Whatever body comes: a documented code and sentence, never a 500, nothing secret.

use serde_json::json;
use shared::identity::Kind;

use super::suite::{initialised, start};

#[tokio::test]
async fn every_malformed_body_has_its_answer() {
    let (running, token) = initialised(1).await;
    let secret = running.seed.credentials.client_secret.expose().to_owned();
    let deep = format!(r#"{{"smart_token":"{token}","transcode_data":{}1{}}}"#, "[".repeat(50_000), "]".repeat(50_000));
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", b"".into()),
        ("no JSON", b"hello".into()),
        ("half a JSON", br#"{"smart_token":"#.into()),
        ("an array", b"[]".into()),
        ("a number", b"7".into()),
        ("no UTF-8", b"{\"smart_\xff\xfe\":\"x\",\"transcode_data\":[]}".into()),
        ("missing token", br#"{"transcode_data":[]}"#.into()),
        ("missing data", format!(r#"{{"smart_token":"{token}"}}"#).into()),
        ("a token of another type", br#"{"smart_token":7,"transcode_data":[]}"#.into()),
        ("a doubled key", format!(r#"{{"smart_token":"{token}","smart_token":"{token}","transcode_data":[]}}"#).into()),
        ("both spellings of a key", br#"{"client_id":"a","clientID":"b","client_secret":"c","rpc":"refresh"}"#.into()),
        ("an unknown rpc", format!(r#"{{"smart_token":"{token}","transcode_data":[],"rpc":"drop"}}"#).into()),
        ("an rpc of another route", format!(r#"{{"smart_token":"{token}","transcode_data":[],"rpc":"init"}}"#).into()),
        ("an rpc of another type", br#"{"rpc":{}}"#.into()),
        ("data of another type", format!(r#"{{"smart_token":"{token}","transcode_data":{{}}}}"#).into()),
        ("an entry of another type", format!(r#"{{"smart_token":"{token}","transcode_data":[7]}}"#).into()),
        ("an entry without a target", format!(r#"{{"smart_token":"{token}","transcode_data":[{{"value":"x"}}]}}"#).into()),
        ("an entry without a value", format!(r#"{{"smart_token":"{token}","transcode_data":[{{"target":"1006"}}]}}"#).into()),
        (
            "an entry of both shapes",
            format!(r#"{{"smart_token":"{token}","transcode_data":[{{"target":"1006","value":"x","values":[]}}]}}"#).into(),
        ),
        ("a value of another type", format!(r#"{{"smart_token":"{token}","transcode_data":[{{"target":"1006","value":7}}]}}"#).into()),
        (
            "a doubled key in an entry",
            format!(r#"{{"smart_token":"{token}","transcode_data":[{{"target":"1006","target":"1007","value":"x"}}]}}"#).into(),
        ),
        ("deep nesting", deep.into()),
        ("refresh without a secret", br#"{"client_id":"demo","rpc":"refresh"}"#.into()),
    ];
    for (what, body) in bodies {
        let answer = running.post_text("/auth/request", body).await;
        assert_eq!(answer.refusal(), "400 E006", "{what}: {}", answer.text);
        assert!(answer.body["message"].as_str().is_some_and(|message| message.len() > 20), "{what}: {}", answer.text);
        assert!(!answer.text.contains(&token) && !answer.text.contains(&secret), "{what}: {}", answer.text);
    }
    for path in ["/auth/init", "/token/init", "/token/request"] {
        for body in ["", "hello", "{}", r#"{"client_id":7,"client_secret":"x"}"#, r#"{"client_id":"demo"}"#] {
            let answer = running.post_text(path, body).await;
            assert_eq!(answer.refusal(), "400 E006", "{path} {body}: {}", answer.text);
        }
    }
    // Still there, after all that.
    let id = running.mint(Kind::Maintained, "1005", 1).await.remove(0);
    assert_eq!(running.code(&token, &id, "1006").await, "none");
    let log = running.suite.log();
    assert!(log.contains("E006"), "refusals are logged");
    assert!(!log.contains(&token) && !log.contains(&secret) && !log.contains(&id), "and nothing secret with them");
}

#[tokio::test]
async fn bodies_over_the_limits_are_told_how_many_ids_fit() {
    let (running, token) = initialised(1).await;
    let values = |count| vec!["XY1005wXyWPB1SgpMUKIpzA0I3UaLEz-2lg0wFAr1PWK7FMhs"; count];
    // Quotes are escaped in the event, so the function's limit comes before the endpoint's.
    for count in [130_000, 250_000] {
        let body = json!({"smart_token": token, "transcode_data": [{"target": "1006", "values": values(count)}]});
        let answer = running.post("/auth/request", &body).await;
        assert_eq!(answer.refusal(), "413 E003", "{}", answer.text);
        assert!(answer.body["message"].as_str().unwrap().contains("ids"), "{}", answer.text);
    }
    // A body without quotes passes the event's limit, and not the endpoint's.
    let body = format!("{{\"smart_token\":\"{token}\",\"transcode_data\":[{}7]}}", " ".repeat(6_291_400));
    let answer = running.post_text("/auth/request", body).await;
    assert_eq!(answer.refusal(), "413 E003", "{}", answer.text);
}

#[tokio::test]
async fn methods_paths_and_origins_are_answered_by_the_gateway() {
    let running = start(1).await;
    let api = running.suite.api();
    let url = |path: &str| format!("{api}{path}");
    for (path, allowed) in [("/auth/init", "POST"), ("/auth/request", "POST"), ("/health", "GET"), ("/token", "POST"), ("/domains", "GET")]
    {
        let answer = running.send(running.client.delete(url(path))).await;
        assert_eq!((answer.refusal().as_str(), answer.headers["allow"].to_str().unwrap()), ("405 E006", allowed), "{path}");
    }
    assert_eq!(running.send(running.client.get(url("/nowhere"))).await.refusal(), "404 E006");
    assert_eq!(running.send(running.client.get(api.replace("/Prod", "/Test"))).await.status, 403);
    let preflight = running.client.request(reqwest::Method::OPTIONS, url("/auth/request")).header("origin", "https://page.example");
    let preflight = running.send(preflight).await;
    assert_eq!(preflight.status, 200);
    assert_eq!(preflight.headers["access-control-allow-origin"], "https://origin.invalid", "as the template says");
}

#[tokio::test]
async fn credentials_that_are_not_good_are_all_the_same() {
    let running = start(1).await;
    let mut bodies = vec![json!({"client_id": "demo", "client_secret": "wrong"}), json!({"client_id": "nobody", "client_secret": "wrong"})];
    bodies.push(json!({"client_id": "", "client_secret": ""}));
    bodies.push(json!({"client_id": "x".repeat(3000), "client_secret": "wrong"}));
    bodies.push(json!({"client_id": "partner", "client_secret": running.seed.credentials.client_secret.expose()}));
    let mut answers = Vec::new();
    for body in &bodies {
        for path in ["/auth/init", "/token/init", "/token/request"] {
            let answer = running.post(path, body).await;
            assert_eq!(answer.refusal(), "401 S012", "{path}: {}", answer.text);
            answers.push(answer.text);
        }
        let mut refresh = body.clone();
        refresh["rpc"] = "refresh".into();
        answers.push(running.post("/auth/request", &refresh).await.text);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    // A client's new secret ends the old one.
    let secret = running.admin.rotate_client("demo").await.unwrap();
    assert_eq!(running.post("/auth/init", &running.credentials()).await.refusal(), "401 S012");
    let renewed = json!({"clientID": "demo", "client_secret": secret.expose(), "httpMethod": "POST", "rpc": "init"});
    assert_eq!(running.post("/auth/init", &renewed).await.status, 200);
    // Somebody without a transcoder gets no keys.
    let secret = running.admin.rotate_client("partner").await.unwrap();
    let answer = running.post("/auth/init", &json!({"client_id": "partner", "client_secret": secret.expose()})).await;
    assert_eq!(answer.refusal(), "403 S003");
}

#[tokio::test]
async fn oauth_failures_have_oauth_s_form() {
    let running = start(1).await;
    let ask = async |form: &str| {
        let request = running.client.post(format!("{}/token", running.suite.api()));
        let answer = running.send(request.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned())).await;
        format!("{} {}", answer.status, answer.body["error"].as_str().unwrap_or("none"))
    };
    assert_eq!(ask("").await, "400 invalid_request");
    assert_eq!(ask("grant_type=client_credentials").await, "400 invalid_request");
    assert_eq!(ask("grant_type=client_credentials&grant_type=client_credentials&client_id=a&client_secret=b").await, "400 invalid_request");
    assert_eq!(ask("grant_type=password&client_id=demo&client_secret=x").await, "400 unsupported_grant_type");
    assert_eq!(ask("grant_type=nonsense&client_id=demo&client_secret=x").await, "400 invalid_grant");
    assert_eq!(ask("grant_type=client_credentials&client_id=demo&client_secret=x").await, "401 invalid_client");
}
