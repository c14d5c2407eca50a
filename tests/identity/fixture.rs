//! A local cloud with the demo client, and the calls that tests make of it.

use std::collections::BTreeMap;

use cloud::{
    identity::admin::{Admin, Side},
    setting::Environment,
    vault::s,
};
use local::LocalCloud;
use rampway::serve::Seed;
use reqwest::Client;
use serde_json::{Value, json};
use shared::{
    crypto::jws::SigningKey,
    identity::{Direction, Domain, Kind, scope::Approval},
};

use crate::{
    local_cloud::{self, http_client, vault},
    response::Response,
};

/// A local cloud, its seeded client, and the authority's administration.
pub struct Fixture {
    pub cloud: LocalCloud,
    pub seed: Seed,
    pub admin: Admin,
    pub client: Client,
}

pub async fn start(instances: usize) -> Fixture {
    start_with(instances, BTreeMap::new()).await
}

/// Starts the template with parameters other than the local defaults.
pub async fn start_with(instances: usize, parameters: BTreeMap<String, String>) -> Fixture {
    let (cloud, seed) = local_cloud::start(parameters, instances).await;
    let seed = seed.expect("the template deploys the authority");
    let admin = Admin::from_env(&Environment::with_defaults(cloud.environment().clone())).await.expect("the tables exist");
    Fixture { cloud, seed, admin, client: http_client() }
}

/// A fixture whose transcoders hold keys, and a smart token.
pub async fn initialised(instances: usize) -> (Fixture, String) {
    let fixture = start(instances).await;
    let token = fixture.init().await;
    (fixture, token)
}

pub fn domain(text: &str) -> Domain {
    text.parse().expect("a domain")
}

pub fn direction(from: &str, to: &str) -> Direction {
    Direction { from: domain(from), to: domain(to) }
}

/// A base64url text with one of its characters replaced. The last characters may hold spare bits,
/// so tests replace an earlier one.
pub fn with_flipped_character(text: &str, index: usize) -> String {
    let other = if text.as_bytes()[index] == b'A' { 'B' } else { 'A' };
    format!("{}{other}{}", &text[..index], &text[index + 1..])
}

impl Fixture {
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Response {
        Response::to(request).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Response {
        self.post_text(path, body.to_string()).await
    }

    pub async fn post_text(&self, path: &str, body: impl Into<reqwest::Body>) -> Response {
        let request = self.client.post(format!("{}{path}", self.cloud.api())).header("content-type", "application/json");
        self.send(request.body(body)).await
    }

    pub async fn get(&self, path: &str, bearer: &str) -> Response {
        self.send(self.client.get(format!("{}{path}", self.cloud.api())).bearer_auth(bearer)).await
    }

    pub fn credentials(&self) -> Value {
        let seed = &self.seed.credentials;
        json!({"client_id": seed.client_id, "client_secret": seed.client_secret.expose()})
    }

    /// Initialises the transcoder and returns a smart token.
    pub async fn init(&self) -> String {
        let response = self.post("/auth/init", &self.credentials()).await;
        assert_eq!(response.status, 200, "{}", response.text);
        response.body["smart_token"].as_str().expect("a smart token").into()
    }

    /// Returns a new smart token without initialising the transcoder.
    pub async fn refresh(&self) -> String {
        let mut body = self.credentials();
        body["rpc"] = "refresh".into();
        let response = self.post("/auth/request", &body).await;
        assert_eq!(response.status, 200, "{}", response.text);
        response.body["smart_token"].as_str().expect("a smart token").into()
    }

    /// An init token from the authority.
    pub async fn init_token(&self) -> String {
        self.post("/token/init", &self.credentials()).await.body["init_token"].as_str().unwrap().to_owned()
    }

    pub async fn translate(&self, token: &str, data: Value) -> Response {
        self.post("/auth/request", &json!({"smart_token": token, "transcode_data": data})).await
    }

    /// Invokes the `SageMaker` endpoint without the proxy. Returns the endpoint's response and the
    /// container's body from its `OriginalMessage`.
    pub async fn invoke_endpoint(&self, body: &Value) -> (Response, Value) {
        let url = format!("{}/endpoints/{}/invocations", self.cloud.sagemaker_url(), self.cloud.environment()["ENDPOINT_NAME"]);
        let request = self.client.post(url).header("content-type", "application/json").body(body.to_string());
        let response = self.send(request).await;
        let original = serde_json::from_str(response.body["OriginalMessage"].as_str().unwrap_or("{}")).expect("the container's body");
        (response, original)
    }

    /// The error code of one id, `none` if it is translated.
    pub async fn code(&self, token: &str, value: &str, target: &str) -> String {
        // Beside a malformed id, so that the request as a whole does not fail.
        let data = json!([{"value": value, "target": target}, {"value": "no id", "target": target}]);
        let response = self.translate(token, data).await;
        assert_eq!(response.status, 200, "{}", response.text);
        response.body[0]["error"]["code"].as_str().unwrap_or("none").into()
    }

    /// Ids of a kind, minted under the domain's current key: the first of payload 1, the second of
    /// payload 2, and so on.
    pub async fn mint(&self, kind: Kind, text: &str, count: u128) -> Vec<String> {
        let mint = self.admin.mint(&[domain(text)]).await.expect("the domain exists");
        let id = |number: u128| {
            let mut payload = [0; 32];
            payload[..16].copy_from_slice(&number.to_be_bytes());
            mint.id(kind, domain(text), &payload[..kind.payload_len()]).expect("the domain has a key").to_string()
        };
        (1..=count).map(id).collect()
    }

    /// Waits for the next second. Of two versions of a key made in the same second, the later one
    /// starts with the next.
    pub async fn wait_for_next_second(&self) {
        let now = cloud::clock::now();
        while cloud::clock::now() == now {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// Allows a client a direction: the owners of both domains approve it.
    pub async fn permit(&self, client: &str, direction: Direction) {
        for (side, of) in [(Side::Grant, direction.from), (Side::Accept, direction.to)] {
            let domains = self.admin.domains().await.expect("domains");
            let owner = &domains.iter().find(|info| info.domain == of).expect("the domain exists").owner;
            self.admin.approve(client, direction, side, owner, Approval::Indefinite).await.expect("the owner may approve");
        }
    }

    /// The authority's signing key from the vault, to sign what the authority would not.
    pub async fn signing_key(&self) -> SigningKey {
        let kid = &self.admin.signing_keys().await.expect("signing keys")[0].kid;
        self.signing_key_by_id(kid).await
    }

    pub async fn signing_key_by_id(&self, kid: &str) -> SigningKey {
        let vault = vault(&self.cloud).await;
        let get = vault.dynamo().get_item().table_name(&self.cloud.environment()["SIGNING_KEYS_TABLE"]).key("kid", s(kid));
        let item = get.send().await.expect("the table exists").item.expect("the key exists");
        let key = vault.open(&format!("signing_key#{kid}"), &item, "private_key").await.expect("the key opens");
        SigningKey::from_pkcs8(&key).expect("a key")
    }

    /// The number of translated ids in the usage table.
    pub async fn counted(&self) -> u64 {
        let vault = vault(&self.cloud).await;
        let scan = vault.dynamo().scan().table_name(&self.cloud.environment()["USAGE_TABLE"]);
        let items = scan.send().await.expect("a scan").items.unwrap_or_default();
        items.iter().map(|item| cloud::vault::number(item, "count").expect("a count")).sum()
    }

    /// Replaces the sealed value of an item in the vault's table by that of another item.
    pub async fn tamper(&self, name: &str) {
        let vault = vault(&self.cloud).await;
        let sealed = vault.seal("another item", b"any value").await.expect("the vault seals");
        let update = vault.dynamo().update_item().table_name(&self.cloud.environment()["VAULT_TABLE"]).key("name", s(name));
        let update = update.update_expression("SET sealed = :sealed, packet_id = :packet").expression_attribute_values(":sealed", sealed);
        update.expression_attribute_values(":packet", s("another")).send().await.expect("the item exists");
    }
}
