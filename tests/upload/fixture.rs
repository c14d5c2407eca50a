//! A local cloud with uploads only, and the calls that tests make of it.

use cloud::vault::{Vault, n, s};
use local::{Brightcove, LocalCloud};
use reqwest::Client;
use serde_json::{Value, json};

use super::page::Page;
use crate::{
    local_cloud::{self, http_client},
    response::Response,
};

/// A local cloud without the sides of identity, and an HTTP client.
pub struct Fixture {
    pub cloud: LocalCloud,
    pub client: Client,
}

/// Starts uploads with parameters of the template.
pub async fn start(parameters: &[(&str, &str)]) -> Fixture {
    let parameters = [("Sides", "none")].iter().chain(parameters).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let (cloud, _) = local_cloud::start(parameters.collect(), 1).await;
    Fixture { cloud, client: http_client() }
}

impl Fixture {
    pub fn brightcove(&self) -> &Brightcove {
        self.cloud.brightcove().expect("the template deploys uploads")
    }

    pub async fn post(&self, path: &str, body: Value) -> Response {
        Response::to(self.client.post(format!("{}{path}", self.cloud.api())).json(&body)).await
    }

    pub async fn create(&self, name: &str) -> Response {
        self.post("/upload", json!({"name": name})).await
    }

    /// A page with a new upload.
    pub async fn page(&self, name: &str) -> Page {
        let created = self.create(name).await;
        assert_eq!(created.status, 200, "{}", created.text);
        self.page_of(created)
    }

    pub fn page_of(&self, created: Response) -> Page {
        Page::new(&self.cloud, &self.client, created.body)
    }

    pub async fn vault(&self) -> Vault {
        local_cloud::vault(&self.cloud).await
    }

    /// The sealed attributes of an upload.
    pub async fn credentials(&self, page: &Page) -> Value {
        let (vault, video) = (self.vault().await, page.text("videoId"));
        let get = vault.dynamo().get_item().table_name(self.table()).key("item", s(format!("upload#{video}")));
        let item = get.send().await.expect("the table exists").item.expect("the upload exists");
        let label = format!("upload#{}#{video}", self.brightcove().account());
        let sealed = vault.open(&label, &item, "sealed").await.expect("the seal opens");
        serde_json::from_slice(&sealed).expect("JSON")
    }

    pub fn table(&self) -> &str {
        &self.cloud.environment()["UPLOADS_TABLE"]
    }

    /// Sets the expiry of an upload's credentials to the past.
    pub async fn expire(&self, page: &Page) {
        let vault = self.vault().await;
        let update = vault.dynamo().update_item().table_name(self.table()).key("item", s(format!("upload#{}", page.text("videoId"))));
        let update = update.update_expression("SET expires_at = :then").expression_attribute_values(":then", n(1));
        update.send().await.expect("the upload exists");
    }
}
