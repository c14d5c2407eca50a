//! Envelope encryption: data keys under the master key, secrets under data keys.

use std::sync::Arc;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use aws_sdk_kms::primitives::Blob;
use quick_cache::sync::Cache;
use shared::{
    crypto::{derive, jwe, system_rng},
    encoding::{base64url, from_base64url},
    secret::Secret,
};
use zeroize::Zeroizing;

use super::{
    attribute::{Item, string},
    error::{Error, service_error},
    tables::{Tables, sdk_config},
};
use crate::setting::Environment;

/// The maximum number of data keys in the cache.
const MAX_CACHED_KEYS: usize = 1000;

/// Tables and the master key.
pub struct Vault {
    tables: Tables,
    master: MasterKey,
    /// Decrypted data keys by their ciphertext: a warm function calls KMS once for each.
    // In an `Arc`, so that eviction wipes the only copy: the cache itself moves its values.
    key_cache: Cache<Vec<u8>, Arc<Secret<64>>>,
}

enum MasterKey {
    Kms { client: aws_sdk_kms::Client, key: String },
    File(Secret<64>),
}

impl Vault {
    /// Makes a client of DynamoDB, and finds the master key.
    pub async fn connect(environment: &Environment) -> Result<Self, Error> {
        let sdk = sdk_config(environment).await;
        let master = environment.master_key()?;
        let master = match master.strip_prefix("file:") {
            Some(path) => MasterKey::File(read_master_key(path)?),
            None => MasterKey::Kms { client: aws_sdk_kms::Client::new(&sdk), key: master },
        };
        Ok(Self { tables: Tables::new(sdk, environment), master, key_cache: Cache::new(MAX_CACHED_KEYS) })
    }

    /// The tables.
    #[must_use]
    pub const fn tables(&self) -> &Tables {
        &self.tables
    }

    /// The client of the tables.
    #[must_use]
    pub const fn dynamo(&self) -> &Client {
        &self.tables.dynamo
    }

    /// The SDK's configuration, shared by the clients of a function.
    #[must_use]
    pub const fn sdk(&self) -> &SdkConfig {
        self.tables.sdk()
    }

    /// Encrypts a secret for the item that `label` names.
    pub async fn seal(&self, label: &str, secret: &[u8]) -> Result<AttributeValue, Error> {
        let (key, wrapped) = match &self.master {
            MasterKey::File(master) => {
                let key = Secret::generate(&mut system_rng());
                let wrapped = jwe::seal(master, label, key.expose(), &mut system_rng()).into_bytes();
                (key, wrapped)
            }
            MasterKey::Kms { client, key } => {
                let made = client.generate_data_key().key_id(key).number_of_bytes(64).encryption_context("item", label).send().await;
                let made = made.map_err(service_error("KMS"))?;
                let key = made.plaintext().and_then(|key| Secret::from_slice(key.as_ref()));
                let wrapped = made.ciphertext_blob().map(|blob| blob.as_ref().to_vec());
                key.zip(wrapped).ok_or_else(|| Error::Service { service: "KMS", cause: "it returned no data key".into() })?
            }
        };
        let text = jwe::seal(&key, label, secret, &mut system_rng());
        Ok(AttributeValue::S(format!("{}~{text}", base64url(&wrapped))))
    }

    /// Decrypts what [`Vault::seal`] encrypted for the same item.
    pub async fn open(&self, label: &str, item: &Item, attribute: &'static str) -> Result<Zeroizing<Vec<u8>>, Error> {
        let broken = || Error::Sealed(label.into());
        let (wrapped, text) = string(item, attribute)?.split_once('~').ok_or_else(broken)?;
        let key = self.data_key(label, from_base64url(wrapped).ok_or_else(broken)?).await?;
        jwe::open(&key, label, text).map_err(|_| broken())
    }

    async fn data_key(&self, label: &str, wrapped: Vec<u8>) -> Result<Secret<64>, Error> {
        let broken = || Error::Sealed(label.into());
        let (client, master) = match &self.master {
            MasterKey::File(master) => {
                let text = str::from_utf8(&wrapped).map_err(|_| broken())?;
                return jwe::open(master, label, text).ok().and_then(|key| Secret::from_slice(&key)).ok_or_else(broken);
            }
            MasterKey::Kms { client, key } => (client, key),
        };
        if let Some(key) = self.key_cache.get(&wrapped) {
            return Ok(Secret::clone(&key));
        }
        let call = client.decrypt().key_id(master).ciphertext_blob(Blob::new(wrapped.clone())).encryption_context("item", label);
        let decrypted = call.send().await.map_err(service_error("KMS"))?;
        let key: Secret<64> = decrypted.plaintext().and_then(|key| Secret::from_slice(key.as_ref())).ok_or_else(broken)?;
        self.key_cache.insert(wrapped, Arc::new(key.clone()));
        Ok(key)
    }
}

fn read_master_key(path: &str) -> Result<Secret<64>, Error> {
    use std::os::unix::fs::PermissionsExt;
    let failed = |cause: String| Error::MasterKey { path: path.into(), cause };
    let mode = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(failed(format!("its mode is {:o} and other users may read it; run `chmod 600` on it", mode & 0o777)));
    }
    let bytes = Zeroizing::new(std::fs::read(path).map_err(|error| failed(error.to_string()))?);
    let master = Secret::<32>::from_slice(&bytes).ok_or_else(|| failed(format!("it has {} bytes instead of 32", bytes.len())))?;
    Ok(derive(&master, "rampway master key 1"))
}
