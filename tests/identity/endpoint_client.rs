//! Clients of the endpoint itself get the same ids and codes as through the API, and each
//! translation is counted once.

use std::time::Duration;

use client::{Client, Ids, Outcomes};
use cloud::{clock::now, setting::Environment};
use rampway::{
    doctor::Diagnosis,
    explain::{Permissions, explain},
};
use shared::identity::Kind;

use super::fixture::{Fixture, domain, start};

/// A client of the endpoint, with or without the URL of the API.
async fn endpoint_client(fixture: &Fixture, api: bool) -> Client {
    let environment = Environment::with_defaults(fixture.cloud.environment().clone());
    let credentials = fixture.seed.credentials.clone();
    Client::for_endpoint(&environment, credentials, api.then(|| fixture.cloud.api())).await.unwrap()
}

fn ids(list: &[(&str, &str)]) -> Ids {
    let mut ids = Ids::new();
    for (id, target) in list {
        ids.push(id, domain(target));
    }
    ids
}

fn codes(outcomes: &Outcomes) -> Vec<&str> {
    outcomes.iter().map(|outcome| outcome.map_or_else(|error| error.code, |_| "none")).collect()
}

#[tokio::test]
async fn the_endpoint_gives_the_same_outcomes_as_the_api() {
    let fixture = start(2).await;
    let ids_in_1005 = fixture.mint(Kind::Maintained, "1005", 3).await;
    let foreign = &fixture.mint(Kind::Derived, "1007", 1).await[0];
    let flipped = format!("{}A", &ids_in_1005[0][..48]);
    let batch = ids(&[
        (&ids_in_1005[0], "1006"),
        (&ids_in_1005[1], "1007"),
        (&ids_in_1005[2], "1006"),
        (foreign, "1006"),
        (&ids_in_1005[0], "1005"),
        (&ids_in_1005[0], "1009"),
        (&flipped, "1006"),
        ("", "1006"),
        ("hello, world\n", "1006"),
        (&ids_in_1005[0][..40], "1006"),
    ]);
    let api = Client::new(fixture.cloud.api(), fixture.seed.credentials.clone()).unwrap();
    let endpoint = endpoint_client(&fixture, false).await;
    let (from_api, from_endpoint) = (api.translate(&batch).await.unwrap(), endpoint.translate(&batch).await.unwrap());
    assert_eq!(codes(&from_api), codes(&from_endpoint));
    let translated = |outcomes: &Outcomes| outcomes.iter().filter_map(Result::ok).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(translated(&from_api), translated(&from_endpoint));
    assert_eq!(translated(&from_endpoint)[0], fixture.mint(Kind::Maintained, "1006", 1).await[0]);
}

#[tokio::test]
async fn instances_without_keys_cost_a_retry_and_no_translation() {
    let fixture = start(2).await;
    let ids_in_1005 = fixture.mint(Kind::Maintained, "1005", 1).await;
    let ids_in_1006 = fixture.mint(Kind::Maintained, "1006", 1).await;
    let client = endpoint_client(&fixture, false).await;
    for round in 0..6 {
        if round == 3 {
            fixture.cloud.kill_instance(0).await.unwrap();
        }
        let outcomes = client.translate(&ids(&[(&ids_in_1005[0], "1006")])).await.unwrap();
        assert_eq!(outcomes.get(0), Ok(ids_in_1006[0].as_str()), "round {round}");
    }
}

#[tokio::test]
async fn ids_under_a_previous_key_are_counted() {
    let fixture = start(1).await;
    let before = fixture.mint(Kind::Maintained, "1005", 3).await;
    fixture.wait_for_next_second().await;
    fixture.admin.rotate_domain(domain("1005"), now()).await.unwrap();
    fixture.init().await;
    let after = fixture.mint(Kind::Maintained, "1005", 2).await;
    let pairs: Vec<_> = before.iter().chain(&after).map(|id| (id.as_str(), "1006")).collect();
    let api = Client::new(fixture.cloud.api(), fixture.seed.credentials.clone()).unwrap();
    for client in [endpoint_client(&fixture, false).await, api] {
        let outcomes = client.translate(&ids(&pairs)).await.unwrap();
        assert_eq!((codes(&outcomes), outcomes.under_previous_key()), (vec!["none"; 5], Some(3)));
    }
}

#[tokio::test]
async fn a_direction_without_permission_is_refused_for_each_id() {
    let fixture = start(1).await;
    let ids_in_1007 = fixture.mint(Kind::Maintained, "1007", 2).await;
    let pairs = [(ids_in_1007[0].as_str(), "1005"), (&ids_in_1007[1], "1005")];
    let outcomes = endpoint_client(&fixture, false).await.translate(&ids(&pairs)).await.unwrap();
    assert_eq!(codes(&outcomes), ["S009", "S009"]);
}

#[tokio::test]
async fn endpoint_translations_are_counted_and_reported_once() {
    let fixture = start(1).await;
    let client = endpoint_client(&fixture, true).await;
    let ids_in_1005 = fixture.mint(Kind::Maintained, "1005", 5).await;
    let pairs: Vec<_> = ids_in_1005.iter().map(|id| (id.as_str(), "1006")).chain([("no id", "1006")]).collect();
    // Concurrent requests count in one item, and no count is lost.
    let batch = ids(&pairs);
    let (first, second, third) = tokio::join!(client.translate(&batch), client.translate(&batch), client.translate(&batch));
    for outcomes in [first, second, third] {
        assert_eq!(codes(&outcomes.unwrap()), ["none", "none", "none", "none", "none", "I001"]);
    }
    assert_eq!(fixture.counted().await, 15);

    // A minute is reported after its end.
    tokio::time::sleep(Duration::from_secs(60 - now() % 60)).await;
    fixture.cloud.trigger_schedule("UsageFunction").await.unwrap();
    let reported = fixture.admin.usage("demo").await.unwrap();
    assert_eq!(reported.iter().map(|recorded| recorded.count).sum::<u64>(), 15);
}

#[tokio::test]
async fn explain_and_doctor_show_the_same_permissions_over_both_transports() {
    let fixture = start(1).await;
    let api = Client::new(fixture.cloud.api(), fixture.seed.credentials.clone()).unwrap();
    let id = &fixture.mint(Kind::Maintained, "1005", 1).await[0];
    for client in [&api, &endpoint_client(&fixture, false).await] {
        // Neither client has initialised the transcoder.
        let cold = Diagnosis::of(client).await;
        assert!(cold.failures() == 1 && cold.to_string().contains("holds no keys of this client yet (S007)"), "{cold}");
    }
    api.init().await.unwrap();
    for client in [&api, &endpoint_client(&fixture, false).await] {
        let found = Diagnosis::of(client).await;
        assert_eq!(found.failures(), 0, "{found}");
        assert!(found.to_string().contains("client demo may translate from 1005 to 1006, 1005 to 1007, 1006 to 1005"), "{found}");

        let permissions = Permissions::fetch(client).await.unwrap();
        let text = explain(id, Some(&permissions), &[domain("1009")]).to_string();
        assert!(text.contains("can be translated into 1006\n") && text.contains("cannot be translated into 1009 (S010)"), "{text}");
    }
}
