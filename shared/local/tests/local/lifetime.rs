//! How a suite begins and ends, and what it keeps.

use std::{collections::BTreeMap, fs, net::TcpListener, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use local::{Error, LocalCloud, Options, State};
use reqwest::Response;
use serde_json::json;

use crate::{client, exists, fixture, get, json, options, suite};

/// Calls the embedded database, as an SDK would.
pub(crate) async fn dynamodb(environment: &BTreeMap<String, String>, action: &str, body: String) -> Response {
    let signed = "AWS4-HMAC-SHA256 Credential=a/20260101/eu-west-1/dynamodb/aws4_request, SignedHeaders=host, Signature=b";
    let request = client()
        .post(&environment["AWS_ENDPOINT_URL_DYNAMODB"])
        .header("x-amz-target", format!("DynamoDB_20120810.{action}"))
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-date", "20260101T000000Z")
        .header("authorization", signed);
    request.body(body).send().await.expect("an answer")
}

fn kept(state: &Path) -> Options {
    Options { state: State::Directory(state.into()), ..options() }
}

#[tokio::test(flavor = "multi_thread")]
async fn state_is_kept_from_one_start_to_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state");
    let first = LocalCloud::start(kept(&state)).await.unwrap();
    let item = json!({"TableName": "ItemsTable", "Item": {"id": {"S": "1"}, "kind": {"S": "a"}}}).to_string();
    assert_eq!(dynamodb(first.environment(), "PutItem", item).await.status(), 200);
    let file = first.environment_file().unwrap().to_owned();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(fs::read_to_string(&file).unwrap().contains("ITEMS_TABLE=ItemsTable\n"));
    let key = fs::read(state.join("master.key")).unwrap();
    let taken = LocalCloud::start(kept(&state)).await.unwrap_err();
    assert!(matches!(taken, Error::StateInUse(_)), "{taken}");
    first.stop().await;
    assert!(!file.exists());

    let second = LocalCloud::start(kept(&state)).await.unwrap();
    assert_eq!(fs::read(state.join("master.key")).unwrap(), key);
    let item = json!({"TableName": "ItemsTable", "Key": {"id": {"S": "1"}}}).to_string();
    let item = json(dynamodb(second.environment(), "GetItem", item).await).await;
    assert_eq!(item["Item"]["kind"]["S"], "a");
    second.stop().await;

    let changed = fs::read_to_string(fixture::template()).unwrap().replace("IndexName: kinds", "IndexName: sorts");
    let template = directory.path().join("template.yaml");
    fs::write(&template, changed).unwrap();
    let error = LocalCloud::start(Options { template: template.into(), ..kept(&state) }).await.unwrap_err().to_string();
    assert!(error.contains("its table ItemsTable is not the template's") && error.contains("delete the folder"), "{error}");

    fs::write(state.join("dynamodb.sqlite"), "no database at all, but long enough to be taken for one").unwrap();
    for remains in ["dynamodb.sqlite-wal", "dynamodb.sqlite-shm"] {
        let _ = fs::remove_file(state.join(remains));
    }
    let error = LocalCloud::start(kept(&state)).await.unwrap_err();
    assert!(matches!(error, Error::State { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_a_suite_from_starting_is_said() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port();
    assert_eq!(
        LocalCloud::start(Options { port, ..options() }).await.unwrap_err().to_string(),
        format!("port {port} is taken: stop the program that listens there, or choose another port with --port")
    );
    let empty = tempfile::tempdir().unwrap();
    let error = LocalCloud::start(Options { binaries: Some(empty.path().into()), ..options() }).await.unwrap_err().to_string();
    assert!(error.starts_with("there is no program echo in "), "{error}");
    // A container that ends at once, over and over.
    for name in ["echo", "broken"] {
        fs::copy(options().binaries.unwrap().join(name), empty.path().join(name)).unwrap();
    }
    fs::copy(options().binaries.unwrap().join("broken"), empty.path().join("transcoder")).unwrap();
    let error = LocalCloud::start(Options { binaries: Some(empty.path().into()), ..options() }).await.unwrap_err().to_string();
    assert!(error.starts_with("transcoder 0 does not come into service"), "{error}");
    assert!(error.contains("no configuration"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_behind() {
    for stopped in [true, false] {
        let suite = suite().await;
        let function = json(get(&suite, "/act").await).await["process"].as_u64().unwrap();
        let container = u64::from(suite.instances()[0].process.unwrap());
        let state = suite.state().to_owned();
        assert!(exists(function) && exists(container) && state.exists());
        let api = suite.api().to_owned();
        if stopped {
            suite.stop().await;
            assert!(!exists(function) && !exists(container), "stopping waits for the processes");
        } else {
            drop(suite);
        }
        // What is killed is gone when the system has got to it.
        for _ in 0..100 {
            if exists(function) || exists(container) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        assert!(!exists(function) && !exists(container) && !state.exists());
        assert!(client().get(api).send().await.is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_runs_is_finished_before_the_end() {
    let suite = suite().await;
    get(&suite, "/act").await;
    let request = client().get(format!("{}/act?do=wait&ms=700", suite.api())).send();
    let request = tokio::spawn(request);
    tokio::time::sleep(Duration::from_millis(200)).await;
    suite.stop().await;
    assert_eq!(request.await.unwrap().unwrap().status(), 200);
}
