//! The latency of translations through `sm_proxy`, and the share of each component.
//!
//! The same ids are sent to API Gateway, to the function's Runtime API, to the endpoint and to the
//! transcoder. Each latency includes the components behind. Their differences are the shares.
//!
//! `cargo bench -p rampway --bench proxy -- target/deploy` measures the binaries of that directory,
//! by default those beside this program.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use cloud::{identity::admin::Admin, setting::Environment};
use local::{LocalCloud, Options, State};
use rampway::serve;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use shared::identity::Kind;

const ROUNDS: usize = 41;
const SIZES: [usize; 3] = [100, 1000, 10_000];

#[tokio::main]
async fn main() {
    let binaries = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).map(PathBuf::from);
    // Cargo runs benches in their package's directory.
    let binaries = binaries.map(|path| Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path));
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml").into();
    let options = Options { template, port: 0, instances: 1, state: State::Ephemeral, binaries, quiet: true, ..Options::default() };
    let (cloud, seed) = serve::start(options).await.expect("the local cloud starts");
    let client = Client::builder().no_proxy().build().expect("a client");
    let seed = seed.expect("the template has the authority").credentials;
    let credentials = json!({"client_id": seed.client_id, "client_secret": seed.client_secret.expose()});
    let init = client.post(format!("{}/auth/init", cloud.api())).body(credentials.to_string()).send().await.expect("API Gateway responds");
    let token: Value = serde_json::from_str(&init.text().await.expect("text")).expect("JSON");
    let token = token["smart_token"].as_str().expect("a smart token").to_owned();
    let ids = ids(&cloud, SIZES[2]).await;
    let urls = Urls::of(&cloud);

    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    println!("{cores} cores, medians of {ROUNDS} requests one after another, binaries of {}", cloud.binaries().display());
    println!("{:<16} {:>10} {:>10} {:>11} {:>9} {:>7} {:>8}", "ids", "whole", "ids/s", "transcoder", "endpoint", "proxy", "gateway");
    for count in SIZES {
        for (shape, data) in
            [("objects", objects(&ids[..count])), ("grouped", json!([{"target": "1006", "values": ids[..count]}]).to_string())]
        {
            let body = format!(r#"{{"rpc":"request","smart_token":"{token}","transcode_data":{data}}}"#);
            let event = json!({
                "httpMethod": "POST", "path": "/auth/request", "requestContext": {"httpMethod": "POST"}, "body": body, "isBase64Encoded": false,
            });
            let post = |url: &str, body: String| client.post(url).header("content-type", "application/json").body(body);
            let mut times = [const { Vec::new() }; 4];
            for _ in 0..ROUNDS {
                let requests = [
                    post(&urls.gateway, body.clone()),
                    post(&urls.lambda, event.to_string()),
                    post(&urls.endpoint, body.clone()),
                    post(&urls.transcoder, body.clone()),
                ];
                for (request, times) in requests.into_iter().zip(&mut times) {
                    times.push(timed(request).await);
                }
            }
            let [gateway, lambda, endpoint, transcoder] = times.map(median);
            #[expect(clippy::cast_precision_loss, reason = "the rate is printed without decimals")]
            let rate = count as f64 / gateway.as_secs_f64();
            let share = |time: Duration| format!("{:.0} %", 100.0 * time.as_secs_f64() / gateway.as_secs_f64());
            println!(
                "{:<16} {:>10} {rate:>10.0} {:>11} {:>9} {:>7} {:>8}",
                format!("{count} {shape}"),
                format!("{:.2} ms", 1e3 * gateway.as_secs_f64()),
                share(transcoder),
                share(endpoint.saturating_sub(transcoder)),
                share(lambda.saturating_sub(endpoint)),
                share(gateway.saturating_sub(lambda)),
            );
        }
    }
    cloud.stop().await;
}

/// The URL of each component.
struct Urls {
    gateway: String,
    lambda: String,
    endpoint: String,
    transcoder: String,
}

impl Urls {
    fn of(cloud: &LocalCloud) -> Self {
        let instance = cloud.instances().into_iter().next().expect("a transcoder is running");
        // As SageMaker does, the local cloud passes the port in the transcoder's environment.
        let process = instance.process.expect("the transcoder is running");
        let environment = std::fs::read_to_string(format!("/proc/{process}/environ")).expect("Linux shows a process's environment");
        let port = environment.split('\0').find_map(|pair| pair.strip_prefix("SAGEMAKER_BIND_TO_PORT=")).expect("it has a port");
        Self {
            gateway: format!("{}/auth/request", cloud.api()),
            lambda: format!("{}/2015-03-31/functions/SmProxyFunction/invocations", cloud.lambda_url()),
            endpoint: format!("{}/endpoints/{}/invocations", cloud.sagemaker_url(), instance.endpoint),
            transcoder: format!("http://127.0.0.1:{port}/invocations"),
        }
    }
}

async fn timed(request: RequestBuilder) -> Duration {
    let start = Instant::now();
    let response = request.send().await.expect("a response");
    let status = response.status();
    let text = response.bytes().await.expect("a body");
    let latency = start.elapsed();
    assert!(status.is_success() && text.len() > 1000, "{status} {}", String::from_utf8_lossy(&text));
    latency
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

async fn ids(cloud: &LocalCloud, count: usize) -> Vec<String> {
    let admin = Admin::from_env(&Environment::with_defaults(cloud.environment().clone())).await.expect("the tables are there");
    let domain = "1005".parse().expect("a domain");
    let mint = admin.mint(&[domain]).await.expect("the domain is there");
    let id = |number: u128| mint.id(Kind::Maintained, domain, &number.to_be_bytes()).expect("the domain has a key").to_string();
    (0..count as u128).map(id).collect()
}

fn objects(ids: &[String]) -> String {
    let entries: Vec<String> = ids.iter().map(|id| format!(r#"{{"value":"{id}","target":"1006"}}"#)).collect();
    format!("[{}]", entries.join(","))
}
