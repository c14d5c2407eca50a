//! Whole files, through servers that answer late, badly, or not at all.

mod formats;
mod resume;

use std::{
    fmt::Write,
    fs,
    future::pending,
    num::NonZero,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use axum::{Router, http::StatusCode, response::IntoResponse};
use serde_json::{Value, json};
use shared::secret::SecretText;
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::*;
use client::Credentials;

/// A server that answers its requests in the reverse order, refuses every seventh id, and calls `fault` with the number of
/// each request for something to go wrong with it.
async fn server(fault: fn(usize) -> Option<StatusCode>) -> (Client, Arc<AtomicUsize>) {
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = requests.clone();
    let app = Router::new().fallback(move |body: String| async move {
        let body: Value = serde_json::from_str(&body).unwrap();
        if body["rpc"] == "refresh" {
            return json!({ "smart_token": "opaque" }).to_string().into_response();
        }
        let number = counter.fetch_add(1, Ordering::SeqCst);
        if let Some(status) = fault(number) {
            return status.into_response();
        }
        let late = 4 - number % 4;
        tokio::time::sleep(Duration::from_millis(3 * late as u64)).await;
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

/// What becomes of it.
fn result(rows: usize) -> String {
    let outcome = |row: usize| if row % 10 == 7 { ",I001".into() } else { format!("XY1006{row},") };
    let mut text = String::from("row,rampid,rampid_1006,error_code\r\n");
    (0..rows).for_each(|row| write!(text, "{row},XY1005{row},{}\r\n", outcome(row)).unwrap());
    text
}

/// A folder with a file, and what it takes to translate it in small requests.
fn file(name: &str, text: impl AsRef<[u8]>) -> (TempDir, Options) {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join(name);
    fs::write(&input, text).unwrap();
    let options = Options {
        output: Location::Local(folder.path().join("out.csv")),
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
        request_bytes: 5000,
        progress: false,
        resume: false,
    };
    (folder, options)
}

fn audience(count: usize) -> (TempDir, Options) {
    file("audience.csv", rows(count))
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

fn written(options: &Options) -> Vec<u8> {
    fs::read(options.output.name().unwrap()).unwrap()
}

async fn run(options: &Options) -> Result<Report, String> {
    let (client, _) = server(|_| None).await;
    translate(client, options, pending()).await.map_err(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_keep_their_order_when_answers_do_not() {
    let (folder, options) = audience(500);
    let (client, requests) = server(|_| None).await;
    let report = translate(client, &options, pending()).await.unwrap();
    assert_eq!(String::from_utf8(written(&options)).unwrap(), result(500));
    assert_eq!((report.rows(), report.translated(), report.refused()["I001"]), (500, 450, 50));
    assert!(requests.load(Ordering::SeqCst) > 20);

    // The input, the output and the report on it.
    assert_eq!(files(folder.path()), 3);
    let told: Value = serde_json::from_slice(&fs::read(folder.path().join("out.csv.report.json")).unwrap()).unwrap();
    let digest = |text: String| shared::encoding::hex(&shared::crypto::sha256(text.as_bytes()));
    assert_eq!(told["input"]["sha256"], digest(rows(500)));
    assert_eq!(told["output"]["sha256"], digest(result(500)));
    assert_eq!(told["output"]["bytes"], result(500).len());
    assert_eq!(told["rows"]["in"], 500);
    assert_eq!(told["pairs"][0]["refused"]["I001"]["first"], 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_rows_are_kept_apart_too() {
    let (folder, mut options) = audience(20);
    options.rejects = Some(folder.path().join("bad.csv"));
    run(&options).await.unwrap();
    let bad = fs::read_to_string(folder.path().join("bad.csv")).unwrap();
    assert_eq!(bad, "row,rampid,error_code,error_message\r\n7,XY10057,I001,\r\n17,XY100517,I001,\r\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_at_the_end_of_a_file_leaves_no_output_and_the_old_one_as_it_was() {
    let (folder, options) = file("audience.csv", rows(500) + "500,\"XY1005500\r\n");
    fs::write(options.output.name().unwrap(), "earlier").unwrap();
    let error = run(&options).await.unwrap_err();
    assert!(error.ends_with("audience.csv: the row that starts in line 502 opens a quote that nothing closes"), "{error}");
    assert_eq!(written(&options), b"earlier");
    assert_eq!(files(folder.path()), 2);
}

#[tokio::test]
async fn a_file_without_ids_asks_nobody() {
    let (_folder, options) = audience(0);
    let (client, requests) = server(|_| None).await;
    assert_eq!(translate(client, &options, pending()).await.unwrap().rows(), 0);
    assert_eq!(requests.load(Ordering::SeqCst), 0);
    assert_eq!(String::from_utf8(written(&options)).unwrap(), "row,rampid,rampid_1006,error_code\r\n");
}

#[tokio::test]
async fn an_input_that_cannot_be_opened_and_an_output_that_cannot_be_written_are_told() {
    let (folder, mut options) = audience(1);
    options.output = Location::Local(folder.path().join("no").join("out.csv"));
    let error = run(&options).await.unwrap_err();
    assert!(error.contains("no/out.csv cannot be written (No such file"), "{error}");
    options.output = Location::Local(folder.path().into());
    assert!(run(&options).await.unwrap_err().contains("cannot be written ("));
    options.output = Location::Local(folder.path().join("out.csv"));
    for input in ["no.csv", "."] {
        options.input = Location::Local(folder.path().join(input));
        assert!(run(&options).await.unwrap_err().contains(": it cannot be read ("));
    }
}

#[tokio::test]
async fn no_file_is_read_and_written_at_once() {
    let (folder, mut options) = audience(1);
    let alias = folder.path().join(".").join("audience.csv");
    options.output = Location::Local(alias.clone());
    assert!(run(&options).await.unwrap_err().contains("cannot be two files at once"));
    options.output = Location::Local(folder.path().join("link.csv"));
    std::os::unix::fs::symlink(&alias, folder.path().join("link.csv")).unwrap();
    assert!(run(&options).await.is_err());
    options.output = Location::Local(folder.path().join("out.csv"));
    options.rejects = Some(folder.path().join("out.csv"));
    assert!(run(&options).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_says_what_would_happen_and_writes_nothing() {
    let (folder, options) = audience(500);
    let (client, requests) = server(|_| None).await;
    let told = check(client, &options).await.unwrap();
    assert_eq!((files(folder.path()), requests.load(Ordering::SeqCst)), (1, 1));
    let text = told.to_string();
    assert!(text.contains("columns: row, rampid\nadded: rampid_1006, error_code\nthe first 21 rows: 19 translated, 0 blank\n"), "{text}");
    assert!(text.contains("1005 -> 1006: 2 refused with I001, the first in row 8"), "{text}");
}
