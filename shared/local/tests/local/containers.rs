//! SageMaker's part.

use std::{collections::BTreeSet, time::Duration};

use local::{LocalCloud, Options};
use reqwest::Response;
use serde_json::json;

use crate::{client, header, json, options, suite};

async fn invoke(suite: &LocalCloud, endpoint: &str, headers: &[(&'static str, &'static str)], body: String) -> Response {
    let mut request = client().post(format!("{}/endpoints/{endpoint}/invocations", suite.sagemaker_url())).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn containers_take_turns() {
    let suite = LocalCloud::start(Options { instances: 3, ..options() }).await.unwrap();
    let mut processes = BTreeSet::new();
    for _ in 0..3 {
        let attributes = [("X-Amzn-SageMaker-Custom-Attributes", "packet=7"), ("X-Amzn-SageMaker-Target-Variant", "AllTraffic")];
        let answer = invoke(&suite, "Endpoint", &attributes, "x".repeat(6_291_456)).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(header(&answer, "x-amzn-invoked-production-variant"), "AllTraffic");
        assert_eq!((header(&answer, "x-amzn-sagemaker-custom-attributes"), header(&answer, "x-other")), ("packet=7", ""));
        let answer = json(answer).await;
        assert_eq!(answer["length"], 6_291_456);
        assert_eq!(answer["told"].as_array().unwrap().len(), 2, "issuer and model directory");
        processes.insert(answer["process"].as_u64().unwrap());
    }
    let instances = suite.instances();
    assert_eq!(processes, instances.iter().filter_map(|instance| instance.process).map(u64::from).collect());
    suite.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_said_in_sagemakers_words() {
    let suite = suite().await;
    let refused = invoke(&suite, "Endpoint", &[], "refuse".into()).await;
    assert_eq!((refused.status().as_u16(), header(&refused, "x-amzn-errortype")), (424, "ModelError"));
    let refused = json(refused).await;
    assert_eq!(refused["OriginalStatusCode"], 503);
    assert_eq!(refused["OriginalMessage"], r#"{"code":"S007","message":"no keys"}"#);
    assert!(refused["Message"].as_str().unwrap().starts_with("Received server error (503) from primary"));

    let unknown_variant = [("X-Amzn-SageMaker-Target-Variant", "Other")];
    for (endpoint, headers, body) in [
        ("Endpoint", [].as_slice(), "x".repeat(6_291_457)),
        ("Endpoint", unknown_variant.as_slice(), String::new()),
        ("Nowhere", [].as_slice(), String::new()),
    ] {
        let answer = invoke(&suite, endpoint, headers, body).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "x-amzn-errortype")), (400, "ValidationError"));
    }
    suite.stop().await;
}

/// Waits until the first instance serves again.
async fn in_service(suite: &LocalCloud) {
    while !suite.instances()[0].in_service {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_dies_is_replaced() {
    let suite = suite().await;
    let first = suite.instances()[0].process.unwrap();
    suite.kill_instance(0).await.unwrap();
    let answer = invoke(&suite, "Endpoint", &[], String::new()).await;
    assert_eq!((answer.status().as_u16(), header(&answer, "x-amzn-errortype")), (503, "ServiceUnavailable"));
    in_service(&suite).await;
    let instance = &suite.instances()[0];
    assert_ne!(instance.process, Some(first));
    assert_eq!(instance.starts, 2);

    let crashed = invoke(&suite, "Endpoint", &[], "crash".into()).await;
    assert_eq!((crashed.status().as_u16(), header(&crashed, "x-amzn-errortype")), (424, "ModelError"));
    assert_eq!(json(crashed).await["OriginalStatusCode"], json!(0));
    in_service(&suite).await;
    assert_eq!(invoke(&suite, "Endpoint", &[], String::new()).await.status(), 200);
    assert_eq!(suite.kill_instance(9).await.unwrap_err().to_string(), "there is no transcoder 9");
    suite.stop().await;
}
