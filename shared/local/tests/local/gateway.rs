//! API Gateway.

use std::time::Duration;

use local::{LocalCloud, Options};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::{client, get, header, json, options, start};

#[tokio::test(flavor = "multi_thread")]
async fn a_function_gets_a_proxy_event() {
    let cloud = start().await;
    let request = client()
        .post(format!("{}/act?a=1&a=b%20c&d", cloud.api()))
        .header("x-twice", "1")
        .header("x-twice", "2")
        .header("user-agent", "test")
        .body("{\"é\":\"\u{1}\"}");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!((header(&response, "x-echo"), header(&response, "content-type")), ("yes", "application/json"));
    let request_id = header(&response, "x-amzn-requestid").to_owned();
    let answer = json(response).await;
    let event = &answer["event"];
    assert_eq!(event["resource"], "/act");
    assert_eq!(event["path"], "/act");
    assert_eq!(event["httpMethod"], "POST");
    assert_eq!(event["headers"]["x-twice"], "2");
    assert_eq!(event["multiValueHeaders"]["x-twice"], json!(["1", "2"]));
    assert_eq!(event["headers"]["X-Forwarded-For"], "127.0.0.1");
    assert_eq!(event["queryStringParameters"], json!({"a": "b c", "d": ""}));
    assert_eq!(event["multiValueQueryStringParameters"], json!({"a": ["1", "b c"], "d": [""]}));
    assert_eq!((&event["pathParameters"], &event["stageVariables"]), (&json!(null), &json!(null)));
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("{\"é\":\"\u{1}\"}"), &json!(false)));
    let context = &event["requestContext"];
    assert_eq!(context["path"], "/Prod/act");
    assert_eq!((&context["stage"], &context["apiId"]), (&json!("Prod"), &json!("FirstApi")));
    assert_eq!((&context["identity"]["sourceIp"], &context["identity"]["userAgent"]), (&json!("127.0.0.1"), &json!("test")));
    assert_eq!(context["requestId"], request_id);

    let environment = &answer["environment"];
    assert_eq!(environment["ITEMS_TABLE"], "ItemsTable");
    assert_eq!(environment["API_URL"], cloud.api());
    assert_eq!((&environment["ENDPOINT_NAME"], &environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]), (&json!("Endpoint"), &json!("256")));
    assert!(environment["MASTER_KEY"].as_str().unwrap().starts_with("file:/"));
    assert_eq!(environment.get("CARGO"), None);
    cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_apis_share_a_base_url_and_paths_have_parameters() {
    let cloud = start().await;
    let item = json(get(&cloud, "/items/a%20b").await).await;
    assert_eq!(item["event"]["pathParameters"], json!({"id": "a b"}));
    assert_eq!((&item["event"]["resource"], &item["event"]["body"]), (&json!("/items/{id}"), &json!(null)));
    let file = json(get(&cloud, "/files/a/b.txt").await).await;
    assert_eq!(file["event"]["pathParameters"], json!({"path": "a/b.txt"}));
    assert_eq!(file["event"]["requestContext"]["apiId"], "SecondApi");
    cloud.stop().await;
}

async fn send(cloud: &LocalCloud, method: Method, path: &str, body: String) -> (u16, String) {
    let response = client().request(method, format!("{}{path}", cloud.api())).body(body).send().await.expect("a response");
    (response.status().as_u16(), response.text().await.expect("a body"))
}

#[tokio::test(flavor = "multi_thread")]
async fn gateway_responses_are_those_of_the_template() {
    let cloud = start().await;
    let nothing = get(&cloud, "/nowhere").await;
    assert_eq!((nothing.status().as_u16(), header(&nothing, "access-control-allow-origin")), (404, "https://example.org"));
    assert_eq!(nothing.text().await.unwrap(), r#"{"code":"E006","message":"There is nothing at this path."}"#);
    // API Gateway itself never returns 405; a function behind ANY does.
    assert_eq!(send(&cloud, Method::POST, "/items/1", String::new()).await.0, 404);
    let not_allowed = client().delete(format!("{}/act", cloud.api())).send().await.unwrap();
    assert_eq!((not_allowed.status().as_u16(), header(&not_allowed, "allow")), (405, "GET, POST"));

    let elsewhere = client().get(cloud.api().replace("/Prod", "/Products/act")).send().await.unwrap();
    assert_eq!(elsewhere.status(), StatusCode::FORBIDDEN);

    let preflight = client().request(Method::OPTIONS, format!("{}/act", cloud.api())).send().await.unwrap();
    assert_eq!(preflight.status(), StatusCode::OK);
    let allowed = ["access-control-allow-origin", "access-control-allow-methods", "access-control-max-age"];
    assert_eq!(allowed.map(|name| header(&preflight, name)), ["https://example.org", "GET,POST", "600"]);

    let too_large = r#"{"code":"E003","message":"HTTP content length exceeded 10485760 bytes."}"#;
    assert_eq!(send(&cloud, Method::POST, "/act", "x".repeat(10 * 1024 * 1024 + 1)).await, (413, too_large.into()));
    let event_too_large = r#"{"code":"E003","message":"Request Too Long"}"#;
    assert_eq!(send(&cloud, Method::POST, "/act", "\"".repeat(4 * 1024 * 1024)).await, (413, event_too_large.into()));
    assert_eq!(send(&cloud, Method::POST, "/act?do=wait&ms=1", "x".repeat(6_200_000)).await.0, 200);
    cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_are_served_outside_the_stage() {
    let documents = [("/openapi.json".to_owned(), r#"{"openapi":"3.1.0"}"#.to_owned())].into();
    let cloud = LocalCloud::start(Options { documents, ..options() }).await.unwrap();
    let url = cloud.api().replace("/Prod", "/openapi.json");
    let document = client().get(&url).send().await.unwrap();
    assert_eq!((document.status().as_u16(), header(&document, "content-type")), (200, "application/json"));
    assert_eq!(document.text().await.unwrap(), r#"{"openapi":"3.1.0"}"#);
    assert_eq!(client().post(&url).send().await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(get(&cloud, "/act").await.status(), StatusCode::OK);
    cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_function_or_a_malformed_response_is_a_bad_gateway() {
    let cloud = start().await;
    for path in ["/act?do=fail", "/act?do=malformed", "/act?do=oversized", "/broken"] {
        let answer = send(&cloud, Method::GET, path, String::new()).await;
        assert_eq!(answer, (502, r#"{"message":"Internal server error"}"#.into()), "{path}");
    }
    cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_function_is_an_integration_timeout() {
    let cloud = LocalCloud::start(Options { integration_timeout: Duration::from_millis(300), ..options() });
    let cloud = cloud.await.unwrap();
    let late = send(&cloud, Method::GET, "/act?do=wait&ms=5000", String::new()).await;
    assert_eq!(late, (504, r#"{"message":"Endpoint request timed out"}"#.into()));
    cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authorizer_is_invoked_before_the_function() {
    let cloud = start().await;
    let post = |caller: &str| client().post(format!("{}/upload/{caller}", cloud.api())).header("origin", "https://page.example").body("{}");
    let known = json(post("known").send().await.unwrap()).await;
    let authorizer = &known["event"]["requestContext"]["authorizer"];
    assert_eq!((&authorizer["principalId"], &authorizer["resource"]), (&json!("principal"), &json!("/upload/{caller}")));
    assert_eq!(authorizer["body"], "false", "an authorizer gets no body, and the values of its context are strings");
    assert_eq!(known["event"]["pathParameters"], json!({"caller": "known"}));
    assert_eq!(known["event"]["requestContext"]["path"], "/Prod/upload/known");

    let unknown = post("unknown").send().await.unwrap();
    assert_eq!(unknown.status(), StatusCode::UNAUTHORIZED);
    assert_eq!((header(&unknown, "access-control-allow-origin"), header(&unknown, "vary")), ("https://page.example", "Origin"));
    assert_eq!(unknown.text().await.unwrap(), r#"{"error":"unauthenticated"}"#);
    let elsewhere = send(&cloud, Method::POST, "/upload/unknown", String::new()).await;
    assert_eq!(elsewhere.0, 401, "a request without an origin is answered all the same");
    let unwanted = send(&cloud, Method::POST, "/upload/denied", String::new()).await;
    assert_eq!(unwanted, (403, r#"{"message":"User is not authorized to access this resource with an explicit deny"}"#.into()));
    for caller in ["malformed", "failing"] {
        let answer = send(&cloud, Method::POST, &format!("/upload/{caller}"), String::new()).await;
        assert_eq!(answer, (500, r#"{"message":null}"#.into()), "{caller}");
    }
    cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_responds_to_options_and_with_plain_text() {
    let cloud = start().await;
    let preflight = client().request(Method::OPTIONS, format!("{}/upload/unknown", cloud.api())).send().await.unwrap();
    assert_eq!((preflight.status().as_u16(), header(&preflight, "access-control-max-age")), (204, "60"));
    let spoken = get(&cloud, "/act?do=plain").await;
    assert_eq!((spoken.status().as_u16(), header(&spoken, "content-type")), (200, "text/plain"));
    assert_eq!(spoken.text().await.unwrap(), "plain");
    cloud.stop().await;
}
