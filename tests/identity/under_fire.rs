//! While processes die and keys change: no request fails, no id is missing or doubled, and usage is exact.

use std::{collections::HashSet, time::Duration};

use serde_json::json;
use shared::identity::Kind;

use super::suite::{Running, domain, initialised};

/// Translates ids in batches, several at a time, and gives them in order. Every request must succeed.
async fn translate(running: &Running, token: &str, ids: &[String], batch: usize) -> Vec<String> {
    let mut translated = Vec::new();
    for four in ids.chunks(batch * 4) {
        let requests = four.chunks(batch).map(|chunk| running.translate(token, json!([{"target": "1006", "values": chunk}])));
        for answer in futures_util::future::join_all(requests).await {
            assert_eq!(answer.status, 200, "{}", answer.text);
            assert_eq!(answer.body[0]["errors"], json!([]));
            let values = answer.body[0]["values"].as_array().unwrap();
            translated.extend(values.iter().map(|value| value.as_str().unwrap().to_owned()));
        }
    }
    translated
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_ids_survive_the_death_of_transcoders() {
    const IDS: u128 = 100_000;
    let (running, token) = initialised(3).await;
    let (ids, expected) = (running.mint(Kind::Maintained, "1005", IDS).await, running.mint(Kind::Maintained, "1006", IDS).await);
    let fire = async {
        for number in [0, 1, 2, 0] {
            tokio::time::sleep(Duration::from_millis(150)).await;
            running.suite.kill_instance(number).await.unwrap();
        }
    };
    let (translated, ()) = tokio::join!(translate(&running, &token, &ids, 2_000), fire);
    assert!(translated == expected, "every id is in its place");
    assert_eq!(translated.iter().collect::<HashSet<_>>().len(), ids.len(), "none is doubled");
    assert_eq!(running.counted().await, ids.len() as u64, "each was counted once");

    // The reporter reports minutes that are over.
    let minute = cloud::setting::now() / 60;
    while cloud::setting::now() / 60 == minute {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    for _ in 0..2 {
        running.suite.fire("UsageFunction").await.unwrap();
    }
    let reported = running.admin.usage("demo").await.unwrap();
    assert_eq!(reported.iter().map(|recorded| recorded.count).sum::<u64>(), ids.len() as u64, "{reported:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_domain_key_rotates_under_a_running_translation() {
    const IDS: u128 = 20_000;
    let (running, token) = initialised(3).await;
    let ids = running.mint(Kind::Maintained, "1005", IDS).await;
    running.pass_a_second().await;
    let rotate = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        for name in ["1005", "1006"] {
            running.admin.rotate_domain(domain(name), cloud::setting::now()).await.unwrap();
        }
        running.init().await;
    };
    let (translated, ()) = tokio::join!(translate(&running, &token, &ids, 1_000), rotate);
    assert_eq!(translated.len(), ids.len());
    // From the new initialisation on ids are under the new key, and those under the previous one still decode, on every instance.
    let expected = running.mint(Kind::Maintained, "1006", 2_000).await;
    let under_new = running.mint(Kind::Maintained, "1005", 2_000).await;
    assert_ne!(under_new[0], ids[0]);
    for from in [&ids[..2_000], &under_new] {
        assert!(translate(&running, &token, from, 200).await == expected);
    }
    let back = running.translate(&token, json!([{"target": "1005", "values": translated[..2_000]}])).await;
    assert_eq!(back.body[0]["values"], json!(under_new), "whatever key they were under");
}
