//! A transcoder process that holds keys, which a stand-in for the authority issued.

use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};
use shared::{
    crypto::{jwe::PrivateKey, jws::SigningKey, system_rng},
    identity::{
        Packet,
        packet::{self, DomainKeys, KeyVersion},
    },
    secret::Secret,
};

use crate::http::{exchange, request};

/// The domains of the key packet.
pub const DOMAINS: [&str; 8] = ["1001", "1002", "1003", "1004", "2001", "2002", "2003", "2004"];

/// A transcoder process.
pub struct Container {
    child: Child,
    _model: tempfile::TempDir,
    pub address: SocketAddr,
    pub smart_token: String,
}

impl Container {
    /// Starts the binary and loads keys for [`DOMAINS`].
    pub fn start() -> Self {
        let (signing_key, private_key) = (SigningKey::generate().expect("a key"), PrivateKey::generate().expect("a key"));
        let model = tempfile::tempdir().expect("a folder");
        let jwks = json!({"keys": [signing_key.public()]});
        std::fs::write(model.path().join("private_key.pem"), private_key.to_pem()).expect("a file");
        std::fs::write(model.path().join("verification_keys.json"), jwks.to_string()).expect("a file");
        let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
        let child = Command::new(env!("CARGO_BIN_EXE_transcoder"))
            .arg("serve")
            .env_clear()
            .env("MODEL_DIRECTORY", model.path())
            .env("SAGEMAKER_BIND_TO_PORT", address.port().to_string())
            .env("RAMPWAY_BIND", "127.0.0.1")
            .spawn()
            .expect("the transcoder starts");
        let mut smart = claims("transcoder");
        smart["id_api_token"] = "x".into();
        let mut init = claims("transcoder-init");
        init["smart_token"] = "s".into();
        init["key_packet"] = packet::seal(&packet(), &private_key.public().expect("a key"), &mut system_rng()).into();
        init["packet_id"] = "p".into();
        init["jwks"] = jwks;
        let container = Self { child, _model: model, address, smart_token: signing_key.sign(&smart) };
        let mut stream = container.connect();
        let body = json!({"rpc": "init", "init_token": signing_key.sign(&init)}).to_string();
        exchange(&mut stream, &request(&body, "application/json", ""), &mut Vec::new());
        container
    }

    fn connect(&self) -> TcpStream {
        for _ in 0..400 {
            if let Ok(stream) = TcpStream::connect(self.address) {
                return stream;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("the transcoder does not listen after ten seconds");
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The key of the domain at an index of [`DOMAINS`].
pub fn key(index: usize) -> [u8; 64] {
    [u8::try_from(index).expect("few domains") + 1; 64]
}

pub fn packet() -> Packet {
    let keys = |(index, name): (usize, &&str)| DomainKeys {
        domain: name.parse().expect("a domain"),
        keys: vec![KeyVersion { kid: "1".into(), not_before: 0, not_after: None, key: Secret::new(key(index)) }],
    };
    Packet { id: "p".into(), client_id: "c".into(), expires: now() + 3600, domains: DOMAINS.iter().enumerate().map(keys).collect() }
}

fn claims(audience: &str) -> Value {
    let now = now();
    let scopes: Vec<Value> = DOMAINS[..4].iter().map(|from| json!({"from": from, "to": DOMAINS[4..]})).collect();
    json!({"iss": "rampway", "aud": audience, "sub": "c", "iat": now, "nbf": now, "exp": now + 3600, "jti": "j", "scopes": scopes})
}

pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
