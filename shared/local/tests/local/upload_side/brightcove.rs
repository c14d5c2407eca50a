//! Brightcove: its errors and its injected faults.

use local::Call;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{ask, brightcove, token};
use crate::{client, json, start};

#[tokio::test(flavor = "multi_thread")]
async fn brightcove_returns_errors_in_the_vendor_s_formats() {
    let cloud = start().await;
    let brightcove = brightcove(&cloud);
    let post = |id: &str| client().post(format!("{}/oauth/v4/access_token", brightcove.url())).basic_auth(id, Some("no"));
    let unknown_client = post("unknown").form(&[("grant_type", "client_credentials")]).send().await.unwrap();
    assert_eq!(unknown_client.status().as_u16(), 400);
    assert_eq!(json(unknown_client).await["error"], "invalid_client");

    let (videos, token) = ("/cms/v1/accounts/{a}/videos", token(brightcove).await);
    let create = async |token: &str, body: Value| ask(brightcove, token, Method::POST, videos, body).await;
    let code =
        |(status, body): (u16, Value)| format!("{status} {}", body[0]["error_code"].as_str().or(body["error_code"].as_str()).unwrap());
    assert_eq!(code(create("no token", json!({"name": "x"})).await), "401 UNAUTHORIZED");
    assert_eq!(code(create(&token, json!({"name": ""})).await), "422 VALIDATION_ERROR");
    assert_eq!(code(create(&token, json!({"name": "x", "colour": "red"})).await), "422 ILLEGAL_FIELD");
    assert_eq!(code(ask(brightcove, &token, Method::POST, "/cms/v1/accounts/7/videos", json!({"name": "x"})).await), "403 ACCESS_DENIED");
    let unknown = format!("{videos}/123");
    assert_eq!(code(ask(brightcove, &token, Method::DELETE, &unknown, Value::Null).await), "404 RESOURCE_NOT_FOUND");
    assert_eq!(code(ask(brightcove, &token, Method::DELETE, &format!("{videos}/ref:a"), Value::Null).await), "400 BAD_VALUE");
    assert_eq!(code(ask(brightcove, &token, Method::PUT, videos, Value::Null).await), "405 METHOD_NOT_ALLOWED");
    let urls = "/ingest/v1/accounts/{a}/videos/123/upload-urls/source.webm";
    assert_eq!(code(ask(brightcove, &token, Method::GET, urls, Value::Null).await), "404 RESOURCE_NOT_FOUND");

    brightcove.revoke_scope("video-cloud/video/create");
    assert_eq!(code(create(&token, json!({"name": "x"})).await), "403 ACCESS_DENIED");
    brightcove.grant_scope("video-cloud/video/create");
    assert_eq!(create(&token, json!({"name": "x"})).await.0, 201);
    brightcove.revoke_tokens();
    assert_eq!(code(create(&token, json!({"name": "x"})).await), "401 UNAUTHORIZED");
    cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_is_unique_and_finds_its_video() {
    let cloud = start().await;
    let brightcove = brightcove(&cloud);
    let (videos, token) = ("/cms/v1/accounts/{a}/videos", token(brightcove).await);
    let create = async || ask(brightcove, &token, Method::POST, videos, json!({"name": "x", "reference_id": "a-b"})).await;
    let (status, created) = create().await;
    assert_eq!((status, &created["reference_id"]), (201, &json!("a-b")));
    let (status, refused) = create().await;
    assert_eq!((status, &refused[0]["error_code"], brightcove.videos().len()), (409, &json!("REFERENCE_ID_IN_USE"), 1));
    let by = async |method, name: &str| ask(brightcove, &token, method, &format!("{videos}/ref:{name}"), Value::Null).await;
    let (status, found) = by(Method::GET, "a-b").await;
    assert_eq!((status, &found["id"], &found["reference_id"]), (200, &created["id"], &json!("a-b")));
    assert_eq!((by(Method::GET, "a").await.0, by(Method::DELETE, "a-b").await.0), (404, 400));
    assert_eq!(ask(brightcove, &token, Method::GET, &format!("{videos}/ref:a-b/ingest_jobs"), Value::Null).await.0, 400);
    cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn injected_faults_apply_to_the_next_calls() {
    let cloud = start().await;
    let brightcove = brightcove(&cloud);
    let (videos, token) = ("/cms/v1/accounts/{a}/videos", token(brightcove).await);
    let create = async || ask(brightcove, &token, Method::POST, videos, json!({"name": "x"})).await;
    brightcove.refuse(Call::Create, 2, 503, r#"{"busy":true}"#);
    assert_eq!(create().await, (503, json!({"busy": true})));
    assert_eq!((create().await.0, brightcove.videos().len()), (503, 0));
    brightcove.drop_responses(Call::Create, 1);
    assert_eq!((create().await.0, brightcove.videos().len()), (504, 1));
    assert_eq!((create().await.0, brightcove.videos().len()), (201, 2));
    brightcove.remove(&brightcove.videos()[0].id);
    assert_eq!((brightcove.videos().len(), brightcove.requests(Call::Create)), (1, 4));
    // More than the rate limit allows in a second; again when this machine is too slow to exceed
    // it.
    let (client, url) = (client(), format!("{}/cms/v1/accounts/{}/videos", brightcove.url(), brightcove.account()));
    let mut refused = false;
    while !refused {
        let mut burst = JoinSet::new();
        for _ in 0..60 {
            burst.spawn(client.post(&url).bearer_auth(&token).json(&json!({"name": "x"})).send());
        }
        refused = burst.join_all().await.iter().any(|answer| answer.as_ref().is_ok_and(|answer| answer.status() == 429));
    }
    cloud.stop().await;
}
