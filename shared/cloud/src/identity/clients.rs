//! Clients of the authority, and their secrets.

use rand_core::CryptoRng;
use shared::{
    crypto::sha256,
    encoding::{base64url, from_base64url},
    secret::{Secret, SecretText},
};

use super::Error;
use crate::{
    setting::{Environment, Table},
    vault::{self, Item, Vault, s, service, string},
};

/// What a client shows.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Its id.
    pub client_id: String,
    /// Its secret.
    pub secret: SecretText,
}

/// A client of the authority.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its id.
    pub id: String,
    /// Whether it is one of the authority's own.
    pub authority: bool,
    /// Its transcoder's public key, as PEM.
    pub transcoder: Option<String>,
    hash: SecretHash,
}

/// A salted hash. Secrets are 256 random bits, so a slow hash would add nothing but latency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretHash {
    salt: [u8; 16],
    hash: Secret<32>,
}

impl SecretHash {
    /// Hashes a secret under a fresh salt.
    pub fn new(secret: &SecretText, rng: &mut impl CryptoRng) -> Self {
        let mut salt = [0; 16];
        rng.fill_bytes(&mut salt);
        Self::salted(secret, salt)
    }

    /// The text to store.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{}.{}", base64url(&self.salt), base64url(self.hash.expose()))
    }

    fn from_text(text: &str) -> Option<Self> {
        let (salt, hash) = text.split_once('.')?;
        Some(Self { salt: from_base64url(salt)?.try_into().ok()?, hash: Secret::from_slice(&from_base64url(hash)?)? })
    }

    /// Whether this is the secret, in constant time.
    fn is_of(&self, secret: &SecretText) -> bool {
        Self::salted(secret, self.salt).hash == self.hash
    }

    fn salted(secret: &SecretText, salt: [u8; 16]) -> Self {
        let salted = zeroize::Zeroizing::new([&salt, secret.expose().as_bytes()].concat());
        Self { salt, hash: Secret::new(sha256(&salted)) }
    }
}

/// The table of clients.
pub struct Clients {
    table: String,
}

impl Clients {
    /// Finds the table.
    pub fn new(environment: &Environment) -> Result<Self, Error> {
        Ok(Self { table: environment.table(Table::Clients).map_err(vault::Error::from)? })
    }

    /// The table's name.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Finds a client.
    pub async fn find(&self, vault: &Vault, client_id: &str) -> Result<Option<Client>, Error> {
        // DynamoDB refuses empty and overlong keys; no client has one.
        if client_id.is_empty() || client_id.len() > 255 {
            return Ok(None);
        }
        let found = vault.dynamo().get_item().table_name(&self.table).key("client_id", s(client_id)).send().await;
        let found = found.map_err(service("DynamoDB"))?;
        Ok(found.item.as_ref().map(Client::read).transpose()?)
    }

    /// Finds the client whose credentials these are.
    pub async fn authenticate(&self, vault: &Vault, credentials: &Credentials) -> Result<Client, Error> {
        let client = self.find(vault, &credentials.client_id).await?;
        // An unknown client costs as much as a wrong secret, so that the time does not tell them apart.
        let nobody = SecretHash { salt: [0; 16], hash: Secret::new([0; 32]) };
        let genuine = client.as_ref().map_or(&nobody, |client| &client.hash).is_of(&credentials.secret);
        client.filter(|_| genuine).ok_or(Error::Credentials)
    }
}

impl Client {
    /// Reads an item of the table.
    pub fn read(item: &Item) -> Result<Self, vault::Error> {
        Ok(Self {
            id: string(item, "client_id")?.into(),
            authority: item.get("authority").and_then(|value| value.as_bool().ok()).copied().unwrap_or_default(),
            transcoder: string(item, "transcoder").ok().map(str::to_owned),
            hash: SecretHash::from_text(string(item, "secret_hash")?).ok_or(vault::Error::Attribute("secret_hash"))?,
        })
    }
}
