//! The credentials of a Brightcove account.

use shared::secret::SecretText;

use super::{error::Error, store::Store};
use crate::{
    setting::Environment,
    vault::{self, s, string},
};

/// The OAuth client of an account.
#[derive(Clone, Debug)]
pub struct Account {
    /// The client's id.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: SecretText,
}

impl Account {
    /// Stores an account's credentials, encrypted, and replaces earlier ones.
    pub async fn connect(environment: &Environment, account: &str, client_id: &str, client_secret: &SecretText) -> Result<(), Error> {
        let store = Store::from_env(environment).await?;
        let name = item_name(account);
        let sealed = store.vault().seal(&name, client_secret.expose().as_bytes()).await?;
        let item = [("item", s(&name)), ("client_id", s(client_id)), ("client_secret", sealed)];
        store.put(item.map(|(name, value)| (name.to_owned(), value)).into(), false).await?;
        Ok(())
    }

    pub(super) async fn find(store: &Store, account: &str) -> Result<Self, Error> {
        let name = item_name(account);
        let item = store.get(&name).await?.ok_or_else(|| Error::NotConnected(account.into()))?;
        let secret = store.vault().open(&name, &item, "client_secret").await?;
        let secret = str::from_utf8(&secret).map_err(|_| vault::Error::Attribute("client_secret"))?;
        Ok(Self { client_id: string(&item, "client_id")?.into(), client_secret: SecretText::new(secret.into()) })
    }
}

fn item_name(account: &str) -> String {
    format!("brightcove#{account}")
}
