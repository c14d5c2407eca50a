//! The latency of cold starts: from the start of a process to its first response over the Runtime
//! API. For comparison, the latency of the second response, and the size of the binary.
//!
//! `cargo bench -p rampway --bench cold_start -- target/deploy` measures the binaries of that
//! directory, by default those beside this program.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use local::{Options, State};
use rampway::serve::{self, Seed};
use serde_json::{Value, json};

const ROUNDS: usize = 7;

#[tokio::main]
async fn main() {
    // Cargo adds `--bench`.
    let binaries = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).map(PathBuf::from);
    let binaries = match binaries {
        // Cargo runs benches in their package's directory.
        Some(path) if path.is_relative() => Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)),
        path => path,
    };
    let mut figures: Vec<(&str, Vec<Duration>, Vec<Duration>)> = functions().map(|(name, ..)| (name, Vec::new(), Vec::new())).into();
    let mut directory = PathBuf::new();
    for _ in 0..ROUNDS {
        let options = Options {
            template: concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml").into(),
            port: 0,
            state: State::Ephemeral,
            binaries: binaries.clone(),
            quiet: true,
            ..Options::default()
        };
        let (cloud, seed) = serve::start(options).await.expect("the local cloud starts");
        directory = cloud.binaries().to_owned();
        for ((_, function, event), (_, cold, warm)) in functions().into_iter().zip(&mut figures) {
            let event = fill(&event, seed.as_ref());
            for figures in [cold, warm] {
                let start = Instant::now();
                cloud.invoke(function, &event).await.expect("the function responds");
                figures.push(start.elapsed());
            }
        }
        cloud.stop().await;
    }
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    println!("{cores} cores, medians (minima) of {ROUNDS} rounds, binaries of {}", directory.display());
    println!("{:<12} {:>20} {:>20} {:>10}", "function", "cold, ms", "warm, ms", "size, MB");
    for (name, cold, warm) in &mut figures {
        let size = std::fs::metadata(directory.join(*name)).map_or(0, |file| file.len());
        #[expect(clippy::cast_precision_loss, reason = "the size is printed with one decimal")]
        let size = size as f64 / 1e6;
        println!("{name:<12} {:>20} {:>20} {size:>10.1}", median(cold), median(warm));
    }
}

/// Returns the median and the minimum in milliseconds.
fn median(times: &mut [Duration]) -> String {
    times.sort();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    format!("{:.1} ({:.1})", ms(times[times.len() / 2]), ms(times[0]))
}

/// Returns each function's binary, its logical id, and an event that it handles completely.
fn functions() -> [(&'static str, &'static str, Value); 5] {
    let request = |method: &str, path: &str| json!({"httpMethod": method, "path": path, "requestContext": {"httpMethod": method}});
    [
        ("auth_token", "AuthTokenFunction", request("POST", "/token/request")),
        ("init_token", "InitTokenFunction", request("POST", "/token/init")),
        ("id_api", "IdApiFunction", request("GET", "/.well-known/jwks.json")),
        ("sm_proxy", "SmProxyFunction", request("GET", "/health")),
        ("usage", "UsageFunction", json!({})),
    ]
}

/// Adds the demo client's credentials to the body of a POST.
fn fill(event: &Value, seed: Option<&Seed>) -> Value {
    let mut event = event.clone();
    if event["httpMethod"] == "POST" {
        let credentials = &seed.expect("the template has the authority").credentials;
        let body = json!({"client_id": credentials.client_id, "client_secret": credentials.client_secret.expose()});
        event["body"] = body.to_string().into();
    }
    event
}
