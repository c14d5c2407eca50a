//! The fixture: a table, a master key, a stand-in for Brightcove; and requests from API Gateway.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt};

use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Credentials, Region},
    types::AttributeValue,
};
use cloud::{
    gateway::{ApiError, Event, Request, Response},
    setting::Environment,
    upload::{self, Account, Creator, Ingester, Reaper, Signer},
};
use dynoxide::{Database, server};
use serde_json::{Value, json};
use shared::{crypto::sha256, encoding::hex, secret::SecretText};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::brightcove::{ACCOUNT, Brightcove};

/// 2026-01-15T09:30:05Z, and a client's clock at that time.
pub const NOW: u64 = 1_768_469_405;
pub const DATETIME: &str = "20260115T093000Z";
pub const ORIGIN: &str = "https://page.example";
pub const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
pub const DAY: u64 = 24 * 60 * 60;

pub struct Fixture {
    pub environment: Environment,
    pub brightcove: Brightcove,
    pub table: Client,
    _folder: TempDir,
}

/// A response, as the caller gets it.
#[derive(Debug)]
pub struct ApiResponse {
    pub status: u64,
    pub headers: Value,
    pub text: String,
}

impl ApiResponse {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{self:?}"))
    }

    /// The status and the error's code.
    pub fn error(&self) -> (u64, String) {
        (self.status, self.json()["error"].as_str().unwrap_or_default().to_owned())
    }
}

/// An expected error.
pub fn error(status: u64, code: &str) -> (u64, String) {
    (status, code.to_owned())
}

impl Fixture {
    pub async fn new() -> Self {
        Self::with(&[]).await
    }

    /// A fixture with further settings.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("master_key");
        fs::write(&key, [7; 32]).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        let database = database().await;
        let brightcove = Brightcove::default();
        let url = brightcove.serve().await;
        let mut all: BTreeMap<String, String> = [
            ("UPLOADS_TABLE", "uploads".to_owned()),
            ("MASTER_KEY", format!("file:{}", key.display())),
            ("AWS_REGION", "eu-west-1".into()),
            ("AWS_ACCESS_KEY_ID", "local".into()),
            ("AWS_SECRET_ACCESS_KEY", "local".into()),
            ("AWS_ENDPOINT_URL_DYNAMODB", database.clone()),
            ("AWS_ENDPOINT_URL_S3", url.clone()),
            ("BRIGHTCOVE_ACCOUNT", ACCOUNT.into()),
            ("BRIGHTCOVE_OAUTH_URL", format!("{url}/oauth")),
            ("BRIGHTCOVE_CMS_URL", format!("{url}/cms/")),
            ("BRIGHTCOVE_INGEST_URL", format!("{url}/ingest")),
            ("UPLOAD_ORIGINS", format!("https://other.example, {ORIGIN}")),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        all.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let environment = Environment::with_defaults(all);
        Account::connect(&environment, ACCOUNT, "a client", &SecretText::new("a secret".into())).await.unwrap();
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(database)
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("local", "local", None, None, "test"));
        Self { environment, brightcove, table: Client::from_conf(config.build()), _folder: folder }
    }

    pub async fn creator(&self) -> Creator {
        Creator::from_env(&self.environment).await.unwrap()
    }

    pub async fn signer(&self) -> Signer {
        Signer::from_env(&self.environment).await.unwrap()
    }

    pub async fn ingester(&self) -> Ingester {
        Ingester::from_env(&self.environment).await.unwrap()
    }

    pub async fn reaper(&self) -> Reaper {
        Reaper::from_env(&self.environment).await.unwrap().with_request_interval(std::time::Duration::ZERO)
    }

    /// The response of the API.
    pub fn answer(&self, request: &Request, outcome: Result<Response, ApiError>) -> ApiResponse {
        let api = upload::api(&self.environment);
        let answer = serde_json::to_value(api.respond(outcome, api.allowed_origin(request.origin()))).unwrap();
        ApiResponse {
            status: answer["statusCode"].as_u64().unwrap(),
            headers: answer["headers"].clone(),
            text: answer["body"].as_str().unwrap().to_owned(),
        }
    }

    pub async fn create(&self, request: &Request) -> ApiResponse {
        let creator = self.creator().await;
        self.answer(request, creator.request_at(request, NOW).await)
    }

    /// Creates an upload; the response for the page.
    pub async fn upload(&self, name: &str) -> Value {
        let created = self.create(&create(name, "alice")).await;
        assert_eq!(created.status, 200, "{created:?}");
        created.json()
    }

    pub async fn sign(&self, request: &Request, now: u64) -> ApiResponse {
        let signer = self.signer().await;
        self.answer(request, signer.request_at(request, now).await)
    }

    /// Signs one operation of an upload.
    pub async fn signed(&self, upload: &Value, operation: &str) -> ApiResponse {
        self.sign(&sign(upload, operation), NOW).await
    }

    /// Creates an upload, and signs its completion.
    pub async fn completed(&self) -> Value {
        let upload = self.upload("a.webm").await;
        let signed = self.signed(&upload, "complete one").await;
        assert_eq!(signed.status, 200, "{signed:?}");
        upload
    }

    /// The ingester's response to a request to any of its routes.
    pub async fn ingester_response(&self, request: &Request, now: u64) -> ApiResponse {
        let ingester = self.ingester().await;
        self.answer(request, ingester.request_at(request, now).await)
    }

    pub async fn state(&self, upload: &Value) -> String {
        let item = self.item(upload["videoId"].as_str().unwrap()).await;
        item["state"].as_s().unwrap().clone()
    }

    /// The stored item of a video's upload.
    pub async fn item(&self, video: &str) -> std::collections::HashMap<String, AttributeValue> {
        let key = AttributeValue::S(format!("upload#{video}"));
        let found = self.table.get_item().table_name("uploads").key("item", key).send().await.unwrap();
        found.item.unwrap_or_else(|| panic!("there is no {video}"))
    }

    /// Changes the stored item of a video's upload directly.
    pub async fn patch(&self, video: &str, name: &str, value: Option<AttributeValue>) {
        let key = AttributeValue::S(format!("upload#{video}"));
        let update = self.table.update_item().table_name("uploads").key("item", key).expression_attribute_names("#name", name);
        let update = match value {
            Some(value) => update.update_expression("SET #name = :value").expression_attribute_values(":value", value),
            None => update.update_expression("REMOVE #name"),
        };
        update.send().await.unwrap();
    }
}

/// Starts an engine with an empty table; its URL.
async fn database() -> String {
    let database = Database::memory().unwrap();
    let table = json!({
        "TableName": "uploads", "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "item", "KeyType": "HASH"}],
        "AttributeDefinitions": [
            {"AttributeName": "item", "AttributeType": "S"},
            {"AttributeName": "unfinished", "AttributeType": "S"},
            {"AttributeName": "expires_at", "AttributeType": "N"},
        ],
        "GlobalSecondaryIndexes": [{
            "IndexName": "unfinished", "Projection": {"ProjectionType": "KEYS_ONLY"},
            "KeySchema": [{"AttributeName": "unfinished", "KeyType": "HASH"}, {"AttributeName": "expires_at", "KeyType": "RANGE"}],
        }],
    });
    database.create_table(serde_json::from_value(table).unwrap()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(server::serve_on(listener, database));
    address
}

/// A request from API Gateway.
pub fn request(method: &str, route: &str, parameters: &[(&str, &str)], more: &Value) -> Request {
    let path = parameters.iter().fold(route.to_owned(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value));
    let mut event = json!({
        "httpMethod": method, "resource": route, "path": path,
        "headers": {"X-Forwarded-Proto": "https", "Origin": ORIGIN, "Content-Type": "application/json"},
        "pathParameters": parameters.iter().copied().collect::<BTreeMap<_, _>>(),
        "requestContext": {
            "httpMethod": method, "path": format!("/Prod{path}"), "domainName": "api.example", "identity": {"sourceIp": "203.0.113.17"}
        },
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        match name.as_str() {
            "authorizer" => event["requestContext"]["authorizer"] = value.clone(),
            "headers" => event["headers"].as_object_mut().unwrap().extend(value.as_object().unwrap().clone()),
            _ => event[name] = value.clone(),
        }
    }
    match serde_json::from_str(&event.to_string()).unwrap() {
        Event::Http(request) => *request,
        Event::Schedule(_) => panic!("it is a request"),
    }
}

/// A request to create an upload, with the context of the authorizer.
pub fn create(name: &str, principal: &str) -> Request {
    let body = json!({"name": name}).to_string();
    request("POST", "/upload", &[], &json!({"body": body, "authorizer": {"principalId": principal, "mode": "token"}}))
}

/// A request to ingest an upload.
pub fn ingest(upload: &Value) -> Request {
    let body = json!({"bucket": upload["bucket"], "objectKey": upload["objectKey"]}).to_string();
    request("POST", "/ingest/{videoId}", &[("videoId", upload["videoId"].as_str().unwrap())], &json!({"body": body}))
}

/// A request in canonical form: `initiate`, or `part`, `list`, `complete` or `abort` and the id of
/// a multipart upload.
pub fn canonical(upload: &Value, operation: &str) -> String {
    let (operation, id) = operation.split_once(' ').unwrap_or((operation, ""));
    let (method, query, own, payload) = match operation {
        "initiate" => ("POST", "uploads=".to_owned(), "", EMPTY_SHA256),
        "part" => ("PUT", format!("partNumber=7&uploadId={id}"), "content-md5:XkyO+4ktkipLwwIS2R8z5g==\n", "UNSIGNED-PAYLOAD"),
        "list" => ("GET", format!("part-number-marker=0&uploadId={id}"), "", EMPTY_SHA256),
        "complete" => ("POST", format!("uploadId={id}"), "content-type:application/xml\n", EMPTY_SHA256),
        "abort" => ("DELETE", format!("uploadId={id}"), "", EMPTY_SHA256),
        other => panic!("{other}"),
    };
    let names = own.split(':').next().filter(|name| !name.is_empty()).map(|name| format!("{name};")).unwrap_or_default();
    let text = |name: &str| upload[name].as_str().unwrap();
    format!(
        "{method}\n/{}/{}\n{query}\n{own}host:s3.amazonaws.com\nx-amz-date:{DATETIME}\nx-amz-security-token:{}\n\n\
         {names}host;x-amz-date;x-amz-security-token\n{payload}",
        text("bucket"),
        text("objectKey"),
        text("sessionToken")
    )
}

/// A request to sign an operation.
pub fn sign(upload: &Value, operation: &str) -> Request {
    sign_text(upload["videoId"].as_str().unwrap(), &canonical(upload, operation))
}

/// A request to sign a request in canonical form.
pub fn sign_text(video: &str, canonical: &str) -> Request {
    let hash = hex(&sha256(canonical.as_bytes()));
    let to_sign = format!("AWS4-HMAC-SHA256\n{DATETIME}\n{}/us-east-1/s3/aws4_request\n{hash}", &DATETIME[..8]);
    let query = json!({"to_sign": [to_sign], "datetime": [DATETIME], "canonical_request": [canonical]});
    request("GET", "/sign/{videoId}", &[("videoId", video)], &json!({"multiValueQueryStringParameters": query}))
}
