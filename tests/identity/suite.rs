//! A running suite, and ways to ask it.

use std::collections::BTreeMap;

use cloud::{
    identity::admin::{Admin, Side},
    setting::Environment,
    vault::{Vault, s},
};
use local::{LocalCloud, Options, State};
use rampway::serve::{self, Seed};
use reqwest::Client;
use serde_json::{Value, json};
use shared::{
    crypto::jws::SigningKey,
    identity::{Direction, Domain, Kind, scope::Approval},
};

use crate::answer::Answer;

/// A suite with its client, and the authority's administration.
pub struct Running {
    pub suite: LocalCloud,
    pub seed: Seed,
    pub admin: Admin,
    pub client: Client,
    environment: BTreeMap<String, String>,
}

pub async fn start(instances: usize) -> Running {
    start_with(instances, BTreeMap::new()).await
}

/// A suite whose template has other parameters than a desk's.
pub async fn start_with(instances: usize, parameters: BTreeMap<String, String>) -> Running {
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml").into();
    let options = Options { template, parameters, port: 0, instances, state: State::Ephemeral, quiet: true, ..Options::default() };
    let (suite, seed) = serve::start(options).await.expect("the suite starts");
    let seed = seed.expect("the template has the authority's side");
    let environment = suite.environment().clone();
    let admin = Admin::from_env(&Environment::over(environment.clone())).await.expect("the tables are there");
    Running { suite, seed, admin, client: Client::builder().no_proxy().build().expect("a client"), environment }
}

/// A suite whose transcoders hold keys, and a smart token.
pub async fn initialised(instances: usize) -> (Running, String) {
    let running = start(instances).await;
    let token = running.init().await;
    (running, token)
}

pub fn domain(text: &str) -> Domain {
    text.parse().expect("a domain")
}

pub fn direction(from: &str, to: &str) -> Direction {
    Direction { from: domain(from), to: domain(to) }
}

impl Running {
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        Answer::to(request).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_text(path, body.to_string()).await
    }

    pub async fn post_text(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        let request = self.client.post(format!("{}{path}", self.suite.api())).header("content-type", "application/json");
        self.send(request.body(body)).await
    }

    pub async fn get(&self, path: &str, bearer: &str) -> Answer {
        self.send(self.client.get(format!("{}{path}", self.suite.api())).bearer_auth(bearer)).await
    }

    pub fn credentials(&self) -> Value {
        let seed = &self.seed.credentials;
        json!({"client_id": seed.client_id, "client_secret": seed.client_secret.expose()})
    }

    pub async fn init(&self) -> String {
        let answer = self.post("/auth/init", &self.credentials()).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.body["smart_token"].as_str().expect("a smart token").into()
    }

    pub async fn refresh(&self) -> String {
        let mut body = self.credentials();
        body["rpc"] = "refresh".into();
        let answer = self.post("/auth/request", &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.body["smart_token"].as_str().expect("a smart token").into()
    }

    pub async fn translate(&self, token: &str, data: Value) -> Answer {
        self.post("/auth/request", &json!({"smart_token": token, "transcode_data": data})).await
    }

    /// The code of one id's refusal.
    pub async fn code(&self, token: &str, value: &str, target: &str) -> String {
        // Beside a malformed id, so that the request as a whole does not fail.
        let data = json!([{"value": value, "target": target}, {"value": "no id", "target": target}]);
        let answer = self.translate(token, data).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.body[0]["error"]["code"].as_str().unwrap_or("none").into()
    }

    /// Ids of a kind, minted under the domain's current key: the first of payload 1, the second of payload 2, and so on.
    pub async fn mint(&self, kind: Kind, text: &str, count: u128) -> Vec<String> {
        let mint = self.admin.mint(&[domain(text)]).await.expect("the domain is there");
        let id = |number: u128| {
            let mut payload = [0; 32];
            payload[..16].copy_from_slice(&number.to_be_bytes());
            mint.id(kind, domain(text), &payload[..kind.payload_len()]).expect("the domain has a key").to_string()
        };
        (1..=count).map(id).collect()
    }

    /// Waits for the next second: of two versions of a key that are made in one second, the later begins with the next.
    pub async fn pass_a_second(&self) {
        let now = cloud::setting::now();
        while cloud::setting::now() == now {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// Allows a client a direction, both owners ordering it.
    pub async fn permit(&self, client: &str, direction: Direction) {
        for (side, of) in [(Side::Grant, direction.from), (Side::Accept, direction.to)] {
            let domains = self.admin.domains().await.expect("domains");
            let owner = &domains.iter().find(|info| info.domain == of).expect("the domain is there").owner;
            self.admin.order(client, direction, side, owner, Approval::Indefinite).await.expect("the owner may order");
        }
    }

    /// The authority's signing key, which a test takes from the vault to sign what the authority would not.
    pub async fn signing_key(&self) -> SigningKey {
        let kid = &self.admin.signing_keys().await.expect("signing keys")[0].kid;
        self.signing_key_named(kid).await
    }

    pub async fn signing_key_named(&self, kid: &str) -> SigningKey {
        let vault = self.vault().await;
        let get = vault.dynamo().get_item().table_name(&self.environment["SIGNING_KEYS_TABLE"]).key("kid", s(kid));
        let item = get.send().await.expect("the table is there").item.expect("the key is there");
        let key = vault.open(&format!("signing_key#{kid}"), &item, "private_key").await.expect("the key opens");
        SigningKey::from_pkcs8(&key).expect("a key")
    }

    /// How many ids the customer's side has counted.
    pub async fn counted(&self) -> u64 {
        let vault = self.vault().await;
        let items =
            vault.dynamo().scan().table_name(&self.environment["USAGE_TABLE"]).send().await.expect("a scan").items.unwrap_or_default();
        items.iter().map(|item| cloud::vault::number(item, "count").expect("a count")).sum()
    }

    /// Puts another item's sealed value in the place of one of the customer's.
    pub async fn tamper(&self, name: &str) {
        let vault = self.vault().await;
        let sealed = vault.seal("another item", b"whatever").await.expect("the vault seals");
        let update = vault.dynamo().update_item().table_name(&self.environment["VAULT_TABLE"]).key("name", s(name));
        let update = update.update_expression("SET sealed = :sealed, packet_id = :packet").expression_attribute_values(":sealed", sealed);
        update.expression_attribute_values(":packet", s("another")).send().await.expect("the item is there");
    }

    async fn vault(&self) -> Vault {
        Vault::connect(&Environment::over(self.environment.clone())).await.expect("the vault is there")
    }
}
