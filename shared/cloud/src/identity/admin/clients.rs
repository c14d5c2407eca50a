//! Clients and their transcoders.

use shared::{
    crypto::{jwe::PublicKey, system_rng},
    encoding::base64url,
    secret::{Secret, SecretText},
};

use super::{
    super::clients::{Client, SecretHash},
    error::Error,
    tables::{Admin, require_found, require_new},
};
use crate::vault::{flag, s, service_error};

impl Admin {
    /// Creates a client, and returns its secret. The secret cannot be read again.
    pub async fn create_client(&self, client_id: &str, authority: bool) -> Result<SecretText, Error> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if client_id.is_empty() || client_id.len() > 64 || !client_id.bytes().all(is_allowed) {
            return Err(Error::ClientId(client_id.into()));
        }
        let (secret, hash) = new_secret();
        let put = self.vault.dynamo().put_item().table_name(self.clients.table());
        let put = put.item("client_id", s(client_id)).item("secret_hash", s(hash.to_text())).item("authority", flag(authority));
        let put = put.condition_expression("attribute_not_exists(client_id)");
        require_new(put.send().await.map_err(service_error("DynamoDB")), || format!("client {client_id}"))?;
        Ok(secret)
    }

    /// Replaces a client's secret, and returns the new one. The old one is invalid at once.
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

    /// Registers the public key of a client's transcoder, and returns the key's id.
    pub async fn register_transcoder(&self, client_id: &str, pem: &str) -> Result<String, Error> {
        let key = PublicKey::from_pem(pem)?;
        self.update_client(client_id, "transcoder", key.to_pem().to_owned()).await?;
        Ok(key.kid().into())
    }

    async fn update_client(&self, client_id: &str, attribute: &str, value: String) -> Result<(), Error> {
        let update = self.vault.dynamo().update_item().table_name(self.clients.table()).key("client_id", s(client_id));
        let update = update.update_expression("SET #attribute = :value").condition_expression("attribute_exists(client_id)");
        let update = update.expression_attribute_names("#attribute", attribute).expression_attribute_values(":value", s(value));
        require_found(update.send().await.map_err(service_error("DynamoDB")), || format!("client {client_id}"))
    }
}

fn new_secret() -> (SecretText, SecretHash) {
    let secret: Secret<32> = Secret::generate(&mut system_rng());
    let secret = SecretText::new(base64url(secret.expose()));
    let hash = SecretHash::new(&secret, &mut system_rng());
    (secret, hash)
}
