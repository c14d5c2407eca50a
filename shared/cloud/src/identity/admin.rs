//! Administration of the authority's side: domains, clients, permits, transcoders, signing keys. The same code on AWS and on a desk.

use shared::{
    crypto::{jwe::PublicKey, jws::SigningKey, system_rng},
    encoding::{base64url, hex},
    identity::{
        ClientKeys, Direction, Domain, Id, Kind, Packet,
        scope::{Approval, Permit},
    },
    secret::{Secret, SecretText},
};

use super::{
    clients::{Client, Clients, SecretHash},
    domains::{self, Domains, KEY, OWNER},
    error,
    keyring::{self, Keyring},
    permits::{Permits, write_direction, write_order},
    usage::{Metrics, Recorded},
};
use crate::{
    setting::{Environment, Table, now},
    vault::{self, Item, Vault, n, number, optional_number, s, service, string},
};

/// The authority's administration.
pub struct Admin {
    vault: Vault,
    clients: Clients,
    domains: Domains,
    permits: Permits,
    keyring: Keyring,
    signing_keys: String,
    metrics: Metrics,
}

/// Why an order was not carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It exists already.
    #[error("{0} exists already")]
    Exists(String),
    /// It does not exist.
    #[error("there is no {0}")]
    Absent(String),
    /// Only the owner orders.
    #[error("domain {domain} is {owner}'s: only its owner may order this")]
    NotTheOwner {
        /// The domain.
        domain: Domain,
        /// Whose it is.
        owner: String,
    },
    /// Not an RSA public key.
    #[error("not an RSA public key in PEM form: {0}")]
    Key(#[from] shared::crypto::jwe::KeyRejected),
    /// No key was made.
    #[error("no key was made: {0}")]
    NotMade(#[from] shared::crypto::jws::KeyRejected),
    /// No name.
    #[error("a client's id is 1 to 64 letters, digits, hyphens, underscores or dots, not {0:?}")]
    Name(String),
    /// No id could be minted.
    #[error("no id was minted: {}", .0.message())]
    Mint(shared::identity::Code),
    /// Everything else.
    #[error(transparent)]
    Identity(#[from] error::Error),
}

impl From<vault::Error> for Error {
    fn from(error: vault::Error) -> Self {
        Self::Identity(error.into())
    }
}

/// One version of a key, without the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    /// Its name.
    pub kid: String,
    /// From when it is used to encode or sign, in seconds since 1970.
    pub not_before: u64,
    /// When it ends, if it does.
    pub not_after: Option<u64>,
}

/// A domain, without its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainInfo {
    /// Its code.
    pub domain: Domain,
    /// Whose it is.
    pub owner: String,
    /// Its key's versions.
    pub keys: Vec<KeyInfo>,
}

/// Whose order it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The source domain's owner grants.
    Grant,
    /// The target domain's owner accepts.
    Accept,
}

impl Side {
    const fn attribute(self) -> &'static str {
        match self {
            Self::Grant => "granted",
            Self::Accept => "accepted",
        }
    }

    const fn domain(self, direction: Direction) -> Domain {
        match self {
            Self::Grant => direction.from,
            Self::Accept => direction.to,
        }
    }
}

impl Admin {
    /// Connects to what the environment names.
    pub async fn from_env(environment: &Environment) -> Result<Self, Error> {
        Ok(Self {
            vault: Vault::connect(environment).await?,
            clients: Clients::new(environment)?,
            domains: Domains::new(environment)?,
            permits: Permits::new(environment)?,
            keyring: Keyring::new(environment)?,
            signing_keys: environment.table(Table::SigningKeys).map_err(vault::Error::from)?,
            metrics: Metrics::new(environment)?,
        })
    }

    /// Creates a client; its secret is shown once.
    pub async fn create_client(&self, client_id: &str, authority: bool) -> Result<SecretText, Error> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if client_id.is_empty() || client_id.len() > 64 || !client_id.bytes().all(allowed) {
            return Err(Error::Name(client_id.into()));
        }
        let (secret, hash) = new_secret();
        let put = self.vault.dynamo().put_item().table_name(self.clients.table());
        let put = put.item("client_id", s(client_id)).item("secret_hash", s(hash.to_text()));
        let put = put.item("authority", aws_sdk_dynamodb::types::AttributeValue::Bool(authority));
        let put = put.condition_expression("attribute_not_exists(client_id)");
        exists(put.send().await.map_err(service("DynamoDB")), || format!("client {client_id}"))?;
        Ok(secret)
    }

    /// Gives a client a new secret; the old one ends at once.
    pub async fn rotate_client(&self, client_id: &str) -> Result<SecretText, Error> {
        let (secret, hash) = new_secret();
        self.update_client(client_id, "secret_hash", hash.to_text()).await?;
        Ok(secret)
    }

    /// Every client.
    pub async fn clients(&self) -> Result<Vec<Client>, Error> {
        let items = self.scan(self.clients.table()).await?;
        Ok(items.iter().map(Client::read).collect::<Result<_, _>>()?)
    }

    /// Registers the public key of a client's transcoder, and gives its name.
    pub async fn register_transcoder(&self, client_id: &str, pem: &str) -> Result<String, Error> {
        let key = PublicKey::from_pem(pem)?;
        self.update_client(client_id, "transcoder", key.to_pem().to_owned()).await?;
        Ok(key.kid().into())
    }

    async fn update_client(&self, client_id: &str, attribute: &str, value: String) -> Result<(), Error> {
        let update = self.vault.dynamo().update_item().table_name(self.clients.table()).key("client_id", s(client_id));
        let update = update.update_expression("SET #attribute = :value").condition_expression("attribute_exists(client_id)");
        let update = update.expression_attribute_names("#attribute", attribute).expression_attribute_values(":value", s(value));
        absent(update.send().await.map_err(service("DynamoDB")), || format!("client {client_id}"))
    }

    /// Creates a domain with its first key.
    pub async fn create_domain(&self, domain: Domain, owner: &str) -> Result<String, Error> {
        if self.clients.find(&self.vault, owner).await?.is_none() {
            return Err(Error::Absent(format!("client {owner}")));
        }
        let put = self.vault.dynamo().put_item().table_name(self.domains.table());
        let put = put.item("domain", s(domain)).item("item", s(OWNER)).item("owner", s(owner));
        let put = put.condition_expression("attribute_not_exists(#domain)").expression_attribute_names("#domain", "domain");
        exists(put.send().await.map_err(service("DynamoDB")), || format!("domain {domain}"))?;
        self.add_domain_key(domain, now()).await
    }

    /// Gives a domain a new key, which decodes from the next initialisation on and encodes from `not_before` on. Earlier keys still decode.
    pub async fn rotate_domain(&self, domain: Domain, mut not_before: u64) -> Result<String, Error> {
        let found = self.domains.find(&self.vault, domain, now()).await?;
        let (_, keys) = found.ok_or_else(|| Error::Absent(format!("domain {domain}")))?;
        // Which of two versions is the newer must be clear, even when they are made in one second.
        while keys.keys.iter().any(|key| key.not_before == not_before) {
            not_before += 1;
        }
        self.add_domain_key(domain, not_before).await
    }

    /// Ends one version of a domain's key: ids under it are not translated any more.
    pub async fn retire_domain_key(&self, domain: Domain, kid: &str) -> Result<(), Error> {
        let key = [("domain", domain.to_string()), ("item", format!("{KEY}{kid}"))];
        self.end(self.domains.table(), key, || format!("key {kid} of domain {domain}")).await
    }

    /// Every domain.
    pub async fn domains(&self) -> Result<Vec<DomainInfo>, Error> {
        let items = self.scan(self.domains.table()).await?;
        let mut domains = Vec::new();
        for item in items.iter().filter(|item| item.contains_key("owner")) {
            let domain: Domain = string(item, "domain")?.parse().map_err(|_| vault::Error::Attribute("domain"))?;
            let keys = items.iter().filter(|other| other.get("domain") == item.get("domain"));
            let keys = keys.filter_map(|other| Some((string(other, "item").ok()?.strip_prefix(KEY)?, other)));
            let keys = keys.map(|(kid, other)| key_info(kid, other)).collect::<Result<_, _>>()?;
            domains.push(DomainInfo { domain, owner: string(item, "owner")?.into(), keys });
        }
        domains.sort_by_key(|info| info.domain);
        Ok(domains)
    }

    async fn add_domain_key(&self, domain: Domain, not_before: u64) -> Result<String, Error> {
        let kid = new_kid();
        let key: Secret<64> = Secret::generate(&mut system_rng());
        let sealed = self.vault.seal(&domains::label(domain, &kid), key.expose()).await?;
        let put = self.vault.dynamo().put_item().table_name(self.domains.table());
        let put =
            put.item("domain", s(domain)).item("item", s(format!("{KEY}{kid}"))).item("key", sealed).item("not_before", n(not_before));
        put.send().await.map_err(service("DynamoDB"))?;
        Ok(kid)
    }

    async fn owner(&self, domain: Domain) -> Result<String, Error> {
        let get = self.vault.dynamo().get_item().table_name(self.domains.table()).key("domain", s(domain)).key("item", s(OWNER));
        let found = get.consistent_read(true).send().await.map_err(service("DynamoDB"))?;
        let item = found.item.ok_or_else(|| Error::Absent(format!("domain {domain}")))?;
        Ok(string(&item, "owner")?.into())
    }

    /// Places one side's permission order for a client, in the name of the domain's owner.
    pub async fn order(&self, client_id: &str, direction: Direction, side: Side, by: &str, order: Approval) -> Result<(), Error> {
        self.check_owner(side.domain(direction), by).await?;
        if self.clients.find(&self.vault, client_id).await?.is_none() {
            return Err(Error::Absent(format!("client {client_id}")));
        }
        let update = self.permit(client_id, direction).update_expression("SET #side = :order");
        let update = update.expression_attribute_names("#side", side.attribute()).expression_attribute_values(":order", write_order(order));
        update.send().await.map_err(service("DynamoDB"))?;
        Ok(())
    }

    /// Takes one side's permission order back; it ends with the client's present token.
    pub async fn revoke(&self, client_id: &str, direction: Direction, side: Side, by: &str) -> Result<(), Error> {
        self.check_owner(side.domain(direction), by).await?;
        let update = self.permit(client_id, direction).update_expression("REMOVE #side").condition_expression("attribute_exists(#side)");
        let update = update.expression_attribute_names("#side", side.attribute());
        absent(update.send().await.map_err(service("DynamoDB")), || {
            format!("such order for {client_id} from {} to {}", direction.from, direction.to)
        })
    }

    /// What was ordered for a client.
    pub async fn permits(&self, client_id: &str) -> Result<Vec<(Direction, Permit)>, Error> {
        Ok(self.permits.list(&self.vault, client_id).await?)
    }

    async fn check_owner(&self, domain: Domain, by: &str) -> Result<(), Error> {
        let owner = self.owner(domain).await?;
        if owner == by { Ok(()) } else { Err(Error::NotTheOwner { domain, owner }) }
    }

    fn permit(&self, client_id: &str, direction: Direction) -> aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder {
        let update = self.vault.dynamo().update_item().table_name(self.permits.table());
        update.key("client_id", s(client_id)).key("direction", s(write_direction(direction)))
    }

    /// Creates a signing key, which is published at once and signs from `not_before` on; the first one signs at once.
    ///
    /// Transcoders learn of it at their next initialisation: with less than a day between they refuse what it signs until then.
    pub async fn create_signing_key(&self, not_before: u64) -> Result<String, Error> {
        let first = self.scan(&self.signing_keys).await?.is_empty();
        let not_before = if first { now() } else { not_before };
        let key = SigningKey::generate()?;
        let kid = key.kid();
        let sealed = self.vault.seal(&keyring::label(kid), key.expose()).await?;
        let put = self.vault.dynamo().put_item().table_name(&self.signing_keys);
        let put = put.item("kid", s(kid)).item("private_key", sealed).item("not_before", n(not_before));
        put.send().await.map_err(service("DynamoDB"))?;
        Ok(kid.into())
    }

    /// Every signing key.
    pub async fn signing_keys(&self) -> Result<Vec<KeyInfo>, Error> {
        let items = self.scan(&self.signing_keys).await?;
        Ok(items.iter().map(|item| key_info(string(item, "kid")?, item)).collect::<Result<_, _>>()?)
    }

    /// Ends a signing key: tokens under it are refused from now on.
    pub async fn retire_signing_key(&self, kid: &str) -> Result<(), Error> {
        self.end(&self.signing_keys, [("kid", kid.to_owned())], || format!("signing key {kid}")).await
    }

    /// The verification keys as a JSON Web Key Set, for a transcoder's model directory.
    pub async fn verification_keys(&self) -> Result<String, Error> {
        let keys = self.keyring.keys(&self.vault, now()).await?;
        Ok(serde_json::to_string_pretty(&keys.jwks()).unwrap_or_default())
    }

    /// A minting session for some domains.
    pub async fn mint(&self, domains: &[Domain]) -> Result<Mint, Error> {
        let now = now();
        let mut all = Vec::new();
        for &domain in domains {
            let found = self.domains.find(&self.vault, domain, now).await?;
            all.push(found.ok_or_else(|| Error::Absent(format!("domain {domain}")))?.1);
        }
        let packet = Packet { id: String::new(), client_id: String::new(), expires: u64::MAX, domains: all };
        Ok(Mint { session: ClientKeys::new(packet), now })
    }

    /// What was reported of a client's usage.
    pub async fn usage(&self, client_id: &str) -> Result<Vec<Recorded>, Error> {
        Ok(self.metrics.list(&self.vault, client_id).await?)
    }

    async fn scan(&self, table: &str) -> Result<Vec<Item>, Error> {
        let pages = self.vault.dynamo().scan().table_name(table).consistent_read(true).into_paginator().items().send();
        Ok(pages.try_collect().await.map_err(service("DynamoDB"))?)
    }

    async fn end<const N: usize>(&self, table: &str, key: [(&str, String); N], what: impl Fn() -> String) -> Result<(), Error> {
        let mut update = self.vault.dynamo().update_item().table_name(table);
        for (name, value) in key {
            update = update.key(name, s(value));
        }
        let update = update.update_expression("SET not_after = :now").condition_expression("attribute_exists(not_before)");
        absent(update.expression_attribute_values(":now", n(now())).send().await.map_err(service("DynamoDB")), what)
    }
}

/// Mints ids in some domains under their current keys.
pub struct Mint {
    session: ClientKeys,
    now: u64,
}

impl Mint {
    /// Encodes a native payload, of 16 or 32 bytes as the kind has it.
    ///
    /// # Panics
    /// When the payload has not the kind's length.
    pub fn id(&self, kind: Kind, domain: Domain, payload: &[u8]) -> Result<Id, Error> {
        self.session.mint(kind, domain, payload, self.now).map_err(Error::Mint)
    }
}

fn new_secret() -> (SecretText, SecretHash) {
    let secret: Secret<32> = Secret::generate(&mut system_rng());
    let secret = SecretText::new(base64url(secret.expose()));
    let hash = SecretHash::new(&secret, &mut system_rng());
    (secret, hash)
}

fn new_kid() -> String {
    let name: Secret<8> = Secret::generate(&mut system_rng());
    hex(name.expose())
}

fn key_info(kid: &str, item: &Item) -> Result<KeyInfo, vault::Error> {
    Ok(KeyInfo { kid: kid.into(), not_before: number(item, "not_before")?, not_after: optional_number(item, "not_after")? })
}

fn exists<T>(outcome: Result<T, vault::Error>, what: impl Fn() -> String) -> Result<(), Error> {
    match outcome {
        Ok(_) => Ok(()),
        Err(vault::Error::Condition) => Err(Error::Exists(what())),
        Err(error) => Err(error.into()),
    }
}

fn absent<T>(outcome: Result<T, vault::Error>, what: impl Fn() -> String) -> Result<(), Error> {
    match outcome {
        Ok(_) => Ok(()),
        Err(vault::Error::Condition) => Err(Error::Absent(what())),
        Err(error) => Err(error.into()),
    }
}
