//! DynamoDB, and the envelope around everything secret in it.
//!
//! A secret is sealed under a data key of its own ([`shared::crypto::jwe`], `dir`), the data key under the master key: KMS on AWS, a file on a
//! desk. Both are bound to the item's name, so that a sealed value does not open in another item.

use std::{collections::HashMap, sync::Arc, time::Duration};

use aws_config::{BehaviorVersion, Region, SdkConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::{
    Client,
    config::Credentials,
    error::{DisplayErrorContext, ProvideErrorMetadata},
    types::AttributeValue,
};
use aws_sdk_kms::primitives::Blob;
use quick_cache::sync::Cache;
use shared::{
    crypto::{derive, jwe, system_rng},
    encoding::{base64url, from_base64url},
    secret::Secret,
};

use crate::setting::{self, Environment};

/// An item of a table.
pub type Item = HashMap<String, AttributeValue>;

/// The most data keys that a warm function caches.
const MAX_CACHED_KEYS: usize = 1000;

/// Tables alone, for those who have nothing to seal or to open.
pub struct Tables {
    dynamo: Client,
    sdk: SdkConfig,
}

/// Tables and the master key.
pub struct Vault {
    tables: Tables,
    master: MasterKey,
    /// Decrypted data keys by their ciphertext: a warm function calls KMS once for each.
    // In an `Arc`, so that eviction wipes the one copy: the cache itself moves its values.
    key_cache: Cache<Vec<u8>, Arc<Secret<64>>>,
}

enum MasterKey {
    Kms { client: aws_sdk_kms::Client, key: String },
    File(Secret<64>),
}

/// Why the vault did not give or take something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting.
    #[error(transparent)]
    Setting(#[from] setting::Error),
    /// DynamoDB or KMS refused or did not answer.
    #[error("{service} failed: {cause}")]
    Service {
        /// Which of them.
        service: &'static str,
        /// The SDK's account of it.
        cause: String,
    },
    /// A condition of a write did not hold.
    #[error("the condition of a write did not hold")]
    Condition,
    /// The master key's file.
    #[error("the master key's file {path}: {cause}")]
    MasterKey {
        /// Where it should be.
        path: String,
        /// What is wrong.
        cause: String,
    },
    /// A sealed value does not open under its item's name.
    #[error("the sealed value of {0} does not open: it was altered, moved, or sealed under another master key")]
    Sealed(String),
    /// An item lacks an attribute or has it in another form.
    #[error("an item has no readable attribute {0}")]
    Attribute(&'static str),
}

impl Tables {
    /// Connects to DynamoDB.
    pub async fn connect(environment: &Environment) -> Self {
        Self::of(sdk(environment).await, environment)
    }

    /// The client.
    #[must_use]
    pub const fn dynamo(&self) -> &Client {
        &self.dynamo
    }

    /// The SDK's configuration: to load it takes a client, files and the environment, so others use the same.
    #[must_use]
    pub const fn sdk(&self) -> &SdkConfig {
        &self.sdk
    }

    fn of(sdk: SdkConfig, environment: &Environment) -> Self {
        let mut config = aws_sdk_dynamodb::config::Builder::from(&sdk).timeout_config(
            TimeoutConfig::builder().operation_timeout(Duration::from_secs(8)).operation_attempt_timeout(Duration::from_secs(3)).build(),
        );
        if let Some(desk) = environment.desk() {
            config = config.endpoint_url(desk.dynamodb);
        }
        Self { dynamo: Client::from_conf(config.build()), sdk }
    }
}

impl Vault {
    /// Connects to DynamoDB and finds the master key.
    pub async fn connect(environment: &Environment) -> Result<Self, Error> {
        let sdk = sdk(environment).await;
        let master = environment.master_key()?;
        let master = match master.strip_prefix("file:") {
            Some(path) => MasterKey::File(read_master_key(path)?),
            None => MasterKey::Kms { client: aws_sdk_kms::Client::new(&sdk), key: master },
        };
        Ok(Self { tables: Tables::of(sdk, environment), master, key_cache: Cache::new(MAX_CACHED_KEYS) })
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

    /// The SDK's configuration: to load it takes a client, files and the environment, so others use the same.
    #[must_use]
    pub const fn sdk(&self) -> &SdkConfig {
        &self.tables.sdk
    }

    /// Seals a secret for the item that `label` names.
    pub async fn seal(&self, label: &str, secret: &[u8]) -> Result<AttributeValue, Error> {
        let (key, wrapped) = match &self.master {
            MasterKey::File(master) => {
                let key = Secret::generate(&mut system_rng());
                let wrapped = jwe::seal(master, label, key.expose(), &mut system_rng()).into_bytes();
                (key, wrapped)
            }
            MasterKey::Kms { client, key } => {
                let made = client.generate_data_key().key_id(key).number_of_bytes(64).encryption_context("item", label).send().await;
                let made = made.map_err(service("KMS"))?;
                let key = made.plaintext().and_then(|key| Secret::from_slice(key.as_ref()));
                let wrapped = made.ciphertext_blob().map(|blob| blob.as_ref().to_vec());
                key.zip(wrapped).ok_or_else(|| Error::Service { service: "KMS", cause: "it made no data key".into() })?
            }
        };
        let text = jwe::seal(&key, label, secret, &mut system_rng());
        Ok(AttributeValue::S(format!("{}~{text}", base64url(&wrapped))))
    }

    /// Opens what [`Vault::seal`] sealed for the same item.
    pub async fn open(&self, label: &str, item: &Item, attribute: &'static str) -> Result<zeroize::Zeroizing<Vec<u8>>, Error> {
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
        let opened =
            client.decrypt().key_id(master).ciphertext_blob(Blob::new(wrapped.clone())).encryption_context("item", label).send().await;
        let opened = opened.map_err(service("KMS"))?;
        let key: Secret<64> = opened.plaintext().and_then(|key| Secret::from_slice(key.as_ref())).ok_or_else(broken)?;
        self.key_cache.insert(wrapped, Arc::new(key.clone()));
        Ok(key)
    }
}

/// The SDK's configuration: a desk's own, or what the SDK finds on AWS.
pub(crate) async fn sdk(environment: &Environment) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    if let Some(region) = environment.region() {
        loader = loader.region(Region::new(region));
    }
    if let Some(desk) = environment.desk() {
        loader = loader.credentials_provider(Credentials::new(&desk.access_key, &desk.secret_key, None, None, "desk"));
    }
    loader.load().await
}

fn read_master_key(path: &str) -> Result<Secret<64>, Error> {
    use std::os::unix::fs::PermissionsExt;
    let failed = |cause: String| Error::MasterKey { path: path.into(), cause };
    let mode = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(failed(format!("others may read it (mode {:o}): it must be 0600", mode & 0o777)));
    }
    let bytes = zeroize::Zeroizing::new(std::fs::read(path).map_err(|error| failed(error.to_string()))?);
    let master = Secret::<32>::from_slice(&bytes).ok_or_else(|| failed(format!("it holds {} bytes, not 32", bytes.len())))?;
    Ok(derive(&master, "rampway master key 1"))
}

/// Tells of an SDK's failure; a condition that did not hold is told apart.
pub fn service<E>(service: &'static str) -> impl Fn(E) -> Error
where
    E: ProvideErrorMetadata + std::error::Error,
{
    move |error| match error.code() {
        Some("ConditionalCheckFailedException") => Error::Condition,
        Some("TransactionCanceledException") if error.message().is_some_and(|reason| reason.contains("ConditionalCheckFailed")) => {
            Error::Condition
        }
        // The service's own words; the SDK's account would show the whole answer.
        Some(code) => Error::Service { service, cause: format!("{code}: {}", error.message().unwrap_or_default()) },
        None => Error::Service { service, cause: DisplayErrorContext(&error).to_string() },
    }
}

/// A text attribute.
pub fn string<'a>(item: &'a Item, attribute: &'static str) -> Result<&'a str, Error> {
    item.get(attribute).and_then(|value| value.as_s().ok()).map(String::as_str).ok_or(Error::Attribute(attribute))
}

/// A number.
pub fn number(item: &Item, attribute: &'static str) -> Result<u64, Error> {
    optional_number(item, attribute)?.ok_or(Error::Attribute(attribute))
}

/// A number, if it is there.
pub fn optional_number(item: &Item, attribute: &'static str) -> Result<Option<u64>, Error> {
    let Some(value) = item.get(attribute) else {
        return Ok(None);
    };
    value.as_n().ok().and_then(|number| number.parse().ok()).map(Some).ok_or(Error::Attribute(attribute))
}

/// Text as an attribute.
pub fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// A number as an attribute.
#[must_use]
pub fn n(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// A truth value as an attribute.
#[must_use]
pub const fn flag(value: bool) -> AttributeValue {
    AttributeValue::Bool(value)
}
