//! Translates whole files with servers that are slow, fail, or respond out of order.

mod formats;
mod resume;

use std::{
    fmt::Write,
    fs,
    future::pending,
    num::NonZero,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, http::StatusCode, response::IntoResponse};
use client::{Client, Credentials};
use serde_json::{Value, json};
use shared::secret::SecretText;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::{Column, Compression, Location, Options, Report, Target, dry_run, translate};

/// A server that responds in reverse order and refuses ids that end in 7. `failure` returns the
/// status of a request that fails, by the request's number.
async fn server(failure: fn(usize) -> Option<StatusCode>) -> (Client, Arc<AtomicUsize>) {
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = requests.clone();
    let app = Router::new().fallback(move |body: String| async move {
        let body: Value = serde_json::from_str(&body).unwrap();
        if body["rpc"] == "refresh" {
            return json!({ "smart_token": "opaque" }).to_string().into_response();
        }
        let number = counter.fetch_add(1, Ordering::SeqCst);
        if let Some(status) = failure(number) {
            return status.into_response();
        }
        let delay = 4 - number % 4;
        tokio::time::sleep(Duration::from_millis(3 * delay as u64)).await;
        let groups: Vec<_> = body["transcode_data"].as_array().unwrap().iter().map(translated).collect();
        json!(groups).to_string().into_response()
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/Prod", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let credentials = Credentials { client_id: "demo".into(), client_secret: SecretText::default() };
    (Client::new(&url, credentials).unwrap(), requests)
}

fn translated(group: &Value) -> Value {
    let target = group["target"].as_str().unwrap();
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    for (index, id) in group["values"].as_array().unwrap().iter().enumerate() {
        let id = id.as_str().unwrap();
        let refused = id.ends_with('7') || !id.starts_with("XY1005");
        values.push((!refused).then(|| id.replace("XY1005", &format!("XY{target}"))));
        if refused {
            errors.push(json!({ "index": index, "code": "I001", "message": "" }));
        }
    }
    json!({ "values": values, "errors": errors })
}

/// The text of a file with `rows` ids.
fn rows(rows: usize) -> String {
    let mut text = String::from("row,rampid\r\n");
    (0..rows).for_each(|row| write!(text, "{row},XY1005{row}\r\n").unwrap());
    text
}

/// The translation of that file.
fn result(rows: usize) -> String {
    let outcome = |row: usize| if row % 10 == 7 { ",I001".into() } else { format!("XY1006{row},") };
    let mut text = String::from("row,rampid,rampid_1006,error_code\r\n");
    (0..rows).for_each(|row| write!(text, "{row},XY1005{row},{}\r\n", outcome(row)).unwrap());
    text
}

/// A directory with a file, and options that translate it in small requests.
fn file(name: &str, text: impl AsRef<[u8]>) -> (TempDir, Options) {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join(name);
    fs::write(&input, text).unwrap();
    let options = Options {
        output: Location::Local(dir.path().join("out.csv")),
        store: None,
        input: Location::Local(input),
        rejects: None,
        input_format: None,
        output_format: None,
        compression: None,
        column: Column::Named("rampid".into()),
        target: Target::Domain("1006".parse().unwrap()),
        delimiter: None,
        in_flight: NonZero::new(4).unwrap(),
        max_request_bytes: 5000,
        progress: false,
        resume: false,
    };
    (dir, options)
}

fn audience(count: usize) -> (TempDir, Options) {
    file("audience.csv", rows(count))
}

fn files(dir: &Path) -> usize {
    fs::read_dir(dir).unwrap().count()
}

fn written(options: &Options) -> Vec<u8> {
    fs::read(options.output.name().unwrap()).unwrap()
}

async fn run(options: &Options) -> Result<Report, String> {
    let (client, _) = server(|_| None).await;
    translate(client, options, pending()).await.map_err(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_keep_their_order_when_responses_do_not() {
    let (dir, options) = audience(500);
    let (client, requests) = server(|_| None).await;
    let report = translate(client, &options, pending()).await.unwrap();
    assert_eq!(String::from_utf8(written(&options)).unwrap(), result(500));
    assert_eq!((report.rows(), report.translated(), report.refused()["I001"]), (500, 450, 50));
    assert!(requests.load(Ordering::SeqCst) > 20);

    // The input, the output and the report.
    assert_eq!(files(dir.path()), 3);
    let report: Value = serde_json::from_slice(&fs::read(dir.path().join("out.csv.report.json")).unwrap()).unwrap();
    let digest = |text: String| shared::encoding::hex(&shared::crypto::sha256(text.as_bytes()));
    assert_eq!(report["input"]["sha256"], digest(rows(500)));
    assert_eq!(report["output"]["sha256"], digest(result(500)));
    assert_eq!(report["output"]["bytes"], result(500).len());
    assert_eq!(report["rows"]["in"], 500);
    assert_eq!(report["pairs"][0]["refused"]["I001"]["first"], 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_rows_are_copied_to_the_rejects_file() {
    let (dir, mut options) = audience(20);
    options.rejects = Some(dir.path().join("bad.csv"));
    run(&options).await.unwrap();
    let rejects = fs::read_to_string(dir.path().join("bad.csv")).unwrap();
    assert_eq!(rejects, "row,rampid,error_code,error_message\r\n7,XY10057,I001,\r\n17,XY100517,I001,\r\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_at_the_end_of_a_file_leaves_an_existing_output_unchanged() {
    let (dir, options) = file("audience.csv", rows(500) + "500,\"XY1005500\r\n");
    fs::write(options.output.name().unwrap(), "earlier").unwrap();
    let error = run(&options).await.unwrap_err();
    assert!(error.ends_with("audience.csv: the row that starts in line 502 opens a quote that nothing closes"), "{error}");
    assert_eq!(written(&options), b"earlier");
    assert_eq!(files(dir.path()), 2);
}

#[tokio::test]
async fn a_file_without_ids_sends_no_request() {
    let (_folder, options) = audience(0);
    let (client, requests) = server(|_| None).await;
    assert_eq!(translate(client, &options, pending()).await.unwrap().rows(), 0);
    assert_eq!(requests.load(Ordering::SeqCst), 0);
    assert_eq!(String::from_utf8(written(&options)).unwrap(), "row,rampid,rampid_1006,error_code\r\n");
}

#[tokio::test]
async fn unreadable_inputs_and_unwritable_outputs_are_reported() {
    let (dir, mut options) = audience(1);
    options.output = Location::Local(dir.path().join("no").join("out.csv"));
    let error = run(&options).await.unwrap_err();
    assert!(error.contains("no/out.csv cannot be written (No such file"), "{error}");
    options.output = Location::Local(dir.path().into());
    assert!(run(&options).await.unwrap_err().contains("cannot be written ("));
    options.output = Location::Local(dir.path().join("out.csv"));
    for input in ["no.csv", "."] {
        options.input = Location::Local(dir.path().join(input));
        assert!(run(&options).await.unwrap_err().contains(": it cannot be read ("));
    }
}

#[tokio::test]
async fn the_files_of_a_run_must_differ() {
    let (dir, mut options) = audience(1);
    let alias = dir.path().join(".").join("audience.csv");
    options.output = Location::Local(alias.clone());
    assert!(run(&options).await.unwrap_err().contains("cannot be two files at once"));
    options.output = Location::Local(dir.path().join("link.csv"));
    std::os::unix::fs::symlink(&alias, dir.path().join("link.csv")).unwrap();
    assert!(run(&options).await.unwrap_err().contains("link.csv cannot be two files at once"));
    options.output = Location::Local(dir.path().join("out.csv"));
    options.rejects = Some(dir.path().join("out.csv"));
    assert!(run(&options).await.unwrap_err().contains("out.csv cannot be two files at once"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_translates_the_first_rows_and_writes_nothing() {
    let (dir, options) = audience(500);
    let (client, requests) = server(|_| None).await;
    let result = dry_run(client, &options).await.unwrap();
    assert_eq!((files(dir.path()), requests.load(Ordering::SeqCst)), (1, 1));
    let text = result.to_string();
    assert!(text.contains("columns: row, rampid\nadded: rampid_1006, error_code\nthe first 21 rows: 19 translated, 0 blank\n"), "{text}");
    assert!(text.contains("1005 -> 1006: 2 refused with I001, the first in row 8"), "{text}");
}
