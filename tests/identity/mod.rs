//! Identity: translation, permissions, keys and the ID API.

mod availability;
mod codes;
mod container;
mod container_http;
mod endpoint_client;
pub mod fixture;
mod requests;
mod tokens;

use serde_json::{Value, json};
use shared::identity::Kind;

use fixture::{direction, initialised, start};

#[tokio::test]
async fn ids_of_every_kind_translate_both_ways() {
    let (fixture, token) = initialised(1).await;
    for kind in Kind::ALL {
        let ids = fixture.mint(kind, "1005", 3).await;
        let response = fixture.translate(&token, json!([{"target": "1006", "values": ids}])).await;
        assert_eq!(response.status, 200, "{}", response.text);
        assert_eq!(response.body[0]["errors"], json!([]));
        let translated = &response.body[0]["values"];
        assert_eq!(translated, &json!(fixture.mint(kind, "1006", 3).await), "an id has one value in each domain");
        let back = fixture.translate(&token, json!([{"target": "1005", "values": translated}])).await;
        assert_eq!(back.body[0]["values"], json!(ids));
    }
}

#[tokio::test]
async fn both_entry_forms_may_be_mixed_and_results_keep_their_order() {
    let (fixture, token) = initialised(1).await;
    let ids = fixture.mint(Kind::Maintained, "1005", 4).await;
    let in_1006 = fixture.mint(Kind::Maintained, "1006", 4).await;
    let in_1007 = fixture.mint(Kind::Maintained, "1007", 4).await;
    let data = json!([
        {"value": ids[0], "target": "1006"},
        {"target": "1007", "values": [ids[1], "no id", ids[2]]},
        {"value": in_1007[0], "target": "1006"},
        {"value": ids[3], "target": "1006"},
    ]);
    let response = fixture.translate(&token, data).await;
    assert_eq!(response.status, 200, "{}", response.text);
    assert_eq!(response.body[0], json!({"value": in_1006[0]}));
    assert_eq!(response.body[1]["values"], json!([in_1007[1], null, in_1007[2]]));
    assert_eq!(response.body[1]["errors"][0]["index"], 1);
    assert_eq!(response.body[1]["errors"][0]["code"], "I001");
    assert_eq!(response.body[2]["error"]["code"], "S009");
    assert_eq!(response.body[3], json!({"value": in_1006[3]}));
}

#[tokio::test]
async fn a_revoked_permission_ends_with_the_token() {
    use cloud::identity::admin::Side;
    let (fixture, token) = initialised(1).await;
    let id = &fixture.mint(Kind::Maintained, "1005", 1).await[0];
    fixture.admin.revoke("demo", direction("1005", "1006"), Side::Accept, "partner").await.unwrap();
    // The current token keeps the permission for its 15 minutes; the next one lacks it.
    assert_eq!(fixture.code(&token, id, "1006").await, "none");
    let refreshed = fixture.refresh().await;
    assert_eq!(fixture.code(&refreshed, id, "1006").await, "S010");
    assert_eq!(fixture.code(&refreshed, id, "1007").await, "none");
    fixture.admin.revoke("demo", direction("1005", "1007"), Side::Grant, "demo").await.unwrap();
    let refreshed = fixture.refresh().await;
    assert_eq!(fixture.code(&refreshed, id, "1006").await, "S009");
}

#[tokio::test]
async fn only_a_domain_s_owner_may_revoke_its_side() {
    use cloud::identity::admin::{Error, Side};
    let fixture = start(1).await;
    let refused = fixture.admin.revoke("demo", direction("1005", "1006"), Side::Accept, "demo").await;
    assert!(matches!(refused, Err(Error::NotTheOwner { .. })), "{refused:?}");
}

#[tokio::test]
async fn the_scheduled_reinitialisation_replaces_the_packet_without_failed_requests() {
    let (fixture, token) = initialised(2).await;
    let packet = |health: &Value| health["variants"][0]["sessions"][0]["packet_id"].as_str().map(str::to_owned);
    let first = packet(&fixture.get("/health", "").await.body);
    assert_eq!(fixture.cloud.trigger_schedule("SmProxyFunction").await.unwrap(), json!({"reinitialised": 1}));
    // Every instance translates, and one reports the new packet.
    let ids = fixture.mint(Kind::Maintained, "1005", 1).await;
    for _ in 0..6 {
        assert_eq!(fixture.code(&token, &ids[0], "1006").await, "none");
    }
    let mut packets = Vec::new();
    for _ in 0..2 {
        packets.push(packet(&fixture.get("/health", "").await.body));
    }
    assert!(packets.iter().any(|packet| packet.is_some() && *packet != first), "{first:?} {packets:?}");
}

#[tokio::test]
async fn health_lists_key_ids_and_shows_no_key() {
    let fixture = start(1).await;
    let before = fixture.get("/health", "").await;
    assert_eq!((before.status, &before.body["variants"][0]["keys_loaded"]), (200, &json!(false)));
    fixture.init().await;
    let after = fixture.get("/health", "").await;
    let variant = &after.body["variants"][0];
    assert_eq!(variant["keys_loaded"], true);
    assert_eq!(variant["variant"], "AllTraffic");
    let session = &variant["sessions"][0];
    assert_eq!(session["client_id"], "demo");
    assert!(session["expires_in"].as_u64().unwrap() <= 24 * 60 * 60);
    assert_eq!(session["key_ids"]["1005"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_id_api_lists_domains_to_a_client_and_their_keys_to_the_authority() {
    let fixture = start(1).await;
    let secret = fixture.admin.create_client("the-authority", true).await.unwrap();
    fixture.permit("the-authority", direction("1005", "1006")).await;
    let token = async |id: &str, secret: &str| {
        let request = fixture.client.post(format!("{}/token", fixture.cloud.api())).basic_auth(id, Some(secret));
        let response = fixture.send(request.form(&[("grant_type", "client_credentials")])).await;
        assert_eq!((response.status, &response.body["expires_in"]), (200, &json!(900)), "{}", response.text);
        response.body["access_token"].as_str().unwrap().to_owned()
    };
    let seed = &fixture.seed.credentials;
    let ours = fixture.get("/domains", &token(&seed.client_id, seed.client_secret.expose()).await).await;
    assert_eq!(ours.body["directions"], json!([{"from": "1005", "to": ["1006", "1007"]}, {"from": "1006", "to": ["1005"]}]));
    assert_eq!(ours.body["domains"][0], json!({"domain": "1005", "owned": true}));
    assert!(!ours.text.contains("key"));
    let theirs = fixture.get("/domains", &token("the-authority", secret.expose()).await).await;
    assert!(theirs.body["domains"][0]["keys"][0]["key"].is_string());
    // A smart token contains an access token for the ID API.
    let with_smart_token = fixture.get("/domains", &fixture.init().await).await;
    assert_eq!(with_smart_token.body, ours.body);
}
