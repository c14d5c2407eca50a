//! Start, stop and state.

use std::{collections::BTreeMap, fs, net::TcpListener, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use local::{Error, LocalCloud, Options, State};
use reqwest::Response;
use serde_json::json;

use crate::{client, exists, fixture, get, json, options, start};

/// Calls DynamoDB as the SDK does.
pub(crate) async fn dynamodb(environment: &BTreeMap<String, String>, action: &str, body: String) -> Response {
    let signed = "AWS4-HMAC-SHA256 Credential=a/20260101/eu-west-1/dynamodb/aws4_request, SignedHeaders=host, Signature=b";
    let request = client()
        .post(&environment["AWS_ENDPOINT_URL_DYNAMODB"])
        .header("x-amz-target", format!("DynamoDB_20120810.{action}"))
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-date", "20260101T000000Z")
        .header("authorization", signed);
    request.body(body).send().await.expect("a response")
}

fn with_state(state: &Path) -> Options {
    Options { state: State::Directory(state.into()), ..options() }
}

#[tokio::test(flavor = "multi_thread")]
async fn state_survives_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state");
    let first = LocalCloud::start(with_state(&state)).await.unwrap();
    let item = json!({"TableName": "ItemsTable", "Item": {"id": {"S": "1"}, "kind": {"S": "a"}}}).to_string();
    assert_eq!(dynamodb(first.environment(), "PutItem", item).await.status(), 200);
    let file = first.environment_file().unwrap().to_owned();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(fs::read_to_string(&file).unwrap().contains("ITEMS_TABLE=ItemsTable\n"));
    let key = fs::read(state.join("master.key")).unwrap();
    let taken = LocalCloud::start(with_state(&state)).await.unwrap_err();
    assert!(matches!(taken, Error::StateInUse(_)), "{taken}");
    first.stop().await;
    assert!(!file.exists());

    let second = LocalCloud::start(with_state(&state)).await.unwrap();
    assert_eq!(fs::read(state.join("master.key")).unwrap(), key);
    let item = json!({"TableName": "ItemsTable", "Key": {"id": {"S": "1"}}}).to_string();
    let item = json(dynamodb(second.environment(), "GetItem", item).await).await;
    assert_eq!(item["Item"]["kind"]["S"], "a");
    second.stop().await;

    let changed = fs::read_to_string(fixture::template()).unwrap().replace("IndexName: kinds", "IndexName: sorts");
    let template = directory.path().join("template.yaml");
    fs::write(&template, changed).unwrap();
    let error = LocalCloud::start(Options { template: template.into(), ..with_state(&state) }).await.unwrap_err().to_string();
    assert!(error.contains("its table ItemsTable differs from the template's") && error.contains("delete the folder"), "{error}");

    fs::write(state.join("dynamodb.sqlite"), "not a database, but as long as the header of one").unwrap();
    for file in ["dynamodb.sqlite-wal", "dynamodb.sqlite-shm"] {
        let _ = fs::remove_file(state.join(file));
    }
    let error = LocalCloud::start(with_state(&state)).await.unwrap_err();
    assert!(matches!(error, Error::State { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_start_names_the_reason() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port();
    assert_eq!(
        LocalCloud::start(Options { port, ..options() }).await.unwrap_err().to_string(),
        format!("port {port} is taken; stop the program that listens on it, or choose another port with --port")
    );
    let empty = tempfile::tempdir().unwrap();
    let error = LocalCloud::start(Options { binaries: Some(empty.path().into()), ..options() }).await.unwrap_err().to_string();
    assert!(error.starts_with("the binary echo is not in "), "{error}");
    // A container that exits at once, after every start.
    for name in ["echo", "broken"] {
        fs::copy(options().binaries.unwrap().join(name), empty.path().join(name)).unwrap();
    }
    fs::copy(options().binaries.unwrap().join("broken"), empty.path().join("transcoder")).unwrap();
    let error = LocalCloud::start(Options { binaries: Some(empty.path().into()), ..options() }).await.unwrap_err().to_string();
    assert!(error.starts_with("transcoder 0 does not come into service"), "{error}");
    assert!(error.contains("no configuration"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_process_or_file_is_left_behind() {
    for stopped in [true, false] {
        let cloud = start().await;
        let function = json(get(&cloud, "/act").await).await["process"].as_u64().unwrap();
        let container = u64::from(cloud.instances()[0].process.unwrap());
        let state = cloud.state().to_owned();
        assert!(exists(function) && exists(container) && state.exists());
        let api = cloud.api().to_owned();
        if stopped {
            cloud.stop().await;
            assert!(!exists(function) && !exists(container), "stop waits for the processes");
        } else {
            drop(cloud);
        }
        // The kernel reaps a killed process some time later.
        for _ in 0..100 {
            if exists(function) || exists(container) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        assert!(!exists(function) && !exists(container) && !state.exists());
        assert!(client().get(api).send().await.unwrap_err().is_connect());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_request_is_finished_before_the_stop() {
    let cloud = start().await;
    get(&cloud, "/act").await;
    let request = client().get(format!("{}/act?do=wait&ms=700", cloud.api())).send();
    let request = tokio::spawn(request);
    tokio::time::sleep(Duration::from_millis(200)).await;
    cloud.stop().await;
    assert_eq!(request.await.unwrap().unwrap().status(), 200);
}
