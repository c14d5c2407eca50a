//! What is wrong is told with what to do.

use serde_json::json;

use super::*;

const NOW: u64 = 1_000_000;

fn claims(scopes: &Value, life: u64) -> Smart {
    let claims = json!({
        "iss": "rampway", "aud": "transcoder", "sub": "demo", "iat": NOW, "nbf": NOW, "exp": NOW + life, "jti": "j",
        "scopes": scopes, "id_api_token": "",
    });
    serde_json::from_value(claims).unwrap()
}

fn health(sessions: &Value) -> Health {
    let mut health: Health =
        serde_json::from_value(json!({"variants": [{"variant": "AllTraffic", "version": "1", "sessions": sessions}]})).unwrap();
    health.clock_offset_seconds = Some(0);
    health
}

fn session(expires_in: u64, domains: &[&str]) -> Value {
    let keys: serde_json::Map<_, _> = domains.iter().map(|domain| ((*domain).to_owned(), json!(["k"]))).collect();
    json!([{"client_id": "demo", "packet_id": "p", "age": 60, "expires_in": expires_in, "key_ids": keys}])
}

/// What is wrong, as `name: sentence`.
fn wrong(claims: &Smart, health: &Health) -> Vec<String> {
    let mut found = Examination::default();
    found.token(claims, Some(health), NOW);
    found.0.into_iter().filter(|check| !check.ok).map(|check| format!("{}: {}", check.name, check.said)).collect()
}

#[test]
fn a_healthy_client_has_nothing_to_do() {
    let (claims, health) = (claims(&json!([{"from": "1005", "to": ["1006"]}]), 900), health(&session(80_000, &["1005", "1006"])));
    assert_eq!(wrong(&claims, &health), [""; 0]);
    let mut found = Examination::default();
    found.token(&claims, Some(&health), NOW);
    assert_eq!(found.wrongs(), 0);
    assert_eq!(
        found.to_string(),
        "ok     credentials  client demo is admitted by issuer rampway\n\
         ok     token        it lives 15 min and is renewed before its end\n\
         ok     permissions  client demo may translate from 1005 to 1006\n\
         ok     keys         variant AllTraffic holds keys of 2 domains, loaded 60 s ago, for 22 h more\n\
         ok     transcoder   variant AllTraffic runs version 1\n"
    );
}

#[test]
fn each_trouble_is_told_with_what_to_do() {
    let (both, none) = (json!([{"from": "1005", "to": ["1006"]}]), json!([]));
    for (claims, health, name, remedy) in [
        (claims(&none, 900), health(&session(80_000, &[])), "permissions: ", "the owners of both domains have to order"),
        (claims(&json!("x"), 900), health(&session(80_000, &[])), "permissions: ", "ask the authority's operator"),
        (claims(&both, 90_000), health(&session(80_000, &["1005", "1006"])), "token: ", "a revoked permission would last as long"),
        (claims(&both, 0), health(&session(80_000, &["1005", "1006"])), "token: ", "issuer's clock"),
        (claims(&both, 900), health(&json!([])), "keys: ", "POST /auth/init"),
        (claims(&both, 900), health(&session(80_000, &["1005"])), "keys: ", "none of 1006"),
        (claims(&both, 900), health(&session(60, &["1005", "1006"])), "keys: ", "end in 60 s"),
    ] {
        let found = wrong(&claims, &health);
        assert!(found.len() == 1 && found[0].starts_with(name) && found[0].contains(remedy), "{found:?}");
    }
}

#[test]
fn a_clock_that_is_wrong_is_told_on_either_side() {
    for (ahead, ok, word) in [(0, true, "agree"), (20, true, "20 s ahead"), (-31, false, "31 s behind"), (4000, false, "NTP")] {
        let mut found = Examination::default();
        found.clock(Some(ahead));
        assert!(found.0[0].ok == ok && found.0[0].said.contains(word), "{found}");
    }
    // Where no header tells the time, a new token does.
    let mut found = Examination::default();
    found.token(&claims(&json!([]), 900), None, NOW + 500);
    assert!(found.to_string().contains("500 s ahead of"), "{found}");
}
