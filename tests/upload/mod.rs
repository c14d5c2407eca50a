//! What uploads promise.

mod callers;
mod page;
mod refusals;
mod upstream;
mod vectors;

use std::{collections::BTreeMap, time::Duration};

use cloud::{
    setting::Environment,
    vault::{Vault, n, s},
};
use local::{Brightcove, Call, JobState, LocalCloud, Options, State};
use reqwest::Client;
use serde_json::{Value, json};

use crate::answer::Answer;
use page::{Operation, PART, Page, datetime};

/// Uploads alone, and a browser.
pub struct Running {
    suite: LocalCloud,
    client: Client,
}

/// Starts uploads, with parameters of the template.
async fn start(parameters: &[(&str, &str)]) -> Running {
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml").into();
    let parameters: BTreeMap<_, _> =
        [("Sides", "none")].iter().chain(parameters).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let options = Options { template, parameters, port: 0, state: State::Ephemeral, quiet: true, ..Options::default() };
    let (suite, _) = rampway::serve::start(options).await.expect("the suite starts");
    Running { suite, client: Client::builder().no_proxy().build().expect("a client") }
}

impl Running {
    fn brightcove(&self) -> &Brightcove {
        self.suite.brightcove().expect("the template has uploads")
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        Answer::to(self.client.post(format!("{}{path}", self.suite.api())).json(&body)).await
    }

    async fn create(&self, name: &str) -> Answer {
        self.post("/upload", json!({"name": name})).await
    }

    /// A page with an upload.
    async fn page(&self, name: &str) -> Page {
        let created = self.create(name).await;
        assert_eq!(created.status, 200, "{}", created.text);
        self.page_of(created)
    }

    fn page_of(&self, created: Answer) -> Page {
        let bucket = self.suite.bucket_url().expect("the template has uploads").to_owned();
        Page { client: self.client.clone(), api: self.suite.api().into(), bucket, upload: created.body }
    }

    async fn vault(&self) -> Vault {
        Vault::connect(&Environment::over(self.suite.environment().clone())).await.expect("the vault is there")
    }

    /// What is sealed of an upload.
    async fn credentials(&self, page: &Page) -> Value {
        let (vault, video) = (self.vault().await, page.text("videoId"));
        let get = vault.dynamo().get_item().table_name(self.table()).key("item", s(format!("upload#{video}")));
        let item = get.send().await.expect("the table answers").item.expect("the upload is there");
        let label = format!("upload#{}#{video}", self.brightcove().account());
        let sealed = vault.open(&label, &item, "sealed").await.expect("what was sealed opens");
        serde_json::from_slice(&sealed).expect("it is JSON")
    }

    fn table(&self) -> &str {
        &self.suite.environment()["UPLOADS_TABLE"]
    }

    /// Ends an upload's credentials, as time would.
    async fn expire(&self, page: &Page) {
        let vault = self.vault().await;
        let update = vault.dynamo().update_item().table_name(self.table()).key("item", s(format!("upload#{}", page.text("videoId"))));
        let update = update.update_expression("SET expires_at = :then").expression_attribute_values(":then", n(1));
        update.send().await.expect("the upload is there");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_goes_from_a_page_to_brightcove() {
    let running = start(&[]).await;
    let page = running.page("Büro, 50 % + Garten (1).mp4").await;
    assert_eq!(page.text("region"), "us-east-1");
    assert!(page.text("objectKey").ends_with("/source.mp4"), "{}", page.text("objectKey"));
    assert_eq!(running.brightcove().videos()[0].name(), "Büro, 50 % + Garten (1).mp4");
    assert_eq!(page.ingest().await.refusal(), "409 upload_incomplete");
    page.file().await;
    assert_eq!(running.suite.object(page.text("objectKey")).as_deref(), Some(PART.0.as_bytes()));

    let ingested = page.ingest().await;
    assert_eq!(ingested.status, 200, "{}", ingested.text);
    assert!(ingested.body["result"]["id"].is_string(), "{}", ingested.text);
    // Whoever asks again hears the same, and Brightcove hears nothing.
    assert_eq!(page.ingest().await.text, ingested.text);
    assert_eq!(running.brightcove().requests(Call::Ingest), 1);
    for _ in 0..100 {
        if page.status().await.body["state"] == "done" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(page.status().await.body["state"], "done");
    let job = &running.brightcove().jobs()[0];
    assert_eq!((job.state, job.bytes), (JobState::Finished, Some(4)));
    assert!(job.callbacks.iter().all(|status| *status == 204), "{:?}", job.callbacks);
    // Its credentials are gone.
    assert_eq!(page.sign(&Operation::part(1, "x"), &datetime()).await.refusal(), "403 session_unavailable");
    running.suite.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_is_told_as_a_browser_reads_it() {
    let running = start(&[]).await;
    let told = Answer::to(running.client.get(format!("{}/time?requestTime=1", running.suite.api()))).await;
    assert_eq!((told.status, told.header("content-type")), (200, Some("text/plain")));
    let format = time::format_description::well_known::Rfc3339;
    let told = time::OffsetDateTime::parse(&told.text, &format).unwrap();
    assert!((time::OffsetDateTime::now_utc() - told).abs() < time::Duration::minutes(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_secret_is_logged() {
    let running = start(&[("LogLevel", "trace")]).await;
    let page = running.page("a.mp4").await;
    let credentials = running.credentials(&page).await;
    let signature = page.sign(&Operation::initiate(), &datetime()).await.text;
    page.file().await;
    assert_eq!(page.ingest().await.status, 200);
    assert_eq!(page.status().await.status, 200);
    assert_eq!(page.sign(&Operation::part(1, "other"), "yesterday").await.status, 400);
    let stranger = Page { upload: page.upload.clone(), ..running.page("b.mp4").await };
    let refused = stranger.sign(&Operation::part(1, "other"), &datetime()).await;
    assert_eq!(refused.refusal(), "403 session_unavailable");
    let log = running.suite.log();
    assert!(log.contains(page.text("videoId")), "the log tells of the upload: {log}");
    let tag = page.text("statusPath").rsplit('/').next().unwrap();
    let [secret_key, address] = ["secret_access_key", "api_request_url"].map(|name| credentials[name].as_str().unwrap());
    let client_secret = running.brightcove().client_secret().expose();
    for secret in [
        page.text("sessionToken"),
        secret_key,
        address,
        &signature,
        tag,
        client_secret,
        "AWS4-HMAC",
        "x-amz-",
        "to_sign=",
        "Bearer ",
        "Basic ",
    ] {
        assert!(!log.contains(secret), "the log holds {secret:?}");
    }
    running.suite.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_never_completed_is_removed() {
    let running = start(&[]).await;
    let (kept, lost) = (running.page("kept.mp4").await, running.page("lost.mp4").await);
    running.expire(&lost).await;
    let told = running.suite.invoke("UploadReaperFunction", &json!({"dry_run": true})).await.unwrap();
    assert_eq!(running.brightcove().videos().len(), 2, "a dry run only tells: {told}");
    assert!(told.to_string().contains(lost.text("videoId")), "{told}");
    let told = running.suite.fire("UploadReaperFunction").await.unwrap();
    let left: Vec<String> = running.brightcove().videos().into_iter().map(|video| video.id).collect();
    assert_eq!(left, [kept.text("videoId")], "{told}");
    assert_eq!(lost.status().await.body["state"], "reaped");
    assert_eq!(lost.sign(&Operation::initiate(), &datetime()).await.refusal(), "403 session_unavailable");
    assert_eq!(kept.sign(&Operation::initiate(), &datetime()).await.status, 200);
    running.suite.stop().await;
}
