//! Each failed check says what to do.

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

/// Returns the failed checks, as `name: message`.
fn failures(claims: &Smart, health: &Health) -> Vec<String> {
    let mut diagnosis = Diagnosis::default();
    diagnosis.check_token(claims, Some(health), NOW);
    diagnosis.0.into_iter().filter(|check| !check.ok).map(|check| format!("{}: {}", check.name, check.message)).collect()
}

#[test]
fn a_healthy_connection_passes_all_checks() {
    let (claims, health) = (claims(&json!([{"from": "1005", "to": ["1006"]}]), 900), health(&session(80_000, &["1005", "1006"])));
    assert_eq!(failures(&claims, &health), [""; 0]);
    let mut diagnosis = Diagnosis::default();
    diagnosis.check_token(&claims, Some(&health), NOW);
    assert_eq!(diagnosis.failures(), 0);
    assert_eq!(
        diagnosis.to_string(),
        "ok     credentials  issuer rampway accepts client demo\n\
         ok     token        it is valid for 15 min and is refreshed before it expires\n\
         ok     permissions  client demo may translate from 1005 to 1006\n\
         ok     keys         variant AllTraffic holds keys of 2 domains, loaded 60 s ago, which expire in 22 h\n\
         ok     transcoder   variant AllTraffic runs version 1\n"
    );
}

#[test]
fn each_failed_check_says_what_to_do() {
    let (both, none) = (json!([{"from": "1005", "to": ["1006"]}]), json!([]));
    for (claims, health, name, remedy) in [
        (claims(&none, 900), health(&session(80_000, &[])), "permissions: ", "ask the owners of both domains to approve"),
        (claims(&json!("x"), 900), health(&session(80_000, &[])), "permissions: ", "ask the authority's operator"),
        (claims(&both, 90_000), health(&session(80_000, &["1005", "1006"])), "token: ", "so is a revoked permission"),
        (claims(&both, 0), health(&session(80_000, &["1005", "1006"])), "token: ", "issuer's clock"),
        (claims(&both, 900), health(&json!([])), "keys: ", "POST /auth/init"),
        (claims(&both, 900), health(&session(80_000, &["1005"])), "keys: ", "none of 1006"),
        (claims(&both, 900), health(&session(60, &["1005", "1006"])), "keys: ", "expire in 60 s"),
    ] {
        let found = failures(&claims, &health);
        assert!(found.len() == 1 && found[0].starts_with(name) && found[0].contains(remedy), "{found:?}");
    }
}

#[test]
fn a_wrong_clock_is_reported_in_either_direction() {
    for (offset, ok, word) in [(0, true, "agree"), (20, true, "20 s ahead"), (-31, false, "31 s behind"), (4000, false, "NTP")] {
        let mut diagnosis = Diagnosis::default();
        diagnosis.check_clock(Some(offset));
        assert!(diagnosis.0[0].ok == ok && diagnosis.0[0].message.contains(word), "{diagnosis}");
    }
    // Without a `Date` header, a new token tells the time.
    let mut diagnosis = Diagnosis::default();
    diagnosis.check_token(&claims(&json!([]), 900), None, NOW + 500);
    assert!(diagnosis.to_string().contains("500 s ahead of"), "{diagnosis}");
}
