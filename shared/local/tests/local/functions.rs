//! Lambda's part.

use std::collections::BTreeSet;

use local::{LocalCloud, Options};
use reqwest::StatusCode;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{client, exists, get, header, json, options, suite};

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_costs_one_request() {
    let suite = suite().await;
    let before = json(get(&suite, "/act").await).await["process"].as_u64().unwrap();
    assert_eq!(json(get(&suite, "/act").await).await["process"], before, "a process stays warm");
    assert_eq!(get(&suite, "/act?do=crash").await.status(), StatusCode::BAD_GATEWAY);
    let after = json(get(&suite, "/act").await).await["process"].as_u64().unwrap();
    assert_ne!(before, after);
    assert!(!exists(before));
    // One that ended while it waited costs none.
    let process = Pid::from_raw(i32::try_from(after).unwrap()).unwrap();
    kill_process(process, Signal::KILL).unwrap();
    assert_eq!(get(&suite, "/act").await.status(), StatusCode::OK);
    suite.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_is_stopped_when_its_time_is_over() {
    let suite = suite().await;
    let before = json(get(&suite, "/hasty").await).await["process"].as_u64().unwrap();
    assert_eq!(get(&suite, "/hasty?do=wait&ms=9000").await.status(), StatusCode::BAD_GATEWAY);
    assert!(!exists(before));
    let error = suite.invoke("HastyFunction", &json!({"queryStringParameters": {"do": "wait", "ms": "9000"}})).await.unwrap_err();
    assert!(error.to_string().contains("Task timed out after 1.00 seconds"), "{error}");
    assert_eq!(get(&suite, "/hasty").await.status(), StatusCode::OK);
    suite.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_takes_one_request_and_more_come_up_to_the_bound() {
    let suite = LocalCloud::start(Options { processes: 3, ..options() }).await.unwrap();
    let mut requests = JoinSet::new();
    for _ in 0..9 {
        let request = client().get(format!("{}/act?do=wait&ms=300", suite.api()));
        requests.spawn(async move { json(request.send().await.unwrap()).await["process"].as_u64().unwrap() });
    }
    let processes = requests.join_all().await;
    assert_eq!((processes.len(), processes.into_iter().collect::<BTreeSet<_>>().len()), (9, 3));
    suite.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_are_invoked_by_name() {
    let suite = suite().await;
    assert_eq!(suite.invoke("EchoFunction", &json!({"rpc": "reinit"})).await.unwrap()["event"], json!({"rpc": "reinit"}));
    assert_eq!(suite.invoke("NoFunction", &json!({})).await.unwrap_err().to_string(), "there is no function NoFunction");
    let broken = suite.invoke("BrokenFunction", &json!({})).await.unwrap_err().to_string();
    assert!(broken.contains("Runtime exited with error: exit status: 7"), "{broken}");

    let invoke = |name: &str, body: &'static str| {
        client().post(format!("{}/2015-03-31/functions/{name}/invocations", suite.lambda_url())).body(body)
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
        status_and_kind(invoke("Nobody", "{}").send().await.unwrap()),
    ];
    assert_eq!(refused, [(400, "InvalidRequestContentException".into()), (404, "ResourceNotFoundException".into())]);
    suite.stop().await;
}

#[expect(clippy::needless_pass_by_value, reason = "an answer is read once")]
fn status_and_kind(response: reqwest::Response) -> (u16, String) {
    (response.status().as_u16(), header(&response, "x-amzn-errortype").to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_administrator_is_told_where_everything_is() {
    let suite = suite().await;
    let environment = suite.environment();
    assert_eq!(environment["ITEMS_TABLE"], "ItemsTable");
    assert_eq!(environment["AUTHORITY_URL"], suite.api());
    let request = json!({"TableName": "ItemsTable"}).to_string();
    let table: Value = json(crate::lifetime::dynamodb(environment, "DescribeTable", request).await).await;
    assert_eq!(table["Table"]["GlobalSecondaryIndexes"][0]["IndexName"], "kinds");
    suite.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_goes_away_leaves_no_process_behind() {
    let suite = LocalCloud::start(Options { processes: 1, ..options() }).await.unwrap();
    let before = json(get(&suite, "/hasty").await).await["process"].as_u64().unwrap();
    let request = client().get(format!("{}/hasty?do=wait&ms=9000", suite.api()));
    assert!(request.timeout(std::time::Duration::from_millis(200)).send().await.unwrap_err().is_timeout());
    // The function's own time ends the process, and its place is free again.
    let after = json(get(&suite, "/hasty").await).await["process"].as_u64().unwrap();
    assert!(before != after && !exists(before));
    suite.stop().await;
}
