//! The transcoder's container without a proxy: its keys at start, packets that do not open, and
//! batch transform.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use reqwest::Client;
use serde_json::{Value, json};
use shared::{
    crypto::{
        jwe::{self, PrivateKey},
        jws::SigningKey,
        system_rng,
    },
    identity::{
        ClientKeys, Kind, Packet,
        packet::{self, DomainKeys, KeyVersion},
    },
    secret::Secret,
};

use super::fixture::{domain, with_flipped_character};

/// A transcoder process with its model directory.
pub struct Container {
    child: Child,
    pub url: String,
    pub client: Client,
    _model: tempfile::TempDir,
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A stand-in for the authority: signs tokens and seals key packets.
pub struct Authority {
    signing: SigningKey,
    pub transcoder: PrivateKey,
}

impl Authority {
    pub fn new() -> Self {
        Self { signing: SigningKey::generate().unwrap(), transcoder: PrivateKey::generate().unwrap() }
    }

    /// The key packet of [`packet`], sealed for the transcoder.
    pub fn sealed(&self) -> String {
        packet::seal(&packet(), &self.transcoder.public().unwrap(), &mut system_rng())
    }

    pub fn init_token(&self, key_packet: &str) -> String {
        let mut claims = self::claims("transcoder-init");
        claims["smart_token"] = "s".into();
        claims["key_packet"] = key_packet.into();
        claims["packet_id"] = "p".into();
        claims["jwks"] = json!({"keys": [self.signing.public()]});
        self.signing.sign(&claims)
    }

    pub fn smart_token(&self) -> String {
        let mut claims = self::claims("transcoder");
        claims["id_api_token"] = "x".into();
        self.signing.sign(&claims)
    }

    /// Starts a container with files in its model directory, and waits until it answers, healthy or
    /// not.
    pub async fn container(&self, files: &[(&str, &str)], environment: &[(&str, &str)]) -> Container {
        let model = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(model.path().join(name), text).unwrap();
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(binary().await)
            .arg("serve")
            .env_clear()
            .env("MODEL_DIRECTORY", model.path())
            .env("SAGEMAKER_BIND_TO_PORT", port.to_string())
            .env("RAMPWAY_BIND", "127.0.0.1")
            .envs(environment.iter().copied())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let client = Client::builder().no_proxy().build().unwrap();
        let container = Container { child, url: format!("http://127.0.0.1:{port}"), client, _model: model };
        for _ in 0..400 {
            if container.client.get(format!("{}/ping", container.url)).send().await.is_ok() {
                return container;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the container did not response within ten seconds");
    }

    /// Starts a container with valid keys.
    pub async fn valid_container(&self) -> Container {
        let (pem, jwks) = (self.transcoder.to_pem(), self.jwks());
        self.container(&[("private_key.pem", &pem), ("verification_keys.json", &jwks)], &[]).await
    }

    pub fn jwks(&self) -> String {
        json!({"keys": [self.signing.public()]}).to_string()
    }
}

impl Container {
    pub async fn post(&self, kind: &str, attributes: &str, body: impl Into<reqwest::Body>) -> (u16, String) {
        let request = self.client.post(format!("{}/invocations", self.url)).header("content-type", kind);
        let request = request.header("X-Amzn-SageMaker-Custom-Attributes", attributes).header("X-Unknown", "ignored").body(body);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    pub async fn status_and_code(&self, body: Value) -> String {
        let (status, text) = self.post("application/json", "", body.to_string()).await;
        format!("{status} {}", serde_json::from_str::<Value>(&text).unwrap()["code"].as_str().unwrap_or("none"))
    }

    async fn ping(&self) -> u16 {
        self.client.get(format!("{}/ping", self.url)).send().await.unwrap().status().as_u16()
    }
}

/// The key packet of every valid container.
pub fn packet() -> Packet {
    let keys = |name: &str, key| DomainKeys {
        domain: domain(name),
        keys: vec![KeyVersion { kid: "1".into(), not_before: 0, not_after: None, key: Secret::new([key; 64]) }],
    };
    Packet { id: "p".into(), client_id: "c".into(), expires: now() + 3600, domains: vec![keys("1005", 1), keys("1006", 2)] }
}

/// An id in domain 1005, and its translation to 1006, by the keys of [`packet`].
pub fn ids() -> (String, String) {
    let keys = ClientKeys::new(packet());
    let in_domain = |name| keys.mint(Kind::Maintained, domain(name), &[1; 16], now()).unwrap().to_string();
    (in_domain("1005"), in_domain("1006"))
}

fn claims(audience: &str) -> Value {
    let now = now();
    json!({
        "iss": "rampway", "aud": audience, "sub": "c", "iat": now, "nbf": now, "exp": now + 600, "jti": "j",
        "scopes": [{"from": "1005", "to": ["1006"]}],
    })
}

fn now() -> u64 {
    cloud::clock::now()
}

async fn binary() -> std::path::PathBuf {
    local::binaries::find(&["transcoder"]).await.expect("the transcoder is built").join("transcoder")
}

#[tokio::test]
async fn a_transcoder_without_its_keys_is_unhealthy_and_names_the_key() {
    let authority = Authority::new();
    let init = json!({"rpc": "init", "init_token": authority.init_token(&authority.sealed())});
    let no_private_key = authority.container(&[("verification_keys.json", &authority.jwks())], &[]).await;
    assert_eq!((no_private_key.ping().await, no_private_key.status_and_code(init.clone()).await.as_str()), (503, "500 S002"));
    let pem = authority.transcoder.to_pem();
    let invalid = authority.container(&[("private_key.pem", "no PEM"), ("verification_keys.json", &authority.jwks())], &[]).await;
    assert_eq!((invalid.ping().await, invalid.status_and_code(init.clone()).await.as_str()), (503, "500 S002"));
    let no_verification_keys = authority.container(&[("private_key.pem", &pem)], &[]).await;
    assert_eq!((no_verification_keys.ping().await, no_verification_keys.status_and_code(init.clone()).await.as_str()), (503, "500 S003"));
    let invalid = authority.container(&[("private_key.pem", &pem)], &[("PUBLIC_KEY_FOR_DECODING", "no PEM")]).await;
    assert_eq!((invalid.ping().await, invalid.status_and_code(init).await.as_str()), (503, "500 S003"));
}

#[tokio::test]
async fn a_packet_that_does_not_open_names_the_failed_step() {
    let authority = Authority::new();
    let container = authority.valid_container().await;
    let error =
        async |key_packet: &str| container.status_and_code(json!({"rpc": "init", "init_token": authority.init_token(key_packet)})).await;
    let another = packet::seal(&packet(), &PrivateKey::generate().unwrap().public().unwrap(), &mut system_rng());
    assert_eq!(error(&another).await, "500 S004");
    let sealed = authority.sealed();
    assert_eq!(error(&with_flipped_character(&sealed, sealed.len() - 10)).await, "500 S005");
    let public = authority.transcoder.public().unwrap();
    assert_eq!(error(&jwe::seal_to(&public, b"no keys", &mut system_rng())).await, "500 S006");
    let mut foreign = packet();
    foreign.client_id = "another".into();
    assert_eq!(error(&packet::seal(&foreign, &public, &mut system_rng())).await, "500 S006");
    assert_eq!(container.ping().await, 200);
    assert_eq!(container.status_and_code(json!({"rpc": "init"})).await, "400 E006");
    assert_eq!(container.status_and_code(json!({"rpc": "init", "init_token": "x"})).await, "401 E005");
}

#[tokio::test]
async fn an_rsa_key_in_pem_verifies_rs256_rs384_and_rs512() {
    // Signed by another JWT implementation, with a key that has no key id.
    let authority = Authority::new();
    let rsa = PrivateKey::generate().unwrap();
    let pem = authority.transcoder.to_pem();
    let public = rsa.public().unwrap();
    let container = authority.container(&[("private_key.pem", &pem)], &[("PUBLIC_KEY_FOR_DECODING", public.to_pem())]).await;
    let sign = |algorithm, claims: &Value| {
        let key = jsonwebtoken::EncodingKey::from_rsa_pem(rsa.to_pem().as_bytes()).unwrap();
        jsonwebtoken::encode(&jsonwebtoken::Header::new(algorithm), claims, &key).unwrap()
    };
    let mut init = claims("transcoder-init");
    init["smart_token"] = "s".into();
    init["key_packet"] = authority.sealed().into();
    init["packet_id"] = "p".into();
    init["jwks"] = json!({"keys": []});
    for algorithm in [jsonwebtoken::Algorithm::RS256, jsonwebtoken::Algorithm::RS384, jsonwebtoken::Algorithm::RS512] {
        assert_eq!(container.status_and_code(json!({"rpc": "init", "init_token": sign(algorithm, &init)})).await, "200 none");
    }
    let pss = sign(jsonwebtoken::Algorithm::PS256, &init);
    assert_eq!(container.status_and_code(json!({"rpc": "init", "init_token": pss})).await, "401 S012");
}

#[tokio::test]
async fn a_request_may_carry_its_init_token() {
    let authority = Authority::new();
    let container = authority.valid_container().await;
    let (id, _) = ids();
    let data = json!([{"value": id, "target": "1006"}]);
    let bare = json!({"smart_token": authority.smart_token(), "transcode_data": data});
    assert_eq!(container.status_and_code(bare.clone()).await, "503 S007");
    let mut with_init_token = bare.clone();
    with_init_token["init_token"] = authority.init_token(&authority.sealed()).into();
    assert_eq!(container.post("application/json", "packet=p", with_init_token.to_string()).await.0, 200);
    assert_eq!(container.post("application/json", "packet=p", bare.to_string()).await.0, 200);
    assert_eq!(container.post("application/json", "packet=another", bare.to_string()).await.0, 503);
    // Lines without a token belong to batch transform, whose keys are in the model directory.
    assert_eq!(container.post("text/csv", "target=1006", id).await.0, 403);
}

#[tokio::test]
async fn batch_transform_reads_its_keys_from_the_model_directory() {
    let authority = Authority::new();
    let (pem, jwks, init) = (authority.transcoder.to_pem(), authority.jwks(), authority.init_token(&authority.sealed()));
    let files = [("private_key.pem", pem.as_str()), ("verification_keys.json", &jwks), ("init_token", &init)];
    let container = authority.container(&files, &[]).await;
    let (id, expected) = ids();
    let csv = format!("{id},1006\nno id,1006\r\n{id},1007\n\n");
    let response = container.post("text/csv; charset=utf-8", "", csv).await;
    assert_eq!(response, (200, format!("{expected},\n,I001\n,S010\n,I001\n")));
    let response = container.post("text/csv", "target=1006", format!("{id}\n{id}")).await;
    assert_eq!(response, (200, format!("{expected},\n{expected},\n")));
    let lines = format!("{{\"value\":\"{id}\",\"target\":\"1006\"}}\n{{\"target\":\"1006\",\"values\":[\"{id}\"]}}\n");
    let response = container.post("application/jsonlines", "", lines).await;
    assert_eq!(response, (200, format!("{{\"value\":\"{expected}\"}}\n{{\"values\":[\"{expected}\"],\"errors\":[]}}\n")));
    assert_eq!(container.post("application/jsonlines", "", "{}").await.0, 400);
    assert_eq!(container.post("application/xml", "", "<a/>").await.0, 415);
    let parameters: Value =
        container.client.get(format!("{}/execution-parameters", container.url)).send().await.unwrap().json().await.unwrap();
    let product = parameters["MaxConcurrentTransforms"].as_u64().unwrap() * parameters["MaxPayloadInMB"].as_u64().unwrap();
    assert!((1..=100).contains(&product), "{parameters}");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_and_sigterm_exits_with_success() {
    let authority = Authority::new();
    let (pem, jwks) = (authority.transcoder.to_pem(), authority.jwks());
    let files = [("private_key.pem", pem.as_str()), ("verification_keys.json", &jwks)];
    let mut container = authority.container(&files, &[("MAX_BODY_BYTES", "1000")]).await;
    let (status, text) = container.post("application/json", "", "x".repeat(1001)).await;
    assert_eq!((status, &serde_json::from_str::<Value>(&text).unwrap()["code"]), (413, &json!("E003")));
    assert!(if Path::new("/proc").exists() {
        Command::new("kill").arg(container.child.id().to_string()).status().unwrap().success()
    } else {
        true
    });
    let ended = tokio::task::spawn_blocking(move || container.child.wait().unwrap().success()).await.unwrap();
    assert!(ended, "SIGTERM ends the container with status 0");
}
