//! While instances are killed and keys rotate, no request fails, no id is missing or duplicated,
//! and usage is exact.

use std::{collections::HashSet, time::Duration};

use serde_json::json;
use shared::identity::Kind;

use super::fixture::{Fixture, domain, initialised};

/// Translates ids in batches, four at a time, and returns them in order. Every request must
/// succeed.
async fn translate(fixture: &Fixture, token: &str, ids: &[String], batch: usize) -> Vec<String> {
    let mut translated = Vec::new();
    for batches in ids.chunks(batch * 4) {
        let requests = batches.chunks(batch).map(|chunk| fixture.translate(token, json!([{"target": "1006", "values": chunk}])));
        for response in futures_util::future::join_all(requests).await {
            assert_eq!(response.status, 200, "{}", response.text);
            assert_eq!(response.body[0]["errors"], json!([]));
            let values = response.body[0]["values"].as_array().unwrap();
            translated.extend(values.iter().map(|value| value.as_str().unwrap().to_owned()));
        }
    }
    translated
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_ids_survive_killed_transcoders() {
    const IDS: u128 = 100_000;
    let (fixture, token) = initialised(3).await;
    let (ids, expected) = (fixture.mint(Kind::Maintained, "1005", IDS).await, fixture.mint(Kind::Maintained, "1006", IDS).await);
    let kills = async {
        for instance in [0, 1, 2, 0] {
            tokio::time::sleep(Duration::from_millis(150)).await;
            fixture.cloud.kill_instance(instance).await.unwrap();
        }
    };
    let (translated, ()) = tokio::join!(translate(&fixture, &token, &ids, 2_000), kills);
    assert!(translated == expected, "every id keeps its index");
    assert_eq!(translated.iter().collect::<HashSet<_>>().len(), ids.len(), "no id is duplicated");
    assert_eq!(fixture.counted().await, ids.len() as u64, "each id is counted once");

    // The reporter reports completed minutes only.
    let minute = cloud::clock::now() / 60;
    while cloud::clock::now() / 60 == minute {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    for _ in 0..2 {
        fixture.cloud.trigger_schedule("UsageFunction").await.unwrap();
    }
    let reported = fixture.admin.usage("demo").await.unwrap();
    assert_eq!(reported.iter().map(|recorded| recorded.count).sum::<u64>(), ids.len() as u64, "{reported:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_domain_key_rotates_during_a_translation() {
    const IDS: u128 = 20_000;
    let (fixture, token) = initialised(3).await;
    let ids = fixture.mint(Kind::Maintained, "1005", IDS).await;
    fixture.wait_for_next_second().await;
    let rotate = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        for name in ["1005", "1006"] {
            fixture.admin.rotate_domain(domain(name), cloud::clock::now()).await.unwrap();
        }
        fixture.init().await;
    };
    let (translated, ()) = tokio::join!(translate(&fixture, &token, &ids, 1_000), rotate);
    assert_eq!(translated.len(), ids.len());
    // After the initialisation, ids are encoded with the new key. Ids under the previous key still
    // decode, on every instance.
    let expected = fixture.mint(Kind::Maintained, "1006", 2_000).await;
    let under_new = fixture.mint(Kind::Maintained, "1005", 2_000).await;
    assert_ne!(under_new[0], ids[0]);
    for from in [&ids[..2_000], &under_new] {
        assert!(translate(&fixture, &token, from, 200).await == expected);
    }
    let back = fixture.translate(&token, json!([{"target": "1005", "values": translated[..2_000]}])).await;
    assert_eq!(back.body[0]["values"], json!(under_new), "ids come back under the new key");
}
