//! Whole files, through servers that answer late, badly, or not at all.

use std::{
    fmt::Write,
    fs,
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
use crate::client::Credentials;

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
        tokio::time::sleep(Duration::from_millis(10 * late as u64)).await;
        let (mut values, mut errors) = (Vec::new(), Vec::new());
        for (index, id) in body["transcode_data"][0]["values"].as_array().unwrap().iter().enumerate() {
            let id = id.as_str().unwrap();
            let refused = id.ends_with('7');
            values.push((!refused).then(|| id.replace("XY1005", "XY1006")));
            if refused {
                errors.push(json!({ "index": index, "code": "I001", "message": "" }));
            }
        }
        json!([{ "values": values, "errors": errors }]).to_string().into_response()
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/Prod", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let credentials = Credentials { client_id: "demo".into(), client_secret: SecretText::default() };
    (Client::new(&url, credentials).unwrap(), requests)
}

/// A folder with a file of `rows` ids, and what it takes to translate it in small requests.
fn audience(rows: usize) -> (TempDir, Options) {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("audience.csv");
    let mut text = String::from("row,rampid\r\n");
    (0..rows).for_each(|row| write!(text, "{row},XY1005{row}\r\n").unwrap());
    fs::write(&input, text).unwrap();
    let options = Options {
        output: folder.path().join("out.csv"),
        input,
        column: Column::Named("rampid".into()),
        target: "1006".parse().unwrap(),
        delimiter: b',',
        in_flight: NonZero::new(4).unwrap(),
        request_bytes: 5000,
        progress: false,
    };
    (folder, options)
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_keep_their_order_when_answers_do_not() {
    let (folder, options) = audience(500);
    let (client, requests) = server(|_| None).await;
    let summary = translate(client, &options).await.unwrap();
    let outcome = |row: usize| if row % 10 == 7 { ",I001".into() } else { format!("XY1006{row},") };
    let mut expected = String::from("row,rampid,rampid_1006,error_code\r\n");
    (0..500).for_each(|row| write!(expected, "{row},XY1005{row},{}\r\n", outcome(row)).unwrap());
    assert_eq!(fs::read_to_string(&options.output).unwrap(), expected);
    assert_eq!((summary.rows(), summary.translated(), summary.refused()["I001"]), (500, 450, 50));
    assert!(requests.load(Ordering::SeqCst) > 20);
    assert_eq!(files(folder.path()), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_vanishes_half_way_leaves_no_output() {
    let (folder, options) = audience(500);
    let (client, _) = server(|request| (request >= 10).then_some(StatusCode::INTERNAL_SERVER_ERROR)).await;
    let error = translate(client, &options).await.unwrap_err().to_string();
    assert!(error.starts_with("the server failed (500 Internal Server Error)"), "{error}");
    assert!(error.ends_with("out.csv was not written"), "{error}");
    assert_eq!(files(folder.path()), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_at_the_end_of_a_file_leaves_no_output_and_the_old_one_as_it_was() {
    let (folder, options) = audience(500);
    let mut text = fs::read(&options.input).unwrap();
    text.extend(b"500,\"XY1005500\r\n");
    fs::write(&options.input, text).unwrap();
    fs::write(&options.output, "earlier").unwrap();
    let (client, _) = server(|_| None).await;
    let error = translate(client, &options).await.unwrap_err().to_string();
    assert!(error.ends_with("audience.csv: the row that starts in line 502 opens a quote that nothing closes"), "{error}");
    assert_eq!(fs::read_to_string(&options.output).unwrap(), "earlier");
    assert_eq!(files(folder.path()), 2);
}

#[tokio::test]
async fn a_file_without_ids_asks_nobody() {
    let (_folder, options) = audience(0);
    let (client, requests) = server(|_| None).await;
    assert_eq!(translate(client, &options).await.unwrap().rows(), 0);
    assert_eq!(requests.load(Ordering::SeqCst), 0);
    assert_eq!(fs::read_to_string(&options.output).unwrap(), "row,rampid,rampid_1006,error_code\r\n");
}

#[tokio::test]
async fn an_input_that_cannot_be_opened_is_told() {
    let (folder, mut options) = audience(0);
    for input in ["no.csv", "."] {
        options.input = folder.path().join(input);
        let (client, _) = server(|_| None).await;
        let error = translate(client, &options).await.unwrap_err().to_string();
        assert!(error.contains(": it cannot be read ("), "{error}");
    }
}
