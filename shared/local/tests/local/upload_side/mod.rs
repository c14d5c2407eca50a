//! S3 and Brightcove: an upload from its start to its ingest.

#![expect(clippy::unwrap_used, reason = "a failed assertion panics")]

mod brightcove;
mod bucket;

use std::time::Duration;

use local::{Brightcove, Call, Job, JobState, LocalCloud, Options, State};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use shared::{crypto::sha256, encoding::hex, secret::SecretText, upload::signature::sign};
use time::{OffsetDateTime, macros::format_description};

use crate::{client, header, json, options, start};

const PART: usize = 5 * 1024 * 1024;

/// A page's upload: its credentials, and how it signs its requests to S3.
struct Upload<'a> {
    cloud: &'a LocalCloud,
    video: String,
    urls: Value,
    region: &'static str,
    /// The signed host. EvaporateJS signs it without the port, the SDKs with it.
    host: String,
}

fn brightcove(cloud: &LocalCloud) -> &Brightcove {
    cloud.brightcove().expect("the template has the upload side")
}

async fn token(brightcove: &Brightcove) -> String {
    let request = client().post(format!("{}/oauth/v4/access_token", brightcove.url()));
    let request = request.basic_auth(brightcove.client_id(), Some(brightcove.client_secret().expose()));
    let answer = json(request.form(&[("grant_type", "client_credentials")]).send().await.unwrap()).await;
    assert_eq!((&answer["token_type"], &answer["expires_in"]), (&json!("Bearer"), &json!(300)));
    answer["access_token"].as_str().unwrap().to_owned()
}

async fn ask(brightcove: &Brightcove, token: &str, method: Method, path: &str, body: Value) -> (u16, Value) {
    let path = path.replace("{a}", brightcove.account());
    let request = client().request(method, format!("{}{path}", brightcove.url())).bearer_auth(token);
    let request = if body.is_null() { request } else { request.json(&body) };
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
}

impl<'a> Upload<'a> {
    async fn begin(cloud: &'a LocalCloud) -> Self {
        let brightcove = brightcove(cloud);
        let token = token(brightcove).await;
        let (status, created) = ask(brightcove, &token, Method::POST, "/cms/v1/accounts/{a}/videos", json!({"name": "Office Perks"})).await;
        assert_eq!((status, &created["complete"]), (201, &json!(false)));
        let video = created["id"].as_str().unwrap().to_owned();
        let path = format!("/ingest/v1/accounts/{{a}}/videos/{video}/upload-urls/source.webm");
        let (status, urls) = ask(brightcove, &token, Method::GET, &path, Value::Null).await;
        assert_eq!(status, 200);
        Self { cloud, video, urls, region: "us-east-1", host: "127.0.0.1".into() }
    }

    fn text(&self, name: &str) -> &str {
        self.urls[name].as_str().unwrap()
    }

    fn key(&self) -> &str {
        self.text("object_key")
    }

    fn request(&self, method: Method, query: &str, more: &[(&str, &str)], body: Vec<u8>) -> RequestBuilder {
        let path = format!("/{}/{}", self.text("bucket"), self.key());
        self.request_at(method, &path, query, more, body)
    }

    fn request_at(&self, method: Method, path: &str, query: &str, more: &[(&str, &str)], body: Vec<u8>) -> RequestBuilder {
        let now = OffsetDateTime::now_utc().format(format_description!("[year][month][day]T[hour][minute][second]Z")).unwrap();
        let hash = hex(&sha256(&body));
        let mut signed: Vec<(&str, &str)> =
            vec![("host", &self.host), ("x-amz-date", &now), ("x-amz-security-token", self.text("session_token"))];
        signed.extend(more);
        signed.sort_unstable();
        let lines = signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect::<Vec<_>>().concat();
        let names = signed.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let canonical = format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{hash}");
        let scope = format!("{}/{}/s3/aws4_request", &now[..8], self.region);
        let to_sign = format!("AWS4-HMAC-SHA256\n{now}\n{scope}\n{}", hex(&sha256(canonical.as_bytes())));
        let signature = sign(&SecretText::new(self.text("secret_access_key").into()), &now[..8], self.region, &to_sign);
        let id = self.text("access_key_id");
        let authorization = format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}");
        let query = if query.is_empty() { String::new() } else { format!("?{}", query.trim_end_matches('=')) };
        let request = client().request(method, format!("{}{path}{query}", self.cloud.bucket_url().unwrap()));
        let request = request.header("authorization", authorization).header("x-amz-content-sha256", hash).body(body);
        signed.iter().filter(|(name, _)| *name != "host").fold(request, |request, (name, value)| request.header(*name, *value))
    }

    async fn send(&self, method: Method, query: &str, body: &[u8]) -> (u16, String) {
        answered(self.request(method, query, &[], body.to_vec())).await
    }

    async fn initiate(&self) -> String {
        let (status, text) = self.send(Method::POST, "uploads=", b"").await;
        assert_eq!(status, 200, "{text}");
        element(&text, "UploadId").to_owned()
    }

    async fn part(&self, id: &str, number: usize, body: Vec<u8>) -> Response {
        self.request(Method::PUT, &format!("partNumber={number}&uploadId={id}"), &[], body).send().await.unwrap()
    }

    async fn complete(&self, id: &str, tags: &[&str]) -> (u16, String) {
        let part = |(number, tag): (usize, &&str)| format!("<Part><PartNumber>{}</PartNumber><ETag>{tag}</ETag></Part>", number + 1);
        let parts = tags.iter().enumerate().map(part).collect::<Vec<_>>().concat();
        let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        self.send(Method::POST, &format!("uploadId={id}"), body.as_bytes()).await
    }

    /// Ingests the object, and returns the job when it has ended.
    async fn ingest(&self, more: Value) -> Job {
        let brightcove = brightcove(self.cloud);
        let mut request = json!({"master": {"url": self.text("api_request_url")}});
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let path = format!("/ingest/v1/accounts/{{a}}/videos/{}/ingest-requests", self.video);
        let (status, answer) = ask(brightcove, &token(brightcove).await, Method::POST, &path, request).await;
        assert_eq!(status, 200, "{answer}");
        loop {
            let job = brightcove.jobs().into_iter().find(|job| answer["id"] == job.id).expect("the job is there");
            let called = request_callbacks(&job) * if job.state == JobState::Finished { 2 } else { 1 };
            if matches!(job.state, JobState::Finished | JobState::Failed) && job.callbacks.len() == called {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn request_callbacks(job: &Job) -> usize {
    job.request["callbacks"].as_array().map_or(0, Vec::len)
}

async fn answered(request: RequestBuilder) -> (u16, String) {
    let answer = request.send().await.expect("a response");
    (answer.status().as_u16(), answer.text().await.expect("a body"))
}

fn element<'a>(text: &'a str, name: &str) -> &'a str {
    let (start, end) = (format!("<{name}>"), format!("</{name}>"));
    text.split(&start).nth(1).and_then(|rest| rest.split(&end).next()).unwrap_or_else(|| panic!("no {name} in {text}"))
}

fn refusal((status, text): (u16, String)) -> String {
    format!("{status} {}", element(&text, "Code"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_ingested_and_called_back() {
    let cloud = start().await;
    let upload = Upload::begin(&cloud).await;
    let id = upload.initiate().await;
    let content = [vec![7; PART], b"the rest".to_vec()].concat();
    let mut tags = Vec::new();
    for (index, part) in content.chunks(PART).enumerate() {
        let answer = upload.part(&id, index + 1, part.to_vec()).await;
        assert_eq!(answer.status(), StatusCode::OK);
        tags.push(header(&answer, "etag").to_owned());
    }
    let (status, listed) = upload.send(Method::GET, &format!("part-number-marker=1&uploadId={id}"), b"").await;
    assert_eq!((status, element(&listed, "PartNumber"), element(&listed, "IsTruncated")), (200, "2", "false"));
    assert_eq!((element(&listed, "Size"), element(&listed, "ETag").replace("&quot;", "\"")), ("8", tags[1].clone()));
    let (status, text) = upload.complete(&id, &[&tags[0], &tags[1]]).await;
    assert_eq!(status, 200, "{text}");
    assert!(cloud.object(upload.key()).unwrap() == content);
    assert_eq!(upload.send(Method::HEAD, "", b"").await.0, 200);

    let job = upload.ingest(json!({"callbacks": [format!("{}/act", cloud.api())]})).await;
    assert_eq!((job.state, job.bytes, job.sha256), (JobState::Finished, Some(content.len() as u64), Some(hex(&sha256(&content)))));
    assert_eq!(job.callbacks, [200, 200]);
    let video = &brightcove(&cloud).videos()[0];
    assert_eq!((video.name(), video.complete, brightcove(&cloud).requests(Call::Ingest)), ("Office Perks", true, 1));
    cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ingest_of_a_missing_object_fails() {
    let cloud = start().await;
    let upload = Upload::begin(&cloud).await;
    let job = upload.ingest(json!({"callbacks": [format!("{}/nowhere", cloud.api())]})).await;
    assert_eq!((job.state, job.bytes, job.callbacks), (JobState::Failed, None, vec![404]));
    assert!(cloud.log().contains("returned 404"), "{}", cloud.log());
    cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_without_an_account_has_no_upload_side() {
    let parameters = [("BrightcoveAccount".to_owned(), String::new())].into();
    let cloud = LocalCloud::start(Options { parameters, ..options() }).await.unwrap();
    assert!(cloud.brightcove().is_none() && cloud.bucket_url().is_none());
    assert_eq!(client().post(format!("{}/upload/known", cloud.api())).send().await.unwrap().status(), StatusCode::NOT_FOUND);
    cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_continues_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let stored = || Options { state: State::Directory(folder.path().join("state")), ..options() };
    let first = LocalCloud::start(stored()).await.unwrap();
    let upload = Upload::begin(&first).await;
    let id = upload.initiate().await;
    let part = upload.part(&id, 1, b"part".to_vec()).await;
    let (video, urls) = (upload.video.clone(), upload.urls.clone());
    first.stop().await;

    let second = LocalCloud::start(stored()).await.unwrap();
    let upload = Upload { cloud: &second, video, urls, region: "us-east-1", host: "127.0.0.1".into() };
    assert_eq!(upload.complete(&id, &[header(&part, "etag")]).await.0, 200);
    assert_eq!(second.object(upload.key()).as_deref(), Some(b"part".as_slice()));
    let videos = brightcove(&second).videos();
    assert_eq!((videos.len(), videos[0].id.as_str(), videos[0].name()), (1, upload.video.as_str(), "Office Perks"));
    second.stop().await;
}
