//! What a client is promised that goes to the endpoint itself: the same ids, the same codes, and each translation counted once.

use std::time::Duration;

use client::{Client, Ids, Outcomes};
use cloud::setting::{Environment, now};
use rampway::{
    doctor::Examination,
    explain::{Permissions, explain},
};
use shared::identity::Kind;

use super::suite::{Running, domain, start};

/// A client of the running suite's endpoint, which knows its API or not.
async fn direct(running: &Running, api: bool) -> Client {
    let environment = Environment::over(running.suite.environment().clone());
    let credentials = running.seed.credentials.clone();
    Client::direct(&environment, credentials, api.then(|| running.suite.api())).await.unwrap()
}

fn ids(list: &[(&str, &str)]) -> Ids {
    let mut ids = Ids::new();
    for (id, target) in list {
        ids.push(id, domain(target));
    }
    ids
}

fn codes(outcomes: &Outcomes) -> Vec<&str> {
    outcomes.iter().map(|outcome| outcome.map_or_else(|refusal| refusal.code, |_| "none")).collect()
}

#[tokio::test]
async fn the_endpoint_says_what_the_api_says() {
    let running = start(2).await;
    let here = running.mint(Kind::Maintained, "1005", 3).await;
    let foreign = &running.mint(Kind::Derived, "1007", 1).await[0];
    let flipped = format!("{}A", &here[0][..48]);
    let asked = ids(&[
        (&here[0], "1006"),
        (&here[1], "1007"),
        (&here[2], "1006"),
        (foreign, "1006"),
        (&here[0], "1005"),
        (&here[0], "1009"),
        (&flipped, "1006"),
        ("", "1006"),
        ("hello, world\n", "1006"),
        (&here[0][..40], "1006"),
    ]);
    let api = Client::new(running.suite.api(), running.seed.credentials.clone()).unwrap();
    let (through, straight) = (api.translate(&asked).await.unwrap(), direct(&running, false).await.translate(&asked).await.unwrap());
    assert_eq!(codes(&through), codes(&straight));
    let translated = |outcomes: &Outcomes| outcomes.iter().filter_map(Result::ok).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(translated(&through), translated(&straight));
    assert_eq!(translated(&straight)[0], running.mint(Kind::Maintained, "1006", 1).await[0]);
}

#[tokio::test]
async fn instances_without_keys_cost_a_repetition_and_no_translation() {
    let running = start(2).await;
    let here = running.mint(Kind::Maintained, "1005", 1).await;
    let there = running.mint(Kind::Maintained, "1006", 1).await;
    let client = direct(&running, false).await;
    for round in 0..6 {
        if round == 3 {
            running.suite.kill_instance(0).await.unwrap();
        }
        let outcomes = client.translate(&ids(&[(&here[0], "1006")])).await.unwrap();
        assert_eq!(outcomes.get(0), Ok(there[0].as_str()), "round {round}");
    }
}

#[tokio::test]
async fn what_came_under_a_previous_key_is_told() {
    let running = start(1).await;
    let before = running.mint(Kind::Maintained, "1005", 3).await;
    running.pass_a_second().await;
    running.admin.rotate_domain(domain("1005"), now()).await.unwrap();
    running.init().await;
    let after = running.mint(Kind::Maintained, "1005", 2).await;
    let asked: Vec<_> = before.iter().chain(&after).map(|id| (id.as_str(), "1006")).collect();
    let api = Client::new(running.suite.api(), running.seed.credentials.clone()).unwrap();
    for client in [direct(&running, false).await, api] {
        let outcomes = client.translate(&ids(&asked)).await.unwrap();
        assert_eq!((codes(&outcomes), outcomes.under_previous_key()), (vec!["none"; 5], Some(3)));
    }
}

#[tokio::test]
async fn a_direction_without_permission_is_refused_for_each_id() {
    let running = start(1).await;
    let here = running.mint(Kind::Maintained, "1007", 2).await;
    let outcomes = direct(&running, false).await.translate(&ids(&[(&here[0], "1005"), (&here[1], "1005")])).await.unwrap();
    assert_eq!(codes(&outcomes), ["S009", "S009"]);
}

#[tokio::test]
async fn what_is_translated_at_the_endpoint_is_counted_and_reported_once() {
    let running = start(1).await;
    let client = direct(&running, true).await;
    let here = running.mint(Kind::Maintained, "1005", 5).await;
    let asked: Vec<_> = here.iter().map(|id| (id.as_str(), "1006")).chain([("no id", "1006")]).collect();
    // Several at once count in one item, and none is lost.
    let asked = ids(&asked);
    let (first, second, third) = tokio::join!(client.translate(&asked), client.translate(&asked), client.translate(&asked));
    for outcomes in [first, second, third] {
        assert_eq!(codes(&outcomes.unwrap()), ["none", "none", "none", "none", "none", "I001"]);
    }
    assert_eq!(running.counted().await, 15);

    // The minute has to be over before it is reported.
    tokio::time::sleep(Duration::from_secs(60 - now() % 60)).await;
    running.suite.fire("UsageFunction").await.unwrap();
    let reported = running.admin.usage("demo").await.unwrap();
    assert_eq!(reported.iter().map(|recorded| recorded.count).sum::<u64>(), 15);
}

#[tokio::test]
async fn explain_and_doctor_know_what_the_client_may_do_either_way() {
    let running = start(1).await;
    let api = Client::new(running.suite.api(), running.seed.credentials.clone()).unwrap();
    let id = &running.mint(Kind::Maintained, "1005", 1).await[0];
    for client in [&api, &direct(&running, false).await] {
        // Nobody has initialised the transcoder yet, or the round before has.
        let cold = Examination::of(client).await;
        assert!(cold.wrongs() == 1 && cold.to_string().contains("holds no keys of this client yet (S007)"), "{cold}");
    }
    api.init().await.unwrap();
    for client in [&api, &direct(&running, false).await] {
        let found = Examination::of(client).await;
        assert_eq!(found.wrongs(), 0, "{found}");
        assert!(found.to_string().contains("client demo may translate from 1005 to 1006, 1005 to 1007, 1006 to 1005"), "{found}");

        let permissions = Permissions::ask(client).await.unwrap();
        let said = explain(id, Some(&permissions), &[domain("1009")]).to_string();
        assert!(said.contains("may go to 1006\n") && said.contains("may not go to 1009 (S010)"), "{said}");
    }
}
