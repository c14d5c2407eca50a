//! Every body gets a documented code and message, never a 500, and nothing secret.

use serde_json::json;
use shared::identity::Kind;

use super::fixture::{initialised, start};

#[tokio::test]
async fn every_malformed_body_is_answered_with_e006() {
    let (fixture, token) = initialised(1).await;
    let secret = fixture.seed.credentials.client_secret.expose().to_owned();
    let deep = format!(r#"{{"smart_token":"{token}","transcode_data":{}1{}}}"#, "[".repeat(50_000), "]".repeat(50_000));
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("an empty body", b"".into()),
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
            "an entry of both forms",
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
        let response = fixture.post_text("/auth/request", body).await;
        assert_eq!(response.status_and_code(), "400 E006", "{what}: {}", response.text);
        assert!(response.body["message"].as_str().is_some_and(|message| message.len() > 20), "{what}: {}", response.text);
        assert!(!response.text.contains(&token) && !response.text.contains(&secret), "{what}: {}", response.text);
    }
    for path in ["/auth/init", "/token/init", "/token/request"] {
        for body in ["", "hello", "{}", r#"{"client_id":7,"client_secret":"x"}"#, r#"{"client_id":"demo"}"#] {
            let response = fixture.post_text(path, body).await;
            assert_eq!(response.status_and_code(), "400 E006", "{path} {body}: {}", response.text);
        }
    }
    // The API still translates.
    let id = fixture.mint(Kind::Maintained, "1005", 1).await.remove(0);
    assert_eq!(fixture.code(&token, &id, "1006").await, "none");
    let log = fixture.cloud.log();
    assert!(log.contains("E006"), "errors are logged");
    assert!(!log.contains(&token) && !log.contains(&secret) && !log.contains(&id), "the log holds nothing secret");
}

#[tokio::test]
async fn the_error_for_an_oversized_body_names_how_many_ids_fit() {
    let (fixture, token) = initialised(1).await;
    let values = |count| vec!["XY1005wXyWPB1SgpMUKIpzA0I3UaLEz-2lg0wFAr1PWK7FMhs"; count];
    // Quotes are escaped in the event, so it reaches the function's limit before the endpoint's.
    for count in [130_000, 250_000] {
        let body = json!({"smart_token": token, "transcode_data": [{"target": "1006", "values": values(count)}]});
        let response = fixture.post("/auth/request", &body).await;
        assert_eq!(response.status_and_code(), "413 E003", "{}", response.text);
        assert!(response.body["message"].as_str().unwrap().contains("ids"), "{}", response.text);
    }
    // A body without quotes is within the event's limit but over the endpoint's.
    let body = format!("{{\"smart_token\":\"{token}\",\"transcode_data\":[{}7]}}", " ".repeat(6_291_400));
    let response = fixture.post_text("/auth/request", body).await;
    assert_eq!(response.status_and_code(), "413 E003", "{}", response.text);
}

#[tokio::test]
async fn methods_paths_and_origins_are_answered_by_the_gateway() {
    let fixture = start(1).await;
    let api = fixture.cloud.api();
    let url = |path: &str| format!("{api}{path}");
    for (path, allowed) in [("/auth/init", "POST"), ("/auth/request", "POST"), ("/health", "GET"), ("/token", "POST"), ("/domains", "GET")]
    {
        let response = fixture.send(fixture.client.delete(url(path))).await;
        assert_eq!((response.status_and_code().as_str(), response.headers["allow"].to_str().unwrap()), ("405 E006", allowed), "{path}");
    }
    assert_eq!(fixture.send(fixture.client.get(url("/unknown"))).await.status_and_code(), "404 E006");
    assert_eq!(fixture.send(fixture.client.get(api.replace("/Prod", "/Test"))).await.status, 403);
    let preflight = fixture.client.request(reqwest::Method::OPTIONS, url("/auth/request")).header("origin", "https://page.example");
    let preflight = fixture.send(preflight).await;
    assert_eq!(preflight.status, 200);
    assert_eq!(preflight.headers["access-control-allow-origin"], "https://origin.invalid", "the template's origin");
}

#[tokio::test]
async fn invalid_credentials_all_get_the_same_response() {
    let fixture = start(1).await;
    let mut bodies =
        vec![json!({"client_id": "demo", "client_secret": "wrong"}), json!({"client_id": "unknown", "client_secret": "wrong"})];
    bodies.push(json!({"client_id": "", "client_secret": ""}));
    bodies.push(json!({"client_id": "x".repeat(3000), "client_secret": "wrong"}));
    bodies.push(json!({"client_id": "partner", "client_secret": fixture.seed.credentials.client_secret.expose()}));
    let mut responses = Vec::new();
    for body in &bodies {
        for path in ["/auth/init", "/token/init", "/token/request"] {
            let response = fixture.post(path, body).await;
            assert_eq!(response.status_and_code(), "401 S012", "{path}: {}", response.text);
            responses.push(response.text);
        }
        let mut refresh = body.clone();
        refresh["rpc"] = "refresh".into();
        responses.push(fixture.post("/auth/request", &refresh).await.text);
    }
    responses.dedup();
    assert_eq!(responses.len(), 1, "{responses:?}");
    // A new secret replaces the old one.
    let secret = fixture.admin.rotate_client("demo").await.unwrap();
    assert_eq!(fixture.post("/auth/init", &fixture.credentials()).await.status_and_code(), "401 S012");
    let renewed = json!({"clientID": "demo", "client_secret": secret.expose(), "httpMethod": "POST", "rpc": "init"});
    assert_eq!(fixture.post("/auth/init", &renewed).await.status, 200);
    // A client without a transcoder gets no keys.
    let secret = fixture.admin.rotate_client("partner").await.unwrap();
    let response = fixture.post("/auth/init", &json!({"client_id": "partner", "client_secret": secret.expose()})).await;
    assert_eq!(response.status_and_code(), "403 S003");
}

#[tokio::test]
async fn oauth_errors_have_the_form_of_rfc_6749() {
    let fixture = start(1).await;
    let error = async |form: &str| {
        let request = fixture.client.post(format!("{}/token", fixture.cloud.api()));
        let response = fixture.send(request.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned())).await;
        format!("{} {}", response.status, response.body["error"].as_str().unwrap_or("none"))
    };
    assert_eq!(error("").await, "400 invalid_request");
    assert_eq!(error("grant_type=client_credentials").await, "400 invalid_request");
    assert_eq!(
        error("grant_type=client_credentials&grant_type=client_credentials&client_id=a&client_secret=b").await,
        "400 invalid_request"
    );
    assert_eq!(error("grant_type=password&client_id=demo&client_secret=x").await, "400 unsupported_grant_type");
    assert_eq!(error("grant_type=nonsense&client_id=demo&client_secret=x").await, "400 invalid_grant");
    assert_eq!(error("grant_type=client_credentials&client_id=demo&client_secret=x").await, "401 invalid_client");
}
