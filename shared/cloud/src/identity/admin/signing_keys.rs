//! The authority's signing keys.

use shared::crypto::jws::SigningKey;

use super::{
    super::keyring,
    error::Error,
    tables::{Admin, KeyInfo, key_info},
};
use crate::{
    clock::now,
    vault::{n, s, service_error, string},
};

impl Admin {
    /// Creates a signing key, and returns its id. It is published at once and signs from
    /// `not_before` on; the first one signs at once.
    ///
    /// Transcoders load it at their next initialisation. If that is after `not_before`, they refuse
    /// its signatures until then, so allow a day.
    pub async fn create_signing_key(&self, not_before: u64) -> Result<String, Error> {
        let is_first = self.scan(self.keyring.table()).await?.is_empty();
        let not_before = if is_first { now() } else { not_before };
        let key = SigningKey::generate()?;
        let kid = key.kid();
        let sealed = self.vault.seal(&keyring::label(kid), key.expose()).await?;
        let put = self.vault.dynamo().put_item().table_name(self.keyring.table());
        let put = put.item("kid", s(kid)).item("private_key", sealed).item("not_before", n(not_before));
        put.send().await.map_err(service_error("DynamoDB"))?;
        Ok(kid.into())
    }

    /// Every signing key.
    pub async fn signing_keys(&self) -> Result<Vec<KeyInfo>, Error> {
        let items = self.scan(self.keyring.table()).await?;
        Ok(items.iter().map(|item| key_info(string(item, "kid")?, item)).collect::<Result<_, _>>()?)
    }

    /// Retires a signing key: tokens under it are refused from now on.
    pub async fn retire_signing_key(&self, kid: &str) -> Result<(), Error> {
        self.expire_key(self.keyring.table(), [("kid", kid.to_owned())], || format!("signing key {kid}")).await
    }

    /// The verification keys as a JSON Web Key Set, for a transcoder's model directory.
    pub async fn verification_keys(&self) -> Result<String, Error> {
        let keys = self.keyring.keys(&self.vault, now()).await?;
        Ok(serde_json::to_string_pretty(&keys.jwks()).unwrap_or_default())
    }
}
