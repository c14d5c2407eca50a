//! The fixture: a table, a master key, a local Brightcove; and requests from API Gateway.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::Path, sync::LazyLock};

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
use local::{Brightcove, BrightcoveServer, Call, DynamoDb, S3};
use sam::{Deployment, Table, Template};
use serde_json::{Value, json};
use shared::{crypto::sha256, encoding::hex};
use tempfile::TempDir;

use super::api_response::ApiResponse;

pub const ACCOUNT: &str = "2345678901001";
pub const FIRST_VIDEO: &str = "6000000000001";
/// The bucket of the vendor's example.
pub const BUCKET: &str = "ingestion-upload-production";
pub const TABLE: &str = "UploadsTable";

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
    brightcove_server: BrightcoveServer,
    _dynamodb: DynamoDb,
    _folder: TempDir,
}

/// The table of `template.yaml`.
static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| {
    let template = Template::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml")).unwrap();
    let parameters = local::parameters(&template, &BTreeMap::new());
    let stack = template.stack(&parameters, &Deployment::local("http://127.0.0.1", Path::new("/"))).unwrap();
    let tables: Vec<_> = stack.tables.into_iter().filter(|table| table.id == TABLE).collect();
    assert_eq!(tables.len(), 1);
    tables
});

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
        let dynamodb = DynamoDb::in_memory(&TABLES).await.unwrap();
        let brightcove_server = BrightcoveServer::start(ACCOUNT).await.unwrap();
        let (brightcove, s3) = (brightcove_server.brightcove().clone(), brightcove_server.s3());
        brightcove.remove_rate_limits();
        brightcove.hold_jobs(true);
        brightcove.set_next_video_id(FIRST_VIDEO.parse().unwrap());
        let url = brightcove.url();
        let mut all: BTreeMap<String, String> = [
            ("UPLOADS_TABLE", TABLE.to_owned()),
            ("MASTER_KEY", format!("file:{}", key.display())),
            ("AWS_REGION", "eu-west-1".into()),
            ("AWS_ACCESS_KEY_ID", "local".into()),
            ("AWS_SECRET_ACCESS_KEY", "local".into()),
            ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb.url()),
            ("AWS_ENDPOINT_URL_S3", s3.url().to_owned()),
            ("BRIGHTCOVE_ACCOUNT", ACCOUNT.into()),
            ("BRIGHTCOVE_OAUTH_URL", format!("{url}/oauth/v4")),
            ("BRIGHTCOVE_CMS_URL", format!("{url}/cms/v1/")),
            ("BRIGHTCOVE_INGEST_URL", format!("{url}/ingest/v1")),
            ("UPLOAD_ORIGINS", format!("https://other.example, {ORIGIN}")),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        all.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let environment = Environment::with_defaults(all);
        Account::connect(&environment, ACCOUNT, brightcove.client_id(), brightcove.client_secret()).await.unwrap();
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(dynamodb.url())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("local", "local", None, None, "test"));
        let table = Client::from_conf(config.build());
        Self { environment, brightcove, table, brightcove_server, _dynamodb: dynamodb, _folder: folder }
    }

    /// The bucket that source files are uploaded to.
    pub fn s3(&self) -> &S3 {
        self.brightcove_server.s3()
    }

    /// Stores an object of so many bytes for an upload.
    pub fn put_object(&self, upload: &Value, bytes: usize) {
        self.s3().put_object(upload["objectKey"].as_str().unwrap(), &vec![0; bytes]).unwrap();
    }

    /// Replaces the next upload URLs by the vendor's example, in the schema that spells two members
    /// in Pascal case. The video must be [`FIRST_VIDEO`].
    pub fn use_example_urls(&self) {
        let key = format!("{ACCOUNT}/{FIRST_VIDEO}/d4f0b8f2/source.webm");
        let urls = json!({
            "bucket": BUCKET, "object_key": key, "access_key_id": "ASIAISEXAMPLE",
            "secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "session_token": "a/token+of==example",
            "SignedUrl": "https://signed.example", "ApiRequestUrl": format!("s3://{BUCKET}/{key}"),
        });
        self.brightcove.replace_responses(Call::UploadUrls, 1, 200, &urls.to_string());
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
        let found = self.table.get_item().table_name(TABLE).key("item", key).send().await.unwrap();
        found.item.unwrap_or_else(|| panic!("there is no {video}"))
    }

    /// Changes the stored item of a video's upload directly.
    pub async fn patch(&self, video: &str, name: &str, value: Option<AttributeValue>) {
        let key = AttributeValue::S(format!("upload#{video}"));
        let update = self.table.update_item().table_name(TABLE).key("item", key).expression_attribute_names("#name", name);
        let update = match value {
            Some(value) => update.update_expression("SET #name = :value").expression_attribute_values(":value", value),
            None => update.update_expression("REMOVE #name"),
        };
        update.send().await.unwrap();
    }
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
