//! SageMaker.

use std::{collections::BTreeSet, time::Duration};

use local::{LocalCloud, Options};
use reqwest::Response;
use serde_json::json;

use crate::{client, header, json, options, start};

async fn invoke(cloud: &LocalCloud, endpoint: &str, headers: &[(&'static str, &'static str)], body: String) -> Response {
    let mut request = client().post(format!("{}/endpoints/{endpoint}/invocations", cloud.sagemaker_url())).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.expect("a response")
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_balanced_over_the_containers() {
    let cloud = LocalCloud::start(Options { instances: 3, ..options() }).await.unwrap();
    let mut processes = BTreeSet::new();
    for _ in 0..3 {
        let attributes = [("X-Amzn-SageMaker-Custom-Attributes", "packet=7"), ("X-Amzn-SageMaker-Target-Variant", "AllTraffic")];
        let answer = invoke(&cloud, "Endpoint", &attributes, "x".repeat(6_291_456)).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(header(&answer, "x-amzn-invoked-production-variant"), "AllTraffic");
        assert_eq!((header(&answer, "x-amzn-sagemaker-custom-attributes"), header(&answer, "x-other")), ("packet=7", ""));
        let answer = json(answer).await;
        assert_eq!(answer["length"], 6_291_456);
        assert_eq!(answer["environment"].as_array().unwrap().len(), 2, "issuer and model directory");
        processes.insert(answer["process"].as_u64().unwrap());
    }
    let instances = cloud.instances();
    assert_eq!(processes, instances.iter().filter_map(|instance| instance.process).map(u64::from).collect());
    cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_a_sagemaker_error() {
    let cloud = start().await;
    let refused = invoke(&cloud, "Endpoint", &[], "refuse".into()).await;
    assert_eq!((refused.status().as_u16(), header(&refused, "x-amzn-errortype")), (424, "ModelError"));
    let refused = json(refused).await;
    assert_eq!(refused["OriginalStatusCode"], 503);
    assert_eq!(refused["OriginalMessage"], r#"{"code":"S007","message":"no keys"}"#);
    assert!(refused["Message"].as_str().unwrap().starts_with("Received server error (503) from primary"));

    let unknown_variant = [("X-Amzn-SageMaker-Target-Variant", "Other")];
    for (endpoint, headers, body) in [
        ("Endpoint", [].as_slice(), "x".repeat(6_291_457)),
        ("Endpoint", unknown_variant.as_slice(), String::new()),
        ("Missing", [].as_slice(), String::new()),
    ] {
        let answer = invoke(&cloud, endpoint, headers, body).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "x-amzn-errortype")), (400, "ValidationError"));
    }
    cloud.stop().await;
}

/// Waits until the first instance is in service.
async fn in_service(cloud: &LocalCloud) {
    while !cloud.instances()[0].in_service {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_exits_is_replaced() {
    let cloud = start().await;
    let first = cloud.instances()[0].process.unwrap();
    cloud.kill_instance(0).await.unwrap();
    let answer = invoke(&cloud, "Endpoint", &[], String::new()).await;
    assert_eq!((answer.status().as_u16(), header(&answer, "x-amzn-errortype")), (503, "ServiceUnavailable"));
    in_service(&cloud).await;
    let instance = &cloud.instances()[0];
    assert_ne!(instance.process, Some(first));
    assert_eq!(instance.starts, 2);

    let crashed = invoke(&cloud, "Endpoint", &[], "crash".into()).await;
    assert_eq!((crashed.status().as_u16(), header(&crashed, "x-amzn-errortype")), (424, "ModelError"));
    assert_eq!(json(crashed).await["OriginalStatusCode"], json!(0));
    in_service(&cloud).await;
    assert_eq!(invoke(&cloud, "Endpoint", &[], String::new()).await.status(), 200);
    assert_eq!(cloud.kill_instance(9).await.unwrap_err().to_string(), "there is no transcoder 9");
    cloud.stop().await;
}
