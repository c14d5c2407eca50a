//! Every code that the proxy can return. Codes that only the container returns are in `container`,
//! those of invalid tokens in `tokens`.

use serde_json::{Value, json};
use shared::identity::{
    Kind,
    translate::{MAX_DOMAIN_PAIRS, MAX_IDS},
};

use super::fixture::{direction, domain, initialised, start, with_flipped_character};

#[tokio::test]
async fn codes_of_one_id() {
    let (fixture, token) = initialised(1).await;
    let id = fixture.mint(Kind::Maintained, "1005", 1).await.remove(0);
    assert_eq!(fixture.code(&token, &with_flipped_character(&id, 20), "1006").await, "E002");
    assert_eq!(fixture.code(&token, &id, "10/6").await, "E007");
    assert_eq!(fixture.code(&token, &id, "1005").await, "S010", "a domain is not a target of itself");
    assert_eq!(fixture.code(&token, &id[..48], "1006").await, "I001");
    assert_eq!(fixture.code(&token, &id.replace("1005", "1009"), "1006").await, "S009");
    assert_eq!(fixture.code(&token, &id, "1009").await, "S010");
}

#[tokio::test]
async fn a_direction_without_keys_names_the_side() {
    let fixture = start(1).await;
    for (name, other) in [("2001", "1006"), ("2002", "1005")] {
        fixture.admin.create_domain(domain(name), "demo").await.unwrap();
        let direction = if name == "2001" { direction(name, other) } else { direction(other, name) };
        fixture.permit("demo", direction).await;
    }
    // A direction into the same domain can be approved, but it is invalid.
    fixture.permit("demo", direction("1005", "1005")).await;
    let (of_2001, of_1005) =
        (fixture.mint(Kind::Maintained, "2001", 1).await.remove(0), fixture.mint(Kind::Maintained, "1005", 1).await.remove(0));
    for info in fixture.admin.domains().await.unwrap() {
        if info.owner == "demo" && info.domain != domain("1005") {
            fixture.admin.retire_domain_key(info.domain, &info.keys[0].kid).await.unwrap();
        }
    }
    let token = fixture.init().await;
    assert_eq!(fixture.code(&token, &of_2001, "1006").await, "S007");
    assert_eq!(fixture.code(&token, &of_1005, "2002").await, "S008");
    assert_eq!(fixture.code(&token, &of_1005, "1005").await, "I000");
}

#[tokio::test]
async fn codes_of_a_whole_request() {
    let (fixture, token) = initialised(1).await;
    let id = fixture.mint(Kind::Maintained, "1005", 1).await.remove(0);
    let error = async |data: Value| fixture.translate(&token, data).await.status_and_code();
    assert_eq!(error(json!([])).await, "400 E003");
    assert_eq!(error(json!([{"target": "1006", "values": []}])).await, "400 E003");
    assert_eq!(error(json!([{"target": "1006", "values": vec![""; MAX_IDS + 1]}])).await, "400 E003");
    assert_eq!(error(json!([{"value": id.replace("1005", "1009"), "target": "1006"}])).await, "403 S009");
    assert_eq!(error(json!([{"value": id, "target": "1009"}, {"value": id, "target": "1009"}])).await, "403 S010");
    // With several directions, each id has its own error.
    let mixed = fixture.translate(&token, json!([{"value": id, "target": "1009"}, {"value": id, "target": "1010"}])).await;
    assert_eq!((mixed.status, &mixed.body[1]["error"]["code"]), (200, &json!("S010")));
}

#[tokio::test]
async fn a_request_over_the_limit_of_domain_pairs_is_refused() {
    let fixture = start(1).await;
    let mut targets = Vec::new();
    for number in 0..=MAX_DOMAIN_PAIRS {
        let name = format!("P{number:03}");
        fixture.admin.create_domain(domain(&name), "demo").await.unwrap();
        fixture.permit("demo", direction("1005", &name)).await;
        targets.push(name);
    }
    let token = fixture.init().await;
    let id = fixture.mint(Kind::Maintained, "1005", 1).await.remove(0);
    let data = |targets: &[String]| targets.iter().map(|target| json!({"value": id, "target": target})).collect::<Vec<_>>();
    let at_limit = fixture.translate(&token, json!(data(&targets[..MAX_DOMAIN_PAIRS]))).await;
    assert_eq!(at_limit.status, 200, "{}", at_limit.text);
    assert_eq!(fixture.translate(&token, json!(data(&targets))).await.status_and_code(), "400 E003");
    assert_eq!(fixture.counted().await, MAX_DOMAIN_PAIRS as u64, "a refused batch is not counted");
}

#[tokio::test]
async fn a_transcoder_without_keys_is_unavailable() {
    let fixture = start(1).await;
    let id = fixture.mint(Kind::Maintained, "1005", 1).await.remove(0);
    let token = fixture.refresh().await;
    let response = fixture.translate(&token, json!([{"value": id, "target": "1006"}])).await;
    assert_eq!(response.status_and_code(), "503 S007");
    assert!(response.headers.contains_key("retry-after"));
    assert!(response.body["message"].as_str().unwrap().contains("/auth/init"));
}

#[tokio::test]
async fn a_tampered_vault_item_is_never_used() {
    let (fixture, token) = initialised(1).await;
    let id = fixture.mint(Kind::Maintained, "1005", 1).await.remove(0);
    fixture.tamper("init_token#demo").await;
    let response = fixture.translate(&token, json!([{"value": id, "target": "1006"}])).await;
    assert_eq!(response.status_and_code(), "503 E000");
    assert_eq!(response.body["message"], "the vault does not return a valid response");
    assert!(fixture.cloud.log().contains("was altered, moved, or encrypted under another master key"), "the log has the cause");
    // A new initialisation replaces the item.
    let token = fixture.init().await;
    assert_eq!(fixture.code(&token, &id, "1006").await, "none");
}
