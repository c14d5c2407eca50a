//! Tokens that are not good, each refused, by the proxy and by the transcoder alike.

use serde_json::{Value, json};
use shared::{
    crypto::jws::SigningKey,
    encoding::{base64url, from_base64url},
    identity::Kind,
};

use super::suite::{Running, initialised, start};

/// The claims of a token, whoever signed it.
fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("a payload");
    serde_json::from_slice(&from_base64url(payload).expect("base64url")).expect("JSON")
}

/// Signs claims with HS256, under whatever is a secret.
fn hs256(header: &Value, claims: &Value, secret: &[u8]) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let message = format!("{}.{}", base64url(header.to_string().as_bytes()), base64url(claims.to_string().as_bytes()));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret).expect("any key");
    mac.update(message.as_bytes());
    format!("{message}.{}", base64url(&mac.finalize().into_bytes()))
}

async fn refusal(running: &Running, token: &str) -> String {
    let data = json!([{"value": "XY1005wXyWPB1SgpMUKIpzA0I3UaLEz-2lg0wFAr1PWK7FMhs", "target": "1006"}]);
    // Straight to the endpoint, past the proxy: the transcoder must not depend on it.
    let url = format!("{}/endpoints/{}/invocations", running.suite.sagemaker_url(), running.suite.environment()["ENDPOINT_NAME"]);
    let body = json!({"smart_token": token, "transcode_data": data});
    let direct = running.send(running.client.post(url).header("content-type", "application/json").body(body.to_string())).await;
    let original: Value = serde_json::from_str(direct.body["OriginalMessage"].as_str().unwrap_or("{}")).expect("the container's answer");
    let proxied = running.translate(token, data).await;
    assert_eq!(proxied.body["code"], original["code"], "{} {}", proxied.text, direct.text);
    assert_eq!(proxied.body["message"], original["message"]);
    assert_eq!(direct.body["OriginalStatusCode"], proxied.status, "{}", direct.text);
    format!("{}: {}", proxied.refusal(), proxied.body["message"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn tokens_that_are_not_good_are_refused() {
    let (running, token) = initialised(1).await;
    let key = running.signing_key().await;
    let good = claims(&token);
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    let now = good["iat"].as_u64().unwrap();
    let invalid = "401 S012: cannot validate token";
    let unreadable = "401 E005: cannot parse and validate the smart token";

    // Wrong signature: the last character but one holds no spare bits.
    let at = token.len() - 10;
    let other = if token.as_bytes()[at] == b'A' { 'B' } else { 'A' };
    let tampered = format!("{}{other}{}", &token[..at], &token[at + 1..]);
    assert_eq!(refusal(&running, &tampered).await, invalid);
    // Another's key, under its own name and under ours.
    let foreign = SigningKey::generate().unwrap();
    assert_eq!(refusal(&running, &foreign.sign(&good)).await, invalid);
    let (_, signature) = foreign.sign(&good).rsplit_once('.').map(|(head, signature)| (head.to_owned(), signature.to_owned())).unwrap();
    let (head, _) = token.rsplit_once('.').unwrap();
    assert_eq!(refusal(&running, &format!("{head}.{signature}")).await, invalid);
    // No signature at all.
    let none = json!({"alg": "none", "typ": "JWT", "kid": key.kid()});
    let payload = token.split('.').nth(1).unwrap();
    assert_eq!(refusal(&running, &format!("{}.{payload}.", base64url(none.to_string().as_bytes()))).await, unreadable);
    // HMAC under the public key, in its raw form and as it is published.
    let public = serde_json::to_value(key.public()).unwrap();
    let header = json!({"alg": "HS256", "typ": "JWT", "kid": key.kid()});
    let raw = from_base64url(public["x"].as_str().unwrap()).unwrap();
    assert_eq!(refusal(&running, &hs256(&header, &good, &raw)).await, invalid);
    assert_eq!(refusal(&running, &hs256(&header, &good, public.to_string().as_bytes())).await, invalid);
    // Issuer, audience, times.
    assert_eq!(refusal(&running, &key.sign(&with("iss", json!("another")))).await, invalid);
    assert_eq!(
        refusal(&running, &key.sign(&with("aud", json!("id-api")))).await,
        "403 S001: not authorised for this procedure, or invalid token"
    );
    assert_eq!(refusal(&running, &key.sign(&with("nbf", json!(now + 3600)))).await, invalid);
    assert_eq!(refusal(&running, &key.sign(&with("exp", json!(now - 31)))).await, "401 S012: Refresh Required");
    // Claims.
    assert_eq!(refusal(&running, &key.sign(&with("scopes", json!("all")))).await, "403 S011: cannot validate access");
    assert_eq!(refusal(&running, &key.sign(&with("exp", json!("never")))).await, unreadable);
    for text in ["", "x", "a.b.c", "..", &"x".repeat(2000)] {
        assert_eq!(refusal(&running, text).await, unreadable, "{text}");
    }
    let id = running.mint(Kind::Maintained, "1005", 1).await.remove(0);
    assert_eq!(running.code(&token, &id, "1006").await, "none", "the good token is good still");
}

#[tokio::test]
async fn a_token_serves_its_own_client_alone() {
    let (running, token) = initialised(1).await;
    let id = running.mint(Kind::Maintained, "1005", 1).await.remove(0);
    let data = json!([{"value": id, "target": "1006"}]);
    let body = json!({"client_id": "partner", "smart_token": token, "transcode_data": data});
    assert_eq!(running.post("/auth/request", &body).await.refusal(), "403 S011");
    // Another client's genuine token opens none of this client's keys.
    let secret = running.admin.create_client("other", false).await.unwrap();
    let body = json!({"client_id": "other", "client_secret": secret.expose(), "rpc": "refresh"});
    let others = running.post("/auth/request", &body).await.body["smart_token"].as_str().unwrap().to_owned();
    assert_eq!(running.translate(&others, data.clone()).await.refusal(), "503 S007");
    // Nor with our init token along, straight to the endpoint.
    let ours = running.credentials();
    let init_token = running.post("/token/init", &ours).await.body["init_token"].as_str().unwrap().to_owned();
    let url = format!("{}/endpoints/{}/invocations", running.suite.sagemaker_url(), running.suite.environment()["ENDPOINT_NAME"]);
    let body = json!({"smart_token": others, "init_token": init_token, "transcode_data": data});
    let direct = running.send(running.client.post(url).header("content-type", "application/json").body(body.to_string())).await;
    let original: Value = serde_json::from_str(direct.body["OriginalMessage"].as_str().unwrap()).unwrap();
    assert_eq!(original["code"], "S011");
}

#[tokio::test]
async fn a_smart_token_initialises_nothing_and_an_init_token_translates_nothing() {
    let (running, token) = initialised(1).await;
    let init_token = running.post("/token/init", &running.credentials()).await.body["init_token"].as_str().unwrap().to_owned();
    assert_eq!(running.translate(&init_token, json!([{"value": "x", "target": "1006"}])).await.refusal(), "403 S001");
    let url = format!("{}/endpoints/{}/invocations", running.suite.sagemaker_url(), running.suite.environment()["ENDPOINT_NAME"]);
    let body = json!({"rpc": "init", "init_token": token});
    let direct = running.send(running.client.post(url).header("content-type", "application/json").body(body.to_string())).await;
    let original: Value = serde_json::from_str(direct.body["OriginalMessage"].as_str().unwrap()).unwrap();
    assert_eq!((&direct.body["OriginalStatusCode"], &original["code"]), (&json!(403), &json!("S001")));
}

#[tokio::test]
async fn a_signing_key_changes_without_anybody_s_help() {
    let running = start(3).await;
    // Published before anybody is warm, signing tomorrow; what it signs is good as soon as somebody shows it.
    let kid = running.admin.create_signing_key(cloud::setting::now() + 25 * 3600).await.unwrap();
    let token = running.init().await;
    let jwks = running.get("/.well-known/jwks.json", "").await;
    assert_eq!(jwks.body["keys"].as_array().unwrap().len(), 2);
    let next = running.signing_key_named(&kid).await.sign(&claims(&token));
    let id = running.mint(Kind::Maintained, "1005", 1).await.remove(0);
    // Each instance is pinned to the first key, and learns the next from the init token.
    for _ in 0..3 {
        assert_eq!(running.code(&next, &id, "1006").await, "none");
        assert_eq!(running.code(&token, &id, "1006").await, "none");
    }
    // A key that is retired signs nothing that is accepted, as soon as nobody's memory of it is fresh.
    assert!(running.admin.retire_signing_key("unknown").await.is_err());
    running.admin.retire_signing_key(&kid).await.unwrap();
    let keys = running.admin.signing_keys().await.unwrap();
    assert_eq!(keys.iter().filter(|key| key.not_after.is_some()).count(), 1);
}
