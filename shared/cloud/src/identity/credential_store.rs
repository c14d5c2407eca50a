//! The customer's vault: credentials and init tokens, encrypted.

use shared::secret::SecretText;

use super::{clients::Credentials, error::Error, setting::Table};
use crate::{
    setting::Environment,
    vault::{self, Item, Scan, Vault, n, number, s, service_error, string},
};

/// The prefix of the names of credentials' items.
const CREDENTIALS: &str = "credentials#";
/// The prefix of the names of init tokens' items.
const INIT_TOKEN: &str = "init_token#";

/// The customer's vault.
pub(super) struct CredentialStore {
    table: String,
}

/// A client's init token.
pub(super) struct InitToken {
    pub(super) text: SecretText,
    pub(super) packet_id: String,
    /// When it expires, in seconds since 1970.
    pub(super) expires: u64,
}

impl CredentialStore {
    /// Finds the table.
    pub(super) fn new(environment: &Environment) -> Result<Self, Error> {
        Ok(Self { table: Table::Vault.name(environment)? })
    }

    /// The credentials of a client.
    pub(super) async fn find(&self, vault: &Vault, client_id: &str) -> Result<Option<Credentials>, Error> {
        let Some((name, item)) = self.item(vault, CREDENTIALS, client_id).await? else { return Ok(None) };
        let secret = open_text(vault, &name, &item).await?;
        Ok(Some(Credentials { client_id: client_id.into(), secret }))
    }

    /// Stores the credentials of a client.
    pub(super) async fn store(&self, vault: &Vault, credentials: &Credentials) -> Result<(), Error> {
        let name = format!("{CREDENTIALS}{}", credentials.client_id);
        let sealed = vault.seal(&name, credentials.secret.expose().as_bytes()).await?;
        let put = vault.dynamo().put_item().table_name(&self.table).item("name", s(name)).item("sealed", sealed);
        put.send().await.map_err(service_error("DynamoDB"))?;
        Ok(())
    }

    /// The ids of the clients whose credentials are stored.
    pub(super) async fn client_ids(&self, vault: &Vault) -> Result<Vec<String>, Error> {
        let scan = Scan::new(&self.table).begins_with("name", CREDENTIALS).key_only();
        let items = vault.tables().scan_items(scan).await?;
        Ok(items.iter().filter_map(|item| string(item, "name").ok()?.strip_prefix(CREDENTIALS)).map(str::to_owned).collect())
    }

    /// The init token of a client.
    pub(super) async fn find_init_token(&self, vault: &Vault, client_id: &str) -> Result<Option<InitToken>, Error> {
        let Some((name, item)) = self.item(vault, INIT_TOKEN, client_id).await? else { return Ok(None) };
        let text = open_text(vault, &name, &item).await?;
        let (packet_id, expires) = (string(&item, "packet_id")?.into(), number(&item, "expires_at")?);
        Ok(Some(InitToken { text, packet_id, expires }))
    }

    /// The id and the expiry of the stored init token's packet. The token itself is not read.
    pub(super) async fn stored_packet(&self, vault: &Vault, client_id: &str) -> Result<Option<(String, u64)>, Error> {
        let get = vault.dynamo().get_item().table_name(&self.table).key("name", s(format!("{INIT_TOKEN}{client_id}")));
        let found = get.consistent_read(true).projection_expression("packet_id, expires_at").send().await;
        let found = found.map_err(service_error("DynamoDB"))?.item;
        Ok(found.map(|item| Ok::<_, vault::Error>((string(&item, "packet_id")?.into(), number(&item, "expires_at")?))).transpose()?)
    }

    /// Stores the init token of a client.
    pub(super) async fn store_init_token(&self, vault: &Vault, client_id: &str, token: &InitToken) -> Result<(), Error> {
        let name = format!("{INIT_TOKEN}{client_id}");
        let sealed = vault.seal(&name, token.text.expose().as_bytes()).await?;
        let put = vault.dynamo().put_item().table_name(&self.table).item("name", s(name)).item("sealed", sealed);
        let put = put.item("packet_id", s(&token.packet_id)).item("expires_at", n(token.expires));
        put.send().await.map_err(service_error("DynamoDB"))?;
        Ok(())
    }

    async fn item(&self, vault: &Vault, prefix: &str, client_id: &str) -> Result<Option<(String, Item)>, Error> {
        let name = format!("{prefix}{client_id}");
        let found = vault.dynamo().get_item().table_name(&self.table).key("name", s(&name)).consistent_read(true).send().await;
        Ok(found.map_err(service_error("DynamoDB"))?.item.map(|item| (name, item)))
    }
}

async fn open_text(vault: &Vault, name: &str, item: &Item) -> Result<SecretText, Error> {
    let bytes = vault.open(name, item, "sealed").await?;
    let text = str::from_utf8(&bytes).map_err(|_| vault::Error::Sealed(name.into()))?;
    Ok(SecretText::new(text.into()))
}
