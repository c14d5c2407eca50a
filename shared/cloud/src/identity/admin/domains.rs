//! Domains and their keys, and ids that are minted under them.

use shared::{
    crypto::system_rng,
    identity::{ClientKeys, Domain, Id, Kind, Packet},
    secret::Secret,
};

use super::{
    super::domains::{self, KEY, OWNER},
    error::Error,
    tables::{Admin, KeyInfo, key_info, new_kid, require_new},
};
use crate::{
    clock::now,
    vault::{self, n, s, service_error, string},
};

/// A domain, without its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainInfo {
    /// Its code.
    pub domain: Domain,
    /// The client that owns it.
    pub owner: String,
    /// The versions of its key.
    pub keys: Vec<KeyInfo>,
}

/// Mints ids in some domains, under their current keys.
pub struct Mint {
    keys: ClientKeys,
    now: u64,
}

impl Admin {
    /// Creates a domain with its first key, and returns the key's id.
    pub async fn create_domain(&self, domain: Domain, owner: &str) -> Result<String, Error> {
        if self.clients.find(&self.vault, owner).await?.is_none() {
            return Err(Error::NotFound(format!("client {owner}")));
        }
        let put = self.vault.dynamo().put_item().table_name(self.domains.table());
        let put = put.item("domain", s(domain)).item("item", s(OWNER)).item("owner", s(owner));
        let put = put.condition_expression("attribute_not_exists(#domain)").expression_attribute_names("#domain", "domain");
        require_new(put.send().await.map_err(service_error("DynamoDB")), || format!("domain {domain}"))?;
        self.add_domain_key(domain, now()).await
    }

    /// Adds a version of a domain's key, and returns its id. It decrypts from the next
    /// initialisation on, and encrypts from `not_before` on. Earlier versions still decrypt.
    pub async fn rotate_domain(&self, domain: Domain, mut not_before: u64) -> Result<String, Error> {
        let found = self.domains.find(&self.vault, domain, now()).await?;
        let (_, keys) = found.ok_or_else(|| Error::NotFound(format!("domain {domain}")))?;
        // Two versions made in one second must still have an order.
        while keys.keys.iter().any(|key| key.not_before == not_before) {
            not_before += 1;
        }
        self.add_domain_key(domain, not_before).await
    }

    /// Retires one version of a domain's key: ids under it are no longer translated.
    pub async fn retire_domain_key(&self, domain: Domain, kid: &str) -> Result<(), Error> {
        let key = [("domain", domain.to_string()), ("item", format!("{KEY}{kid}"))];
        self.expire_key(self.domains.table(), key, || format!("key {kid} of domain {domain}")).await
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

    /// Prepares to mint ids in some domains.
    pub async fn mint(&self, domains: &[Domain]) -> Result<Mint, Error> {
        let now = now();
        let mut all = Vec::new();
        for &domain in domains {
            let found = self.domains.find(&self.vault, domain, now).await?;
            all.push(found.ok_or_else(|| Error::NotFound(format!("domain {domain}")))?.1);
        }
        let packet = Packet { id: String::new(), client_id: String::new(), expires: u64::MAX, domains: all };
        Ok(Mint { keys: ClientKeys::new(packet), now })
    }

    async fn add_domain_key(&self, domain: Domain, not_before: u64) -> Result<String, Error> {
        let kid = new_kid();
        let key: Secret<64> = Secret::generate(&mut system_rng());
        let sealed = self.vault.seal(&domains::label(domain, &kid), key.expose()).await?;
        let put = self.vault.dynamo().put_item().table_name(self.domains.table());
        let put =
            put.item("domain", s(domain)).item("item", s(format!("{KEY}{kid}"))).item("key", sealed).item("not_before", n(not_before));
        put.send().await.map_err(service_error("DynamoDB"))?;
        Ok(kid)
    }

    /// The owner of a domain.
    pub(super) async fn owner(&self, domain: Domain) -> Result<String, Error> {
        let get = self.vault.dynamo().get_item().table_name(self.domains.table()).key("domain", s(domain)).key("item", s(OWNER));
        let found = get.consistent_read(true).send().await.map_err(service_error("DynamoDB"))?;
        let item = found.item.ok_or_else(|| Error::NotFound(format!("domain {domain}")))?;
        Ok(string(&item, "owner")?.into())
    }
}

impl Mint {
    /// Encrypts a native payload into an id; the kind gives its length, 16 or 32 bytes.
    ///
    /// # Panics
    /// If the payload has another length.
    pub fn id(&self, kind: Kind, domain: Domain, payload: &[u8]) -> Result<Id, Error> {
        self.keys.mint(kind, domain, payload, self.now).map_err(Error::Mint)
    }
}
