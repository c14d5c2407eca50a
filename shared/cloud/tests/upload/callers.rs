//! Callers and their quotas.

use cloud::{
    gateway::AuthorizerDecision,
    setting::Environment,
    upload::{Authorizer, Creator},
};
use local::Call;
use serde_json::{Value, json};
use shared::crypto::jws::SigningKey;

use crate::fixture::{DAY, Fixture, NOW, create, error, request};

fn authorizer(keys: &[&SigningKey]) -> Authorizer {
    let keys = json!({"keys": keys.iter().map(|key| key.public()).collect::<Vec<_>>()}).to_string();
    Authorizer::from_env(&Environment::with_defaults([("UPLOAD_CALLER_KEYS".to_owned(), keys)].into())).unwrap()
}

fn claims() -> Value {
    json!({"aud": "rampway-upload", "sub": "alice", "exp": NOW + 60})
}

fn in_path(token: &str) -> cloud::gateway::Request {
    request("POST", "/upload/{caller}", &[("caller", token)], &json!({}))
}

#[test]
fn a_caller_with_a_valid_token_is_allowed() {
    let key = SigningKey::generate().unwrap();
    let authorizer = authorizer(&[&SigningKey::generate().unwrap(), &key]);
    let mut all = claims();
    all["max_bytes"] = 5.into();
    all["types"] = json!(["webm", "mp4"]);
    all["uploads_per_hour"] = 2.into();
    let token = key.sign(&all);
    let cookie = json!({"headers": {"Cookie": format!("a=b; rampway_upload={token}; c=d")}});
    for request in [in_path(&token), request("POST", "/upload", &[], &cookie)] {
        let AuthorizerDecision::Allow { principal, context } = authorizer.request_at(&request, NOW) else {
            panic!("the caller is allowed")
        };
        assert_eq!(principal, "alice");
        assert_eq!(json!(context), json!({"mode": "token", "max_bytes": "5", "types": "webm,mp4", "uploads_per_hour": "2"}));
    }
    let allowed = authorizer.request_at(&in_path(&key.sign(&claims())), NOW).policy("arn:of/the/method").unwrap();
    assert_eq!(
        allowed,
        json!({
            "principalId": "alice",
            "policyDocument": {
                "Version": "2012-10-17",
                "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": "arn:of/the/method"}]
            },
            "context": {"mode": "token"}
        })
    );
}

#[test]
fn a_caller_without_a_valid_token_is_not_allowed() {
    let (key, other_key) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let authorizer = authorizer(&[&key]);
    let with = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        key.sign(&claims)
    };
    let genuine = key.sign(&claims());
    let altered = genuine.replacen(&genuine[40..44], "AAAA", 1);
    let unsigned = format!("{}.", &genuine[..genuine.rfind('.').unwrap()]);
    for token in [
        "",
        "nonsense",
        &altered,
        &unsigned,
        &other_key.sign(&claims()),
        &with("exp", json!(NOW - 30)),
        &with("exp", json!(NOW + DAY + 31)),
        &with("exp", json!("soon")),
        &with("nbf", json!(NOW + 31)),
        &with("sub", json!("")),
        &with("types", json!(["webm,exe"])),
    ] {
        assert_eq!(authorizer.request_at(&in_path(token), NOW), AuthorizerDecision::Unauthorized, "{token}");
    }
    assert_eq!(AuthorizerDecision::Unauthorized.policy("arn"), None);
    let elsewhere = authorizer.request_at(&in_path(&with("aud", json!("transcoder"))), NOW);
    assert!(matches!(elsewhere, AuthorizerDecision::Deny { .. }), "{elsewhere:?}");
    assert_eq!(elsewhere.policy("arn").unwrap()["policyDocument"]["Statement"][0]["Effect"], "Deny");
}

#[test]
fn every_caller_is_allowed_only_if_the_setting_says_open() {
    let with = |name: &str, value: &str| Authorizer::from_env(&Environment::with_defaults([(name.to_owned(), value.to_owned())].into()));
    let open = with("UPLOAD_CALLERS", "open").unwrap();
    let AuthorizerDecision::Allow { principal, context } = open.request_at(&in_path(""), NOW) else { panic!("every caller is allowed") };
    assert_eq!((principal.as_str(), context["mode"].as_str()), ("203.0.113.17", "open"));
    for (name, value, reason) in [
        ("UPLOAD_CALLERS", "token", "UPLOAD_CALLER_KEYS is not set"),
        ("UPLOAD_CALLERS", "all", "UPLOAD_CALLERS cannot be parsed: all"),
        ("UPLOAD_CALLER_KEYS", "nonsense", "UPLOAD_CALLER_KEYS is invalid: it must be a JWKS"),
    ] {
        let error = with(name, value).err().unwrap().to_string();
        assert!(error.starts_with(reason), "{name}={value}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_principal_creates_a_limited_number_of_uploads_in_an_hour() {
    let fixture = Fixture::with(&[("UPLOADS_PER_HOUR", "2")]).await;
    let creator = fixture.creator().await;
    let at = async |name: &str, principal: &str, now| {
        let request = create(name, principal);
        fixture.answer(&request, creator.request_at(&request, now).await)
    };
    assert_eq!((at("a", "alice", NOW).await.status, at("b", "alice", NOW).await.status), (200, 200));
    let third = at("c", "alice", NOW).await;
    assert_eq!((third.error(), &third.headers["Retry-After"]), (error(429, "throttled"), &json!("1795")));
    assert_eq!(at("a", "alice", NOW).await.status, 200, "a resumed upload is not counted");
    assert_eq!((at("c", "bob", NOW).await.status, at("c", "alice", NOW + 1795).await.status), (200, 200));
    assert_eq!(fixture.brightcove.requests(Call::Create), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limits_of_a_token_are_enforced() {
    let fixture = Fixture::with(&[("UPLOAD_MAX_BYTES", "1000")]).await;
    let with = |name: &str, context: Value| {
        let mut authorizer = json!({"principalId": "alice", "mode": "token"});
        authorizer.as_object_mut().unwrap().extend(context.as_object().unwrap().clone());
        request("POST", "/upload", &[], &json!({"body": json!({"name": name}).to_string(), "authorizer": authorizer}))
    };
    assert_eq!(fixture.create(&with("a.webm", json!({"types": "mp4"}))).await.error(), error(422, "type_not_allowed"));
    for name in ["a.", "a", "a.webm"] {
        assert_eq!(fixture.create(&with(name, json!({"types": ""}))).await.error(), error(422, "type_not_allowed"), "{name}");
    }
    assert_eq!(fixture.create(&with("a.", json!({"types": "webm"}))).await.error(), error(422, "type_not_allowed"));
    assert_eq!(fixture.create(&with("a.webm", json!({"max_bytes": "x"}))).await.error(), error(403, "forbidden"));
    let one = json!({"uploads_per_hour": "1", "max_bytes": "10", "types": "webm"});
    let created = fixture.create(&with("a.webm", one.clone())).await.json();
    assert_eq!(fixture.item(created["videoId"].as_str().unwrap()).await["max_bytes"].as_n().unwrap(), "10");
    assert_eq!(fixture.create(&with("b.webm", one)).await.error(), error(429, "throttled"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_tokens_callers_are_counted_by_address_and_cannot_resume() {
    let fixture = Fixture::with(&[("UPLOAD_CALLERS", "open"), ("UPLOADS_PER_HOUR", "2")]).await;
    let anonymous = request("POST", "/upload", &[], &json!({"body": r#"{"name":"a"}"#}));
    let first = fixture.create(&anonymous).await.json();
    assert_ne!(fixture.create(&anonymous).await.json()["videoId"], first["videoId"]);
    assert_eq!(fixture.create(&create("a", "alice")).await.error(), error(429, "throttled"));
    let uncounted = Fixture::with(&[("UPLOAD_CALLERS", "open"), ("UPLOADS_PER_HOUR", "0")]).await;
    let refused = Creator::from_env(&uncounted.environment).await.err().unwrap().to_string();
    assert!(refused.starts_with("UPLOADS_PER_HOUR is invalid: it must be 1 or more if every caller may upload"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ipv6_network_is_one_caller() {
    let fixture = Fixture::with(&[("UPLOAD_CALLERS", "open"), ("UPLOADS_PER_HOUR", "1")]).await;
    let from = |source: &str| {
        let mut anonymous = request("POST", "/upload", &[], &json!({"body": r#"{"name":"a"}"#}));
        source.clone_into(&mut anonymous.source_ip);
        anonymous
    };
    assert_eq!(fixture.create(&from("2001:db8::1")).await.status, 200);
    assert_eq!(fixture.create(&from("2001:db8::2:1")).await.error(), error(429, "throttled"));
    assert_eq!(fixture.create(&from("2001:db8:0:1::1")).await.status, 200);
}
