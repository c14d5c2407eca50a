//! The latency of a signature, over the function's Runtime API and through API Gateway. A browser
//! requests signatures one after another, so that it limits the speed of an upload. For comparison,
//! the function's response to a request for the time, which reads no table, and the one table read
//! of a signature.
//!
//! `cargo bench -p rampway --bench sign -- target/deploy` measures the binaries of that directory,
//! by default those beside this program.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use cloud::{
    setting::Environment,
    upload::setting::Table,
    vault::{Tables, s},
};
use local::{Options, State};
use rampway::serve;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use shared::{crypto::sha256, encoding::hex};
use time::{OffsetDateTime, macros::format_description};

const ROUNDS: usize = 1001;

#[tokio::main]
async fn main() {
    let binaries = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).map(PathBuf::from);
    // Cargo runs benches in their package's directory.
    let binaries = binaries.map(|path| Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path));
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml").into();
    // One page never sends requests at this rate: the API would throttle it.
    let parameters = ["RateLimit", "BurstLimit"].map(|name| (name.to_owned(), "100000".to_owned())).into();
    let options = Options { template, parameters, port: 0, state: State::Ephemeral, binaries, quiet: true, ..Options::default() };
    let (cloud, _) = serve::start(options).await.expect("the local cloud starts");
    let client = Client::builder().no_proxy().build().expect("a client");
    let created = client.post(format!("{}/upload", cloud.api())).json(&json!({"name": "measured.mp4"})).send().await.expect("a response");
    let upload = Upload(created.json().await.expect("an upload"));
    let environment = Environment::with_defaults(cloud.environment().clone());
    let (tables, table) = (Tables::connect(&environment).await, Table::Uploads.name(&environment).expect("the template has the table"));

    let lambda = format!("{}/2015-03-31/functions/SignUploadFunction/invocations", cloud.lambda_url());
    let mut times = [const { Vec::new() }; 4];
    for round in 0..ROUNDS {
        let parameters = upload.part(round % 10_000 + 1);
        let sign = event("/sign/{videoId}", &upload.video(), &parameters);
        let query = reqwest::Url::parse_with_params(&format!("{}/sign/{}", cloud.api(), upload.video()), &parameters).expect("a URL");
        times[0].push(timed(client.post(&lambda).body(event("/time", "", &[]).to_string())).await);
        let start = Instant::now();
        let read = tables.dynamo().get_item().table_name(&table).key("item", s(format!("upload#{}", upload.video()))).consistent_read(true);
        assert!(read.send().await.expect("the table responds").item.is_some(), "the upload is in the table");
        times[1].push(start.elapsed());
        times[2].push(timed(client.post(&lambda).body(sign.to_string())).await);
        times[3].push(timed(client.get(query)).await);
    }
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    println!("{cores} cores, {ROUNDS} requests one after another, binaries of {}", cloud.binaries().display());
    println!("{:<44} {:>10} {:>10}", "", "median, ms", "p99, ms");
    let names =
        ["the time, over the Runtime API", "a read of the table", "a signature, over the Runtime API", "a signature, through API Gateway"];
    for (name, times) in names.into_iter().zip(&mut times) {
        times.sort();
        let [median, p99] = [times[times.len() / 2], times[times.len() * 99 / 100]].map(|time| 1e3 * time.as_secs_f64());
        println!("{name:<44} {median:>10.2} {p99:>10.2}");
    }
    cloud.stop().await;
}

/// The response of `POST /upload`.
struct Upload(Value);

impl Upload {
    fn text(&self, member: &str) -> &str {
        self.0[member].as_str().expect("the member is a string")
    }

    fn video(&self) -> String {
        self.text("videoId").into()
    }

    /// Returns the query of the request that signs a part.
    fn part(&self, number: usize) -> [(&'static str, String); 3] {
        let format = format_description!("[year][month][day]T[hour][minute][second]Z");
        let datetime = OffsetDateTime::now_utc().format(format).expect("the format has only known components");
        let (bucket, key, token) = (self.text("bucket"), self.text("objectKey"), self.text("sessionToken"));
        let canonical = format!(
            "PUT\n/{bucket}/{key}\npartNumber={number}&uploadId=measured\ncontent-md5:XkyO+4ktkipLwwIS2R8z5g==\nhost:s3.amazonaws.com\n\
             x-amz-date:{datetime}\nx-amz-security-token:{token}\n\ncontent-md5;host;x-amz-date;x-amz-security-token\nUNSIGNED-PAYLOAD"
        );
        let scope = format!("{}/us-east-1/s3/aws4_request", &datetime[..8]);
        let to_sign = format!("AWS4-HMAC-SHA256\n{datetime}\n{scope}\n{}", hex(&sha256(canonical.as_bytes())));
        [("to_sign", to_sign), ("datetime", datetime), ("canonical_request", canonical)]
    }
}

/// Returns an event of a REST API.
fn event(resource: &str, video: &str, query: &[(&str, String)]) -> Value {
    let query: serde_json::Map<_, _> = query.iter().map(|(name, value)| ((*name).to_owned(), json!([value]))).collect();
    let path = resource.replace("{videoId}", video);
    json!({
        "resource": resource, "path": path, "httpMethod": "GET", "headers": {}, "multiValueHeaders": {}, "isBase64Encoded": false,
        "multiValueQueryStringParameters": query, "pathParameters": {"videoId": video},
        "requestContext": {"httpMethod": "GET", "resourcePath": resource, "path": path, "stage": "Prod", "identity": {"sourceIp": "127.0.0.1"}},
    })
}

async fn timed(request: RequestBuilder) -> Duration {
    let start = Instant::now();
    let response = request.send().await.expect("a response");
    let status = response.status();
    let text = response.text().await.expect("a body");
    let latency = start.elapsed();
    // Over the Runtime API, the function's status is in the body.
    assert!(status.is_success() && !text.contains("\"error\""), "{status} {text}");
    latency
}
