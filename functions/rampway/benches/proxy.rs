//! Translations through `sm_proxy` as a Lambda function, and the share that each part has of them: the same ids are sent to the gateway, to the
//! function's Runtime API, to the endpoint and to the transcoder, and each time is what the parts behind it take, too.
//!
//! `cargo bench -p rampway --bench proxy -- target/deploy` measures the binaries of that folder; without one, those beside this program.

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
    let folder = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).map(PathBuf::from);
    // Cargo starts benches in their package's folder.
    let folder = folder.map(|folder| Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder));
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml").into();
    let options = Options { template, port: 0, instances: 1, state: State::Ephemeral, binaries: folder, quiet: true, ..Options::default() };
    let (suite, seed) = serve::start(options).await.expect("the suite starts");
    let client = Client::builder().no_proxy().build().expect("a client");
    let seed = seed.expect("the template has the authority's side").credentials;
    let credentials = json!({"client_id": seed.client_id, "client_secret": seed.client_secret.expose()});
    let init = client.post(format!("{}/auth/init", suite.api())).body(credentials.to_string()).send().await.expect("the gateway answers");
    let token: Value = serde_json::from_str(&init.text().await.expect("text")).expect("JSON");
    let token = token["smart_token"].as_str().expect("a smart token").to_owned();
    let ids = ids(&suite, SIZES[2]).await;
    let places = Places::of(&suite);

    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    println!("{cores} cores, medians of {ROUNDS} requests one after another, binaries of {}", suite.binaries().display());
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
                    post(&places.gateway, body.clone()),
                    post(&places.lambda, event.to_string()),
                    post(&places.endpoint, body.clone()),
                    post(&places.transcoder, body.clone()),
                ];
                for (request, times) in requests.into_iter().zip(&mut times) {
                    times.push(timed(request).await);
                }
            }
            let [gateway, lambda, endpoint, transcoder] = times.map(median);
            #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
            let rate = count as f64 / gateway.as_secs_f64();
            let share = |part: Duration| format!("{:.0} %", 100.0 * part.as_secs_f64() / gateway.as_secs_f64());
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
    suite.stop().await;
}

/// Where each part is asked.
struct Places {
    gateway: String,
    lambda: String,
    endpoint: String,
    transcoder: String,
}

impl Places {
    fn of(suite: &LocalCloud) -> Self {
        let instance = suite.instances().into_iter().next().expect("there is an instance");
        // The suite gives each transcoder its port by the environment, as SageMaker does.
        let process = instance.process.expect("it runs");
        let environment = std::fs::read_to_string(format!("/proc/{process}/environ")).expect("Linux tells a process's environment");
        let port = environment.split('\0').find_map(|pair| pair.strip_prefix("SAGEMAKER_BIND_TO_PORT=")).expect("it has a port");
        Self {
            gateway: format!("{}/auth/request", suite.api()),
            lambda: format!("{}/2015-03-31/functions/SmProxyFunction/invocations", suite.lambda_url()),
            endpoint: format!("{}/endpoints/{}/invocations", suite.sagemaker_url(), instance.endpoint),
            transcoder: format!("http://127.0.0.1:{port}/invocations"),
        }
    }
}

async fn timed(request: RequestBuilder) -> Duration {
    let start = Instant::now();
    let answer = request.send().await.expect("an answer");
    let status = answer.status();
    let text = answer.bytes().await.expect("a body");
    let took = start.elapsed();
    assert!(status.is_success() && text.len() > 1000, "{status} {}", String::from_utf8_lossy(&text));
    took
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

async fn ids(suite: &LocalCloud, count: usize) -> Vec<String> {
    let admin = Admin::from_env(&Environment::with_defaults(suite.environment().clone())).await.expect("the tables are there");
    let domain = "1005".parse().expect("a domain");
    let mint = admin.mint(&[domain]).await.expect("the domain is there");
    let id = |number: u128| mint.id(Kind::Maintained, domain, &number.to_be_bytes()).expect("the domain has a key").to_string();
    (0..count as u128).map(id).collect()
}

fn objects(ids: &[String]) -> String {
    let entries: Vec<String> = ids.iter().map(|id| format!(r#"{{"value":"{id}","target":"1006"}}"#)).collect();
    format!("[{}]", entries.join(","))
}
