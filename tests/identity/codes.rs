//! Every code that can happen through the proxy, made to happen. What only the container can say is in `container`, tokens are in `tokens`.

use serde_json::{Value, json};
use shared::identity::{
    Kind,
    translate::{MAX_IDS, MAX_PAIRS},
};

use super::suite::{direction, domain, initialised, start};

#[tokio::test]
async fn codes_of_one_id() {
    let (running, token) = initialised(1).await;
    let id = running.mint(Kind::Maintained, "1005", 1).await.remove(0);
    // Another character that leaves the spare bits as they are.
    let altered = format!("{}{}{}", &id[..20], if id.as_bytes()[20] == b'A' { 'B' } else { 'A' }, &id[21..]);
    assert_eq!(running.code(&token, &altered, "1006").await, "E002");
    assert_eq!(running.code(&token, &id, "10/6").await, "E007");
    assert_eq!(running.code(&token, &id, "1005").await, "S010", "the own domain is no permitted target");
    assert_eq!(running.code(&token, &id[..48], "1006").await, "I001");
    assert_eq!(running.code(&token, &id.replace("1005", "1009"), "1006").await, "S009");
    assert_eq!(running.code(&token, &id, "1009").await, "S010");
}

#[tokio::test]
async fn a_direction_whose_keys_are_gone_names_the_side() {
    let running = start(1).await;
    for (name, other) in [("2001", "1006"), ("2002", "1005")] {
        running.admin.create_domain(domain(name), "demo").await.unwrap();
        let direction = if name == "2001" { direction(name, other) } else { direction(other, name) };
        running.permit("demo", direction).await;
    }
    // A direction into the own domain can be ordered, and makes no sense.
    running.permit("demo", direction("1005", "1005")).await;
    let (of_2001, of_1005) =
        (running.mint(Kind::Maintained, "2001", 1).await.remove(0), running.mint(Kind::Maintained, "1005", 1).await.remove(0));
    for info in running.admin.domains().await.unwrap() {
        if info.owner == "demo" && info.domain != domain("1005") {
            running.admin.retire_domain_key(info.domain, &info.keys[0].kid).await.unwrap();
        }
    }
    let token = running.init().await;
    assert_eq!(running.code(&token, &of_2001, "1006").await, "S007");
    assert_eq!(running.code(&token, &of_1005, "2002").await, "S008");
    assert_eq!(running.code(&token, &of_1005, "1005").await, "I000");
}

#[tokio::test]
async fn codes_of_a_whole_request() {
    let (running, token) = initialised(1).await;
    let id = running.mint(Kind::Maintained, "1005", 1).await.remove(0);
    let refusal = async |data: Value| running.translate(&token, data).await.refusal();
    assert_eq!(refusal(json!([])).await, "400 E003");
    assert_eq!(refusal(json!([{"target": "1006", "values": []}])).await, "400 E003");
    assert_eq!(refusal(json!([{"target": "1006", "values": vec![""; MAX_IDS + 1]}])).await, "400 E003");
    assert_eq!(refusal(json!([{"value": id.replace("1005", "1009"), "target": "1006"}])).await, "403 S009");
    assert_eq!(refusal(json!([{"value": id, "target": "1009"}, {"value": id, "target": "1009"}])).await, "403 S010");
    // Two directions that are not allowed are each id's own matter.
    let mixed = running.translate(&token, json!([{"value": id, "target": "1009"}, {"value": id, "target": "1010"}])).await;
    assert_eq!((mixed.status, &mixed.body[1]["error"]["code"]), (200, &json!("S010")));
}

#[tokio::test]
async fn a_request_goes_between_so_many_pairs_and_no_more() {
    let running = start(1).await;
    let mut targets = Vec::new();
    for number in 0..=MAX_PAIRS {
        let name = format!("P{number:03}");
        running.admin.create_domain(domain(&name), "demo").await.unwrap();
        running.permit("demo", direction("1005", &name)).await;
        targets.push(name);
    }
    let token = running.init().await;
    let id = running.mint(Kind::Maintained, "1005", 1).await.remove(0);
    let data = |targets: &[String]| targets.iter().map(|target| json!({"value": id, "target": target})).collect::<Vec<_>>();
    let most = running.translate(&token, json!(data(&targets[..MAX_PAIRS]))).await;
    assert_eq!(most.status, 200, "{}", most.text);
    assert_eq!(running.translate(&token, json!(data(&targets))).await.refusal(), "400 E003");
    assert_eq!(running.counted().await, MAX_PAIRS as u64, "a refused batch is not counted");
}

#[tokio::test]
async fn nobody_has_initialised() {
    let running = start(1).await;
    let id = running.mint(Kind::Maintained, "1005", 1).await.remove(0);
    let token = running.refresh().await;
    let early = running.translate(&token, json!([{"value": id, "target": "1006"}])).await;
    assert_eq!(early.refusal(), "503 S007");
    assert!(early.headers.contains_key("retry-after"));
    assert!(early.body["message"].as_str().unwrap().contains("/auth/init"));
}

#[tokio::test]
async fn a_vault_that_was_tampered_with_is_nobody_s_answer() {
    let (running, token) = initialised(1).await;
    let id = running.mint(Kind::Maintained, "1005", 1).await.remove(0);
    running.tamper("init_token#demo").await;
    let answer = running.translate(&token, json!([{"value": id, "target": "1006"}])).await;
    assert_eq!(answer.refusal(), "503 E000");
    assert_eq!(answer.body["message"], "the vault does not answer as it should");
    assert!(running.suite.log().contains("was altered, moved, or sealed under another master key"), "the log says why");
    // A new initialisation mends it.
    let token = running.init().await;
    assert_eq!(running.code(&token, &id, "1006").await, "none");
}
