//! What identity promises.

mod codes;
mod container;
mod direct;
mod door;
mod requests;
pub mod suite;
mod tokens;
mod under_fire;

use serde_json::{Value, json};
use shared::identity::Kind;

use suite::{direction, initialised, start};

#[tokio::test]
async fn ids_of_every_kind_go_there_and_come_back() {
    let (running, token) = initialised(1).await;
    for kind in Kind::ALL {
        let ids = running.mint(kind, "1005", 3).await;
        let there = running.translate(&token, json!([{"target": "1006", "values": ids}])).await;
        assert_eq!(there.status, 200, "{}", there.text);
        assert_eq!(there.body[0]["errors"], json!([]));
        let translated = &there.body[0]["values"];
        assert_eq!(translated, &json!(running.mint(kind, "1006", 3).await), "an id has one value in a domain");
        let back = running.translate(&token, json!([{"target": "1005", "values": translated}])).await;
        assert_eq!(back.body[0]["values"], json!(ids));
    }
}

#[tokio::test]
async fn both_shapes_may_be_mixed_and_answers_come_in_order() {
    let (running, token) = initialised(1).await;
    let ids = running.mint(Kind::Maintained, "1005", 4).await;
    let in_1006 = running.mint(Kind::Maintained, "1006", 4).await;
    let in_1007 = running.mint(Kind::Maintained, "1007", 4).await;
    let data = json!([
        {"value": ids[0], "target": "1006"},
        {"target": "1007", "values": [ids[1], "no id", ids[2]]},
        {"value": in_1007[0], "target": "1006"},
        {"value": ids[3], "target": "1006"},
    ]);
    let answer = running.translate(&token, data).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.body[0], json!({"value": in_1006[0]}));
    assert_eq!(answer.body[1]["values"], json!([in_1007[1], null, in_1007[2]]));
    assert_eq!(answer.body[1]["errors"][0]["index"], 1);
    assert_eq!(answer.body[1]["errors"][0]["code"], "I001");
    assert_eq!(answer.body[2]["error"]["code"], "S009");
    assert_eq!(answer.body[3], json!({"value": in_1006[3]}));
}

#[tokio::test]
async fn a_revoked_permission_ends_with_the_token() {
    use cloud::identity::admin::Side;
    let (running, token) = initialised(1).await;
    let id = &running.mint(Kind::Maintained, "1005", 1).await[0];
    running.admin.revoke("demo", direction("1005", "1006"), Side::Accept, "partner").await.unwrap();
    // The token in hand says so for its 15 minutes; the next one does not.
    assert_eq!(running.code(&token, id, "1006").await, "none");
    let refreshed = running.refresh().await;
    assert_eq!(running.code(&refreshed, id, "1006").await, "S010");
    assert_eq!(running.code(&refreshed, id, "1007").await, "none");
    running.admin.revoke("demo", direction("1005", "1007"), Side::Grant, "demo").await.unwrap();
    let refreshed = running.refresh().await;
    assert_eq!(running.code(&refreshed, id, "1006").await, "S009");
}

#[tokio::test]
async fn only_a_domain_s_owner_orders_for_it() {
    use cloud::identity::admin::{Error, Side};
    let running = start(1).await;
    let refused = running.admin.revoke("demo", direction("1005", "1006"), Side::Accept, "demo").await;
    assert!(matches!(refused, Err(Error::NotTheOwner { .. })), "{refused:?}");
}

#[tokio::test]
async fn the_daily_re_initialisation_needs_nobody() {
    let (running, token) = initialised(2).await;
    let packet = |health: &Value| health["variants"][0]["sessions"][0]["packet_id"].as_str().map(str::to_owned);
    let first = packet(&running.get("/health", "").await.body);
    assert_eq!(running.suite.fire("SmProxyFunction").await.unwrap(), json!({"reinitialised": 1}));
    // Whichever instance a request meets, it is answered, and under the new packet.
    let ids = running.mint(Kind::Maintained, "1005", 1).await;
    for _ in 0..6 {
        assert_eq!(running.code(&token, &ids[0], "1006").await, "none");
    }
    let mut packets = Vec::new();
    for _ in 0..2 {
        packets.push(packet(&running.get("/health", "").await.body));
    }
    assert!(packets.iter().any(|now| now.is_some() && *now != first), "{first:?} {packets:?}");
}

#[tokio::test]
async fn health_tells_of_keys_and_shows_none() {
    let running = start(1).await;
    let before = running.get("/health", "").await;
    assert_eq!((before.status, &before.body["variants"][0]["keys_loaded"]), (200, &json!(false)));
    running.init().await;
    let after = running.get("/health", "").await;
    let variant = &after.body["variants"][0];
    assert_eq!(variant["keys_loaded"], true);
    assert_eq!(variant["variant"], "AllTraffic");
    let session = &variant["sessions"][0];
    assert_eq!(session["client_id"], "demo");
    assert!(session["expires_in"].as_u64().unwrap() <= 24 * 60 * 60);
    assert_eq!(session["key_ids"]["1005"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_id_api_tells_a_client_its_domains_and_the_authority_their_keys() {
    let running = start(1).await;
    let secret = running.admin.create_client("the-authority", true).await.unwrap();
    running.permit("the-authority", direction("1005", "1006")).await;
    let token = async |id: &str, secret: &str| {
        let request = running.client.post(format!("{}/token", running.suite.api())).basic_auth(id, Some(secret));
        let answer = running.send(request.form(&[("grant_type", "client_credentials")])).await;
        assert_eq!((answer.status, &answer.body["expires_in"]), (200, &json!(900)), "{}", answer.text);
        answer.body["access_token"].as_str().unwrap().to_owned()
    };
    let seed = &running.seed.credentials;
    let ours = running.get("/domains", &token(&seed.client_id, seed.client_secret.expose()).await).await;
    assert_eq!(ours.body["directions"], json!([{"from": "1005", "to": ["1006", "1007"]}, {"from": "1006", "to": ["1005"]}]));
    assert_eq!(ours.body["domains"][0], json!({"domain": "1005", "owned": true}));
    assert!(!ours.text.contains("key"));
    let theirs = running.get("/domains", &token("the-authority", secret.expose()).await).await;
    assert!(theirs.body["domains"][0]["keys"][0]["key"].is_string());
    // A smart token encloses an ID-API token for the authority.
    let enclosed = running.get("/domains", &running.init().await).await;
    assert_eq!(enclosed.body, ours.body);
}
