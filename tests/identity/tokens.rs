//! The proxy and the transcoder refuse every invalid token, with the same error.

use cloud::identity::admin::Error;
use serde_json::{Value, json};
use shared::{
    crypto::jws::SigningKey,
    encoding::{base64url, from_base64url},
    identity::Kind,
};

use super::fixture::{Fixture, initialised, start, with_flipped_character};

/// The claims of a token, unverified.
fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("a payload");
    serde_json::from_slice(&from_base64url(payload).expect("base64url")).expect("JSON")
}

/// Signs claims with HS256.
fn hs256(header: &Value, claims: &Value, secret: &[u8]) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let message = format!("{}.{}", base64url(header.to_string().as_bytes()), base64url(claims.to_string().as_bytes()));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret).expect("any key");
    mac.update(message.as_bytes());
    format!("{message}.{}", base64url(&mac.finalize().into_bytes()))
}

/// The error of the proxy for a token, `status code: message`. The endpoint must give the same one.
async fn error(fixture: &Fixture, token: &str) -> String {
    let data = json!([{"value": "XY1005wXyWPB1SgpMUKIpzA0I3UaLEz-2lg0wFAr1PWK7FMhs", "target": "1006"}]);
    // The transcoder must not depend on the proxy to verify tokens.
    let (direct, original) = fixture.invoke_endpoint(&json!({"smart_token": token, "transcode_data": data})).await;
    let proxied = fixture.translate(token, data).await;
    assert_eq!(proxied.body["code"], original["code"], "{} {}", proxied.text, direct.text);
    assert_eq!(proxied.body["message"], original["message"]);
    assert_eq!(direct.body["OriginalStatusCode"], proxied.status, "{}", direct.text);
    format!("{}: {}", proxied.status_and_code(), proxied.body["message"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn invalid_tokens_are_refused() {
    let (fixture, token) = initialised(1).await;
    let key = fixture.signing_key().await;
    let valid = claims(&token);
    let with = |name: &str, value: Value| {
        let mut claims = valid.clone();
        claims[name] = value;
        claims
    };
    let now = valid["iat"].as_u64().unwrap();
    let invalid = "401 S012: cannot validate token";
    let unreadable = "401 E005: cannot parse and validate the smart token";

    // A wrong signature.
    let tampered = with_flipped_character(&token, token.len() - 10);
    assert_eq!(error(&fixture, &tampered).await, invalid);
    // Another key, under its own key id and under the authority's.
    let foreign = SigningKey::generate().unwrap();
    assert_eq!(error(&fixture, &foreign.sign(&valid)).await, invalid);
    let (_, signature) = foreign.sign(&valid).rsplit_once('.').map(|(head, signature)| (head.to_owned(), signature.to_owned())).unwrap();
    let (head, _) = token.rsplit_once('.').unwrap();
    assert_eq!(error(&fixture, &format!("{head}.{signature}")).await, invalid);
    // No signature.
    let none = json!({"alg": "none", "typ": "JWT", "kid": key.kid()});
    let payload = token.split('.').nth(1).unwrap();
    assert_eq!(error(&fixture, &format!("{}.{payload}.", base64url(none.to_string().as_bytes()))).await, unreadable);
    // HMAC with the public key as its secret, raw and as published.
    let public = serde_json::to_value(key.public()).unwrap();
    let header = json!({"alg": "HS256", "typ": "JWT", "kid": key.kid()});
    let raw = from_base64url(public["x"].as_str().unwrap()).unwrap();
    assert_eq!(error(&fixture, &hs256(&header, &valid, &raw)).await, invalid);
    assert_eq!(error(&fixture, &hs256(&header, &valid, public.to_string().as_bytes())).await, invalid);
    // Issuer, audience and times.
    assert_eq!(error(&fixture, &key.sign(&with("iss", json!("another")))).await, invalid);
    assert_eq!(
        error(&fixture, &key.sign(&with("aud", json!("id-api")))).await,
        "403 S001: not authorised for this procedure, or invalid token"
    );
    assert_eq!(error(&fixture, &key.sign(&with("nbf", json!(now + 3600)))).await, invalid);
    assert_eq!(error(&fixture, &key.sign(&with("exp", json!(now - 31)))).await, "401 S012: Refresh Required");
    // Claims.
    assert_eq!(error(&fixture, &key.sign(&with("scopes", json!("all")))).await, "403 S011: cannot validate access");
    assert_eq!(error(&fixture, &key.sign(&with("exp", json!("never")))).await, unreadable);
    for text in ["", "x", "a.b.c", "..", &"x".repeat(2000)] {
        assert_eq!(error(&fixture, text).await, unreadable, "{text}");
    }
    let id = fixture.mint(Kind::Maintained, "1005", 1).await.remove(0);
    assert_eq!(fixture.code(&token, &id, "1006").await, "none", "the valid token is still accepted");
}

#[tokio::test]
async fn a_token_is_valid_for_its_own_client_only() {
    let (fixture, token) = initialised(1).await;
    let id = fixture.mint(Kind::Maintained, "1005", 1).await.remove(0);
    let data = json!([{"value": id, "target": "1006"}]);
    let body = json!({"client_id": "partner", "smart_token": token, "transcode_data": data});
    assert_eq!(fixture.post("/auth/request", &body).await.status_and_code(), "403 S011");
    // Another client's token opens none of this client's keys.
    let secret = fixture.admin.create_client("other", false).await.unwrap();
    let body = json!({"client_id": "other", "client_secret": secret.expose(), "rpc": "refresh"});
    let other_token = fixture.post("/auth/request", &body).await.body["smart_token"].as_str().unwrap().to_owned();
    assert_eq!(fixture.translate(&other_token, data.clone()).await.status_and_code(), "503 S007");
    // Nor does it together with this client's init token, sent to the endpoint itself.
    let body = json!({"smart_token": other_token, "init_token": fixture.init_token().await, "transcode_data": data});
    let (_, original) = fixture.invoke_endpoint(&body).await;
    assert_eq!(original["code"], "S011");
}

#[tokio::test]
async fn a_smart_token_initialises_nothing_and_an_init_token_translates_nothing() {
    let (fixture, token) = initialised(1).await;
    let init_token = fixture.init_token().await;
    assert_eq!(fixture.translate(&init_token, json!([{"value": "x", "target": "1006"}])).await.status_and_code(), "403 S001");
    let (direct, original) = fixture.invoke_endpoint(&json!({"rpc": "init", "init_token": token})).await;
    assert_eq!((&direct.body["OriginalStatusCode"], &original["code"]), (&json!(403), &json!("S001")));
}

#[tokio::test]
async fn warm_instances_accept_the_next_signing_key() {
    let fixture = start(3).await;
    // The next key is published before the instances are warm and signs from tomorrow on. Its
    // tokens are valid at once.
    let kid = fixture.admin.create_signing_key(cloud::clock::now() + 25 * 3600).await.unwrap();
    let token = fixture.init().await;
    let jwks = fixture.get("/.well-known/jwks.json", "").await;
    assert_eq!(jwks.body["keys"].as_array().unwrap().len(), 2);
    let next = fixture.signing_key_by_id(&kid).await.sign(&claims(&token));
    let id = fixture.mint(Kind::Maintained, "1005", 1).await.remove(0);
    // Each instance has cached the first key, and gets the next one with the init token.
    for _ in 0..3 {
        assert_eq!(fixture.code(&next, &id, "1006").await, "none");
        assert_eq!(fixture.code(&token, &id, "1006").await, "none");
    }
    // A retired key ends; its tokens are refused once the caches of it have expired.
    let unknown = fixture.admin.retire_signing_key("unknown").await;
    assert!(matches!(&unknown, Err(Error::NotFound(what)) if what == "signing key unknown"), "{unknown:?}");
    fixture.admin.retire_signing_key(&kid).await.unwrap();
    let keys = fixture.admin.signing_keys().await.unwrap();
    assert_eq!(keys.iter().filter(|key| key.not_after.is_some()).count(), 1);
}
