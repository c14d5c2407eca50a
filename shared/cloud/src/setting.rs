//! The environment, typed. Nothing else reads it.

use std::{
    collections::BTreeMap,
    env,
    time::{SystemTime, UNIX_EPOCH},
};

/// Where settings come from: the process's environment, with defaults beneath it.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    defaults: BTreeMap<String, String>,
}

/// A setting is missing or not readable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is missing.
    #[error("{0} is not set")]
    Missing(String),
    /// It is not readable.
    #[error("{name} is not readable: {value}")]
    Unreadable {
        /// The setting's name.
        name: String,
        /// Its value.
        value: String,
    },
}

/// The names of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// Clients of the authority, with the hashes of their secrets and their transcoders' public keys.
    Clients,
    /// Domains, their owners and the versions of their keys.
    Domains,
    /// Permission orders.
    Permits,
    /// The authority's signing keys.
    SigningKeys,
    /// Usage as it was reported to the authority.
    Metrics,
    /// The customer's credentials and init tokens.
    Vault,
    /// The customer's usage, to be reported.
    Usage,
}

impl Table {
    /// The environment variable that holds the table's name.
    #[must_use]
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Clients => "CLIENTS_TABLE",
            Self::Domains => "DOMAINS_TABLE",
            Self::Permits => "PERMITS_TABLE",
            Self::SigningKeys => "SIGNING_KEYS_TABLE",
            Self::Metrics => "METRICS_TABLE",
            Self::Vault => "VAULT_TABLE",
            Self::Usage => "USAGE_TABLE",
        }
    }
}

impl Environment {
    /// The process's environment alone.
    #[must_use]
    pub fn process() -> Self {
        Self::default()
    }

    /// The process's environment, and beneath it what an environment file says.
    #[must_use]
    pub fn over(defaults: BTreeMap<String, String>) -> Self {
        Self { defaults }
    }

    /// A setting, if it is there and not empty.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        env::var(name).ok().or_else(|| self.defaults.get(name).cloned()).filter(|value| !value.is_empty())
    }

    /// A setting that must be there.
    pub fn required(&self, name: &str) -> Result<String, Error> {
        self.text(name).ok_or_else(|| Error::Missing(name.into()))
    }

    /// A number, or its default.
    pub fn number(&self, name: &str, default: usize) -> Result<usize, Error> {
        self.text(name).map_or(Ok(default), |value| value.parse().map_err(|_| Error::Unreadable { name: name.into(), value }))
    }

    /// A table's name.
    pub fn table(&self, table: Table) -> Result<String, Error> {
        self.required(table.variable())
    }

    /// Who issues tokens: `ISSUER`.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.text("ISSUER").unwrap_or_else(|| "rampway".into())
    }

    /// The master key: `MASTER_KEY`, a KMS key's ARN or `file:` and a path.
    pub fn master_key(&self) -> Result<String, Error> {
        self.required("MASTER_KEY")
    }

    /// The authority's address, stage included: `AUTHORITY_URL`.
    pub fn authority_url(&self) -> Result<String, Error> {
        self.required("AUTHORITY_URL").map(|url| url.trim_end_matches('/').to_owned())
    }

    /// The SageMaker endpoint: `ENDPOINT_NAME`, its variants `ENDPOINT_VARIANTS`, and the longest body it takes, `ENDPOINT_MAX_BYTES`.
    pub fn endpoint(&self) -> Result<Endpoint, Error> {
        Ok(Endpoint {
            name: self.required("ENDPOINT_NAME")?,
            variants: self
                .text("ENDPOINT_VARIANTS")
                .as_deref()
                .unwrap_or("AllTraffic")
                .split(',')
                .map(|name| name.trim().to_owned())
                .collect(),
            max_bytes: self.number("ENDPOINT_MAX_BYTES", 6_291_456)?,
        })
    }

    /// The one web origin whose pages may read answers: `ALLOWED_ORIGIN`.
    #[must_use]
    pub fn allowed_origin(&self) -> Option<String> {
        self.text("ALLOWED_ORIGIN")
    }

    /// The region: `AWS_REGION`, which may stand in an environment file.
    #[must_use]
    pub fn region(&self) -> Option<String> {
        self.text("AWS_REGION")
    }

    /// The address of an engine that stands in for S3: `AWS_ENDPOINT_URL_S3`.
    #[must_use]
    pub fn s3_url(&self) -> Option<String> {
        self.text("AWS_ENDPOINT_URL_S3")
    }

    /// How much the log tells: `LOG_LEVEL`.
    #[must_use]
    pub fn log_level(&self) -> String {
        self.text("LOG_LEVEL").unwrap_or_else(|| "info".into())
    }

    /// Credentials and addresses of a suite on this desk; on AWS the SDK finds them itself.
    #[must_use]
    pub fn desk(&self) -> Option<Desk> {
        let default = |name: &str| self.defaults.get(name).cloned();
        Some(Desk {
            access_key: default("AWS_ACCESS_KEY_ID")?,
            secret_key: default("AWS_SECRET_ACCESS_KEY")?,
            dynamodb: default("AWS_ENDPOINT_URL_DYNAMODB")?,
            sagemaker: default("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"),
        })
    }
}

/// The transcoder's endpoint.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Its name.
    pub name: String,
    /// The variants behind it.
    pub variants: Vec<String>,
    /// The longest body it takes, in bytes.
    pub max_bytes: usize,
}

/// Where a suite on this desk keeps its tables and its transcoder.
#[derive(Clone, Debug)]
pub struct Desk {
    /// The access key's id.
    pub access_key: String,
    /// The access key's secret, which opens nothing but the engine on this desk.
    pub secret_key: String,
    /// DynamoDB's address.
    pub dynamodb: String,
    /// The SageMaker runtime's address, where there is one.
    pub sagemaker: Option<String>,
}

/// Seconds since 1970.
#[must_use]
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
