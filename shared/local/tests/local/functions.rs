//! Lambda.

use std::collections::BTreeSet;

use local::{LocalCloud, Options};
use reqwest::StatusCode;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{client, exists, get, header, json, options, start};

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_fails_one_request() {
    let cloud = start().await;
    let before = json(get(&cloud, "/act").await).await["process"].as_u64().unwrap();
    assert_eq!(json(get(&cloud, "/act").await).await["process"], before, "a process stays warm");
    assert_eq!(get(&cloud, "/act?do=crash").await.status(), StatusCode::BAD_GATEWAY);
    let after = json(get(&cloud, "/act").await).await["process"].as_u64().unwrap();
    assert_ne!(before, after);
    assert!(!exists(before));
    // The exit of an idle process fails none.
    let process = Pid::from_raw(i32::try_from(after).unwrap()).unwrap();
    kill_process(process, Signal::KILL).unwrap();
    assert_eq!(get(&cloud, "/act").await.status(), StatusCode::OK);
    cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_is_killed_when_its_timeout_expires() {
    let cloud = start().await;
    let before = json(get(&cloud, "/hasty").await).await["process"].as_u64().unwrap();
    assert_eq!(get(&cloud, "/hasty?do=wait&ms=9000").await.status(), StatusCode::BAD_GATEWAY);
    assert!(!exists(before));
    let error = cloud.invoke("HastyFunction", &json!({"queryStringParameters": {"do": "wait", "ms": "9000"}})).await.unwrap_err();
    assert!(error.to_string().contains("Task timed out after 1.00 seconds"), "{error}");
    assert_eq!(get(&cloud, "/hasty").await.status(), StatusCode::OK);
    cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_handles_one_request_and_load_starts_more_up_to_the_limit() {
    let cloud = LocalCloud::start(Options { max_processes: 3, ..options() }).await.unwrap();
    let mut requests = JoinSet::new();
    for _ in 0..9 {
        let request = client().get(format!("{}/act?do=wait&ms=300", cloud.api()));
        requests.spawn(async move { json(request.send().await.unwrap()).await["process"].as_u64().unwrap() });
    }
    let processes = requests.join_all().await;
    assert_eq!((processes.len(), processes.into_iter().collect::<BTreeSet<_>>().len()), (9, 3));
    cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_are_invoked_by_name() {
    let cloud = start().await;
    assert_eq!(cloud.invoke("EchoFunction", &json!({"rpc": "reinit"})).await.unwrap()["event"], json!({"rpc": "reinit"}));
    assert_eq!(cloud.invoke("NoFunction", &json!({})).await.unwrap_err().to_string(), "there is no function NoFunction");
    let broken = cloud.invoke("BrokenFunction", &json!({})).await.unwrap_err().to_string();
    assert!(broken.contains("Runtime exited with error: exit status: 7"), "{broken}");

    let invoke = |name: &str, body: &'static str| {
        client().post(format!("{}/2015-03-31/functions/{name}/invocations", cloud.lambda_url())).body(body)
    };
    let answer = invoke("arn:aws:lambda:eu-west-1:123456789012:function:EchoFunction", "7").send().await.unwrap();
    assert_eq!((answer.status(), header(&answer, "x-amz-executed-version")), (StatusCode::OK, "$LATEST"));
    assert_eq!(json(answer).await["event"], 7);
    let failed = invoke("EchoFunction", r#"{"queryStringParameters":{"do":"fail"}}"#).send().await.unwrap();
    assert_eq!((failed.status(), header(&failed, "x-amz-function-error")), (StatusCode::OK, "Unhandled"));
    assert_eq!(json(failed).await["errorMessage"], "it failed");
    let event = invoke("EchoFunction", "{}").header("x-amz-invocation-type", "Event").send().await.unwrap();
    assert_eq!(event.status(), StatusCode::ACCEPTED);
    let refused: Vec<(u16, String)> = vec![
        status_and_kind(invoke("EchoFunction", "{").send().await.unwrap()),
        status_and_kind(invoke("Missing", "{}").send().await.unwrap()),
    ];
    assert_eq!(refused, [(400, "InvalidRequestContentException".into()), (404, "ResourceNotFoundException".into())]);
    cloud.stop().await;
}

#[expect(clippy::needless_pass_by_value, reason = "a response is read once")]
fn status_and_kind(response: reqwest::Response) -> (u16, String) {
    (response.status().as_u16(), header(&response, "x-amzn-errortype").to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_administrator_s_environment_has_every_table_and_url() {
    let cloud = start().await;
    let environment = cloud.environment();
    assert_eq!(environment["ITEMS_TABLE"], "ItemsTable");
    assert_eq!(environment["AUTHORITY_URL"], cloud.api());
    let request = json!({"TableName": "ItemsTable"}).to_string();
    let table: Value = json(crate::lifetime::dynamodb(environment, "DescribeTable", request).await).await;
    assert_eq!(table["Table"]["GlobalSecondaryIndexes"][0]["IndexName"], "kinds");
    cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disconnected_caller_leaves_no_process_behind() {
    let cloud = LocalCloud::start(Options { max_processes: 1, ..options() }).await.unwrap();
    let before = json(get(&cloud, "/hasty").await).await["process"].as_u64().unwrap();
    let request = client().get(format!("{}/hasty?do=wait&ms=9000", cloud.api()));
    assert!(request.timeout(std::time::Duration::from_millis(200)).send().await.unwrap_err().is_timeout());
    // The function's timeout ends the process, which makes room for another.
    let after = json(get(&cloud, "/hasty").await).await["process"].as_u64().unwrap();
    assert!(before != after && !exists(before));
    cloud.stop().await;
}
