//! Clients of the authority, and their secrets.

use rand_core::CryptoRng;
use shared::{
    crypto::sha256,
    encoding::{base64url, from_base64url},
    secret::{Secret, SecretText},
};

use super::{error::Error, setting::Table};
use crate::{
    setting::Environment,
    vault::{self, Item, Vault, s, service_error, string},
};

/// The longest client id, in bytes.
const MAX_CLIENT_ID_BYTES: usize = 255;

/// The credentials of a client.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The client's id.
    pub client_id: String,
    /// The client's secret.
    pub secret: SecretText,
}

/// A client of the authority.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its id.
    pub id: String,
    /// Whether it is one of the authority's own, which may read domain keys.
    pub authority: bool,
    /// Its transcoder's public key, as PEM.
    pub transcoder: Option<String>,
    hash: SecretHash,
}

/// A salted SHA-256 hash. Secrets are 256 random bits, so a slow hash would only add latency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SecretHash {
    salt: [u8; 16],
    hash: Secret<32>,
}

impl SecretHash {
    /// Hashes a secret with a new salt.
    pub(super) fn new(secret: &SecretText, rng: &mut impl CryptoRng) -> Self {
        let mut salt = [0; 16];
        rng.fill_bytes(&mut salt);
        Self::salted(secret, salt)
    }

    /// The text to store.
    pub(super) fn to_text(&self) -> String {
        format!("{}.{}", base64url(&self.salt), base64url(self.hash.expose()))
    }

    fn from_text(text: &str) -> Option<Self> {
        let (salt, hash) = text.split_once('.')?;
        Some(Self { salt: from_base64url(salt)?.try_into().ok()?, hash: Secret::from_slice(&from_base64url(hash)?)? })
    }

    /// Whether this is the hash of `secret`, in constant time.
    fn is_of(&self, secret: &SecretText) -> bool {
        Self::salted(secret, self.salt).hash == self.hash
    }

    fn salted(secret: &SecretText, salt: [u8; 16]) -> Self {
        let salted = zeroize::Zeroizing::new([&salt, secret.expose().as_bytes()].concat());
        Self { salt, hash: Secret::new(sha256(&salted)) }
    }
}

/// The table of clients.
pub(super) struct Clients {
    table: String,
}

impl Clients {
    /// Finds the table.
    pub(super) fn new(environment: &Environment) -> Result<Self, Error> {
        Ok(Self { table: Table::Clients.name(environment)? })
    }

    /// The table's name.
    pub(super) fn table(&self) -> &str {
        &self.table
    }

    /// Finds a client.
    pub(super) async fn find(&self, vault: &Vault, client_id: &str) -> Result<Option<Client>, Error> {
        // DynamoDB rejects empty and longer keys; no client has one.
        if client_id.is_empty() || client_id.len() > MAX_CLIENT_ID_BYTES {
            return Ok(None);
        }
        let found = vault.dynamo().get_item().table_name(&self.table).key("client_id", s(client_id)).send().await;
        let found = found.map_err(service_error("DynamoDB"))?;
        Ok(found.item.as_ref().map(Client::read).transpose()?)
    }

    /// Finds the client that the credentials belong to.
    pub(super) async fn authenticate(&self, vault: &Vault, credentials: &Credentials) -> Result<Client, Error> {
        let client = self.find(vault, &credentials.client_id).await?;
        // An unknown client takes as long as a wrong secret, so that timing does not reveal which
        // ids exist.
        let placeholder = SecretHash { salt: [0; 16], hash: Secret::new([0; 32]) };
        let is_genuine = client.as_ref().map_or(&placeholder, |client| &client.hash).is_of(&credentials.secret);
        client.filter(|_| is_genuine).ok_or(Error::Credentials)
    }
}

impl Client {
    /// Reads an item of the table.
    pub(super) fn read(item: &Item) -> Result<Self, vault::Error> {
        Ok(Self {
            id: string(item, "client_id")?.into(),
            authority: item.get("authority").and_then(|value| value.as_bool().ok()).copied().unwrap_or_default(),
            transcoder: string(item, "transcoder").ok().map(str::to_owned),
            hash: SecretHash::from_text(string(item, "secret_hash")?).ok_or(vault::Error::Attribute("secret_hash"))?,
        })
    }
}
