//! A web page that uploads as the browser client does: each request is signed by the API and sent
//! to the bucket.

use local::LocalCloud;
use reqwest::{Client, Method, Url};
use serde_json::{Value, json};
use shared::{crypto::sha256, encoding::hex};
use time::{OffsetDateTime, macros::format_description};

use crate::response::Response;

/// The content of a part, and its MD5 digest in base64.
pub const PART: (&str, &str) = ("part", "9Mk4XxkC9zNLALm07NFk3g==");

const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A page and its upload, the response of create.
pub struct Page {
    pub client: Client,
    pub api: String,
    pub bucket: String,
    pub upload: Value,
}

/// A request to S3, unsigned.
pub struct Operation {
    pub method: Method,
    pub query: String,
    pub header: Option<(&'static str, &'static str)>,
    /// The hash of the payload in the canonical request.
    pub payload: String,
    pub body: String,
}

impl Operation {
    pub fn initiate() -> Self {
        Self { method: Method::POST, query: "uploads=".into(), header: None, payload: EMPTY_SHA256.into(), body: String::new() }
    }

    pub fn part(number: usize, upload_id: &str) -> Self {
        let (body, digest) = PART;
        Self {
            method: Method::PUT,
            query: format!("partNumber={number}&uploadId={upload_id}"),
            header: Some(("content-md5", digest)),
            payload: "UNSIGNED-PAYLOAD".into(),
            body: body.into(),
        }
    }

    /// Completes the multipart upload with a list of parts in XML.
    pub fn complete(upload_id: &str, parts: String) -> Self {
        Self {
            method: Method::POST,
            query: format!("uploadId={upload_id}"),
            header: Some(("content-type", "application/xml; charset=UTF-8")),
            payload: hex(&sha256(parts.as_bytes())),
            body: parts,
        }
    }
}

impl Page {
    /// A page with the upload of create's response.
    pub fn new(cloud: &LocalCloud, client: &Client, upload: Value) -> Self {
        let bucket = cloud.bucket_url().expect("the template deploys uploads").to_owned();
        Self { client: client.clone(), api: cloud.api().into(), bucket, upload }
    }

    pub fn text(&self, member: &str) -> &str {
        self.upload[member].as_str().unwrap_or_else(|| panic!("{member} is missing in {}", self.upload))
    }

    /// The canonical request of an operation, and its string to sign.
    pub fn canonical(&self, operation: &Operation, datetime: &str) -> (String, String) {
        let (bucket, key, token) = (self.text("bucket"), self.text("objectKey"), self.text("sessionToken"));
        let own = operation.header.map(|(name, value)| format!("{name}:{value}\n")).unwrap_or_default();
        let name = operation.header.map(|(name, _)| format!("{name};")).unwrap_or_default();
        let canonical = format!(
            "{}\n/{bucket}/{key}\n{}\n{own}host:127.0.0.1\nx-amz-date:{datetime}\nx-amz-security-token:{token}\n\n\
             {name}host;x-amz-date;x-amz-security-token\n{}",
            operation.method, operation.query, operation.payload
        );
        let hash = hex(&sha256(canonical.as_bytes()));
        let to_sign = format!("AWS4-HMAC-SHA256\n{datetime}\n{}/us-east-1/s3/aws4_request\n{hash}", &datetime[..8]);
        (canonical, to_sign)
    }

    /// Requests the signature of an operation.
    pub async fn sign(&self, operation: &Operation, datetime: &str) -> Response {
        let (canonical, to_sign) = self.canonical(operation, datetime);
        let query = [("to_sign", to_sign.as_str()), ("datetime", datetime), ("canonical_request", &canonical)];
        let url = Url::parse_with_params(&format!("{}/sign/{}", self.api, self.text("videoId")), query).expect("a URL");
        Response::to(self.client.get(url)).await
    }

    /// Signs an operation and sends it to the bucket.
    pub async fn send(&self, operation: Operation) -> Response {
        let datetime = datetime();
        let signature = self.sign(&operation, &datetime).await;
        assert_eq!(signature.status, 200, "{}", signature.text);
        let name = operation.header.map(|(name, _)| format!("{name};")).unwrap_or_default();
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{}/us-east-1/s3/aws4_request, SignedHeaders={name}host;x-amz-date;x-amz-security-token, Signature={}",
            self.text("awsAccessKeyId"),
            &datetime[..8],
            signature.text,
        );
        let url = format!("{}/{}/{}?{}", self.bucket, self.text("bucket"), self.text("objectKey"), operation.query);
        let mut request = self.client.request(operation.method, url).body(operation.body);
        request = request.header("x-amz-date", datetime).header("x-amz-security-token", self.text("sessionToken"));
        request = request.header("x-amz-content-sha256", operation.payload).header("authorization", authorization);
        if let Some((name, value)) = operation.header {
            request = request.header(name, value);
        }
        Response::to(request).await
    }

    /// Uploads the file, which has one part.
    pub async fn upload_file(&self) {
        let initiated = self.send(Operation::initiate()).await;
        let upload_id = between(&initiated.text, "<UploadId>", "</UploadId>").to_owned();
        let part = self.send(Operation::part(1, &upload_id)).await;
        let etag = part.header("etag").unwrap_or_else(|| panic!("{} {}", part.status, part.text));
        let list = format!("<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>");
        let completed = self.send(Operation::complete(&upload_id, list)).await;
        assert_eq!(completed.status, 200, "{}", completed.text);
    }

    /// Requests the ingest of the file.
    pub async fn ingest(&self) -> Response {
        let body = json!({"bucket": self.text("bucket"), "objectKey": self.text("objectKey")});
        Response::to(self.client.post(format!("{}/ingest/{}", self.api, self.text("videoId"))).json(&body)).await
    }

    /// The upload's status.
    pub async fn status(&self) -> Response {
        Response::to(self.client.get(format!("{}{}", self.api, self.text("statusPath")))).await
    }
}

/// The current time in the format of `X-Amz-Date`.
pub fn datetime() -> String {
    amz_date(OffsetDateTime::now_utc())
}

/// An instant in the format of `X-Amz-Date`.
pub fn amz_date(instant: OffsetDateTime) -> String {
    instant.format(format_description!("[year][month][day]T[hour][minute][second]Z")).expect("the year has four digits")
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let found = text.split_once(before).and_then(|(_, tail)| tail.split_once(after));
    found.unwrap_or_else(|| panic!("{text}")).0
}
