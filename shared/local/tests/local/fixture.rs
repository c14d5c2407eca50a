//! A function and a container: scripts that start this test program in one of the two roles.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process,
    sync::LazyLock,
    time::Duration,
};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};

const TEMPLATE: &str = r#"
Transform: AWS::Serverless-2016-10-31
Parameters:
  BrightcoveAccount: { Type: String, Default: "" }
Conditions:
  UploadSide: !Not [!Equals [!Ref BrightcoveAccount, ""]]
Globals:
  Function:
    Timeout: 10
    Environment: { Variables: { ITEMS_TABLE: !Ref ItemsTable, MASTER_KEY: !GetAtt VaultKey.Arn } }
  Api:
    Cors: { AllowOrigin: "'https://example.org'", AllowMethods: "'GET,POST'", AllowHeaders: "'Content-Type'", MaxAge: "'600'" }
    GatewayResponses:
      MISSING_AUTHENTICATION_TOKEN:
        StatusCode: 404
        ResponseParameters: { Headers: { Access-Control-Allow-Origin: "'https://example.org'" } }
        ResponseTemplates: { application/json: '{"code":"E006","message":"There is nothing at this path."}' }
      REQUEST_TOO_LARGE:
        ResponseTemplates: { application/json: '{"code":"E003","message":$context.error.messageString}' }
Resources:
  FirstApi: { Type: AWS::Serverless::Api, Properties: { StageName: Prod } }
  SecondApi: { Type: AWS::Serverless::Api, Properties: { StageName: Prod } }
  EchoFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/echo
      MemorySize: 256
      Environment:
        Variables:
          API_URL: !Sub https://${SecondApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/Prod
          ENDPOINT_NAME: !GetAtt Endpoint.EndpointName
      Events:
        Act: { Type: Api, Properties: { RestApiId: !Ref FirstApi, Path: /act, Method: ANY } }
        Item: { Type: Api, Properties: { RestApiId: !Ref FirstApi, Path: "/items/{id}", Method: GET } }
        Rest: { Type: Api, Properties: { RestApiId: !Ref SecondApi, Path: "/files/{path+}", Method: ANY } }
        Daily: { Type: Schedule, Properties: { Schedule: cron(5 12 * * ? *), Input: '{}' } }
  HastyFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/echo
      Timeout: 1
      Events:
        Act: { Type: Api, Properties: { RestApiId: !Ref SecondApi, Path: /hasty, Method: ANY } }
  BrokenFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/broken
      Events:
        Act: { Type: Api, Properties: { RestApiId: !Ref SecondApi, Path: /broken, Method: ANY } }
  UploadApi:
    Type: AWS::Serverless::Api
    Condition: UploadSide
    Properties:
      StageName: Prod
      Auth:
        Authorizers:
          TokenAuthorizer: { FunctionArn: !GetAtt TokenAuthorizerFunction.Arn, FunctionPayloadType: REQUEST, Identity: { ReauthorizeEvery: 0 } }
      GatewayResponses:
        UNAUTHORIZED:
          ResponseParameters: { Headers: { Access-Control-Allow-Origin: method.request.header.Origin, Vary: "'Origin'" } }
          ResponseTemplates: { application/json: '{"error":"unauthenticated"}' }
  TokenAuthorizerFunction:
    Type: AWS::Serverless::Function
    Condition: UploadSide
    Properties: { CodeUri: functions/echo }
  UploadFunction:
    Type: AWS::Serverless::Function
    Condition: UploadSide
    Properties:
      CodeUri: functions/echo
      Environment: { Variables: { UPLOADS_TABLE: !Ref UploadsTable, BRIGHTCOVE_ACCOUNT: !Ref BrightcoveAccount } }
      Events:
        Upload: { Type: Api, Properties: { RestApiId: !Ref UploadApi, Path: "/upload/{caller}", Method: ANY, Auth: { Authorizer: TokenAuthorizer } } }
        Preflight: { Type: Api, Properties: { RestApiId: !Ref UploadApi, Path: "/upload/{caller}", Method: OPTIONS } }
  UploadsTable:
    Type: AWS::DynamoDB::Table
    Condition: UploadSide
    Properties:
      AttributeDefinitions: [{ AttributeName: item, AttributeType: S }]
      KeySchema: [{ AttributeName: item, KeyType: HASH }]
  VaultKey: { Type: AWS::KMS::Key }
  ItemsTable:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{ AttributeName: id, AttributeType: S }, { AttributeName: kind, AttributeType: S }]
      KeySchema: [{ AttributeName: id, KeyType: HASH }]
      GlobalSecondaryIndexes:
        - IndexName: kinds
          KeySchema: [{ AttributeName: kind, KeyType: HASH }]
          Projection: { ProjectionType: ALL }
      TimeToLiveSpecification: { AttributeName: expires_at, Enabled: true }
  Model: { Type: AWS::SageMaker::Model, Properties: { PrimaryContainer: { Environment: { ISSUER: rampway } } } }
  Config:
    Type: AWS::SageMaker::EndpointConfig
    Properties: { ProductionVariants: [{ VariantName: AllTraffic, ModelName: !GetAtt Model.ModelName }] }
  Endpoint:
    Type: AWS::SageMaker::Endpoint
    Properties: { EndpointConfigName: !GetAtt Config.EndpointConfigName }
"#;

/// Written once, before any process starts: a file that is open for writing cannot be executed.
static FILES: LazyLock<PathBuf> = LazyLock::new(|| {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("serve");
    fs::create_dir_all(&directory).expect("a directory");
    let own = env::current_exe().expect("a path");
    let run = |role: &str| format!("exec '{}' --exact fixture::{role} --nocapture --test-threads=1", own.display());
    write(&directory, "template.yaml", TEMPLATE);
    write(&directory, "echo", &format!("#!/bin/sh\n{}\n", run("acts_as_a_function")));
    write(&directory, "transcoder", &format!("#!/bin/sh\n{}\n", run("acts_as_a_container")));
    write(&directory, "broken", "#!/bin/sh\necho 'no configuration' >&2\nexit 7\n");
    directory
});

/// Replaces an executable file atomically: a process may run the earlier one.
fn write(directory: &Path, name: &str, content: &str) {
    let draft = directory.join(format!("{name}.{}", process::id()));
    fs::write(&draft, content).expect("a file");
    fs::set_permissions(&draft, fs::Permissions::from_mode(0o755)).expect("a mode");
    fs::rename(draft, directory.join(name)).expect("a rename");
}

pub(crate) fn template() -> PathBuf {
    FILES.join("template.yaml")
}

pub(crate) fn binaries() -> PathBuf {
    FILES.clone()
}

#[tokio::test]
async fn acts_as_a_function() {
    let Ok(runtime_api) = env::var("AWS_LAMBDA_RUNTIME_API") else { return };
    let base = format!("http://{runtime_api}/2018-06-01/runtime/invocation");
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    loop {
        let event = client.get(format!("{base}/next")).send().await.expect("an event");
        let id = event.headers()["lambda-runtime-aws-request-id"].to_str().expect("text").to_owned();
        let event: Value = serde_json::from_slice(&event.bytes().await.expect("an event")).expect("JSON");
        let (outcome, answer) = act(&event).await;
        // Without a content type, as lambda_runtime sends it.
        client.post(format!("{base}/{id}/{outcome}")).body(answer).send().await.expect("a response");
    }
}

async fn act(event: &Value) -> (&'static str, String) {
    let reply = |status: u16, headers: Value, body: Value| {
        ("response", json!({"statusCode": status, "headers": headers, "body": body.to_string()}).to_string())
    };
    if event["type"] == "REQUEST" {
        return decide(event);
    }
    let query = &event["queryStringParameters"];
    match query["do"].as_str() {
        _ if event["httpMethod"] == "OPTIONS" => ("response", r#"{"statusCode":204,"headers":{"Access-Control-Max-Age":"60"}}"#.into()),
        Some("plain") => ("response", r#"{"statusCode":200,"headers":{"content-type":"text/plain"},"body":"plain"}"#.into()),
        _ if event["httpMethod"] == "DELETE" => reply(405, json!({"Allow": "GET, POST"}), json!({"code": "E006"})),
        Some("crash") => process::exit(3),
        Some("fail") => ("error", r#"{"errorType":"Bad","errorMessage":"it failed"}"#.into()),
        Some("malformed") => ("response", r#""not a proxy response""#.into()),
        Some("oversized") => ("response", "x".repeat(6 * 1024 * 1024 + 1000)),
        Some("wait") => {
            let time = query["ms"].as_str().and_then(|ms| ms.parse().ok()).expect("a time");
            tokio::time::sleep(Duration::from_millis(time)).await;
            reply(200, json!({}), json!({"process": process::id()}))
        }
        _ if event.get("requestContext").is_none() => ("response", json!({"process": process::id(), "event": event}).to_string()),
        _ => {
            let environment: serde_json::Map<_, _> = env::vars().map(|(name, value)| (name, value.into())).collect();
            reply(200, json!({"X-Echo": "yes"}), json!({"process": process::id(), "event": event, "environment": environment}))
        }
    }
}

/// Responds as an authorizer, according to the caller in the path.
fn decide(event: &Value) -> (&'static str, String) {
    let policy = |effect: &str| {
        let statement = json!({"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]});
        let context = json!({"resource": event["resource"], "body": event["body"].is_string()});
        let policy = json!({"Version": "2012-10-17", "Statement": [statement]});
        ("response", json!({"principalId": "principal", "policyDocument": policy, "context": context}).to_string())
    };
    match event["pathParameters"]["caller"].as_str() {
        Some("known") => policy("Allow"),
        Some("denied") => policy("Deny"),
        Some("malformed") => ("response", "7".into()),
        Some("failing") => ("error", r#"{"errorType":"Bad","errorMessage":"it failed"}"#.into()),
        _ => ("error", r#"{"errorType":"Bad","errorMessage":"Unauthorized"}"#.into()),
    }
}

#[tokio::test]
async fn acts_as_a_container() {
    let Ok(port) = env::var("SAGEMAKER_BIND_TO_PORT") else { return };
    let address = format!("{}:{port}", env::var("RAMPWAY_BIND").expect("an address"));
    let listener = tokio::net::TcpListener::bind(address).await.expect("a port");
    let routes = Router::new()
        .route("/ping", get(async || StatusCode::OK))
        .route("/invocations", post(invocations))
        .layer(DefaultBodyLimit::disable());
    axum::serve(listener, routes).await.expect("a server");
}

async fn invocations(headers: HeaderMap, body: String) -> Response {
    match body.as_str() {
        "crash" => process::exit(3),
        "refuse" => (StatusCode::SERVICE_UNAVAILABLE, r#"{"code":"S007","message":"no keys"}"#).into_response(),
        _ => {
            let attributes = headers.get("x-amzn-sagemaker-custom-attributes").cloned();
            let attributes = attributes.map(|value| [("x-amzn-sagemaker-custom-attributes", value)]);
            let environment = env::vars().filter(|(name, _)| name == "ISSUER" || name == "MODEL_DIRECTORY").collect::<Vec<_>>();
            let answer = json!({"process": process::id(), "length": body.len(), "environment": environment}).to_string();
            match attributes {
                Some(attributes) => (attributes, [("x-other", "not forwarded")], answer).into_response(),
                None => answer.into_response(),
            }
        }
    }
}
