//! The baseline: a server that parses into `serde_json::Value` and translates one id at a time with
//! the crate `aes-siv`.

use std::net::SocketAddr;

use aes_siv::{KeyInit, siv::Aes256Siv};
use axum::{Json, Router, extract::DefaultBodyLimit, routing::post};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::authority::{DOMAINS, key};

/// Starts the server on its own threads.
pub fn start() -> SocketAddr {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            sender.send(listener.local_addr().expect("an address")).expect("the benchmark receives the address");
            let routes = Router::new().route("/invocations", post(invocations)).layer(DefaultBodyLimit::disable());
            axum::serve(listener, routes).await.expect("the server runs");
        });
    });
    receiver.recv().expect("the server listens")
}

async fn invocations(Json(body): Json<Value>) -> Json<Value> {
    let entries = body["transcode_data"].as_array().map_or(&[][..], Vec::as_slice);
    Json(entries.iter().map(|entry| translate(entry).map_or(json!({"error": {"code": "I001"}}), |id| json!({"value": id}))).collect())
}

fn translate(entry: &Value) -> Option<String> {
    let (id, target) = (entry["value"].as_str()?, entry["target"].as_str()?);
    let (label, body) = id.split_at_checked(6)?;
    let (prefix, from) = label.split_at(2);
    let cipher = |domain: &str| Some(Aes256Siv::new(&key(DOMAINS.iter().position(|known| *known == domain)?).into()));
    let payload = cipher(from)?.decrypt([label.as_bytes()], &URL_SAFE_NO_PAD.decode(body).ok()?).ok()?;
    let label = format!("{prefix}{target}");
    let sealed = cipher(target)?.encrypt([label.as_bytes()], &payload).ok()?;
    Some(label + &URL_SAFE_NO_PAD.encode(sealed))
}
