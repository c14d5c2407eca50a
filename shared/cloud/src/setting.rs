//! The environment, typed: what every noun reads. Each noun has a `setting.rs` of its own. No other
//! file reads the environment.

use std::{collections::BTreeMap, env, str::FromStr};

/// The source of settings: the process's environment, with defaults for what it does not set.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    defaults: BTreeMap<String, String>,
}

/// A setting is missing or invalid.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is missing.
    #[error("{0} is not set")]
    Missing(String),
    /// It cannot be parsed.
    #[error("{name} cannot be parsed: {value}")]
    Unparsable {
        /// The setting's name.
        name: String,
        /// Its value.
        value: String,
    },
    /// It can be parsed and is not allowed.
    #[error("{name} is invalid: {reason}")]
    Invalid {
        /// The setting's name.
        name: &'static str,
        /// The rule that it breaks.
        reason: &'static str,
    },
}

/// The AWS credentials and endpoints of a cloud on this machine.
#[derive(Clone, Debug)]
pub struct LocalEndpoints {
    /// The access key's id.
    pub access_key_id: String,
    /// The secret access key. Only the local engine accepts it.
    pub secret_access_key: String,
    /// DynamoDB's URL.
    pub dynamodb: String,
    /// The SageMaker runtime's URL, if it is local.
    pub sagemaker: Option<String>,
}

impl Environment {
    /// The process's environment, without defaults.
    #[must_use]
    pub fn process() -> Self {
        Self::default()
    }

    /// The process's environment, with the defaults of an environment file.
    #[must_use]
    pub const fn with_defaults(defaults: BTreeMap<String, String>) -> Self {
        Self { defaults }
    }

    /// A setting, unless it is missing or empty.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<String> {
        env::var(name).ok().or_else(|| self.defaults.get(name).cloned()).filter(|value| !value.is_empty())
    }

    /// A setting that must not be missing or empty.
    pub fn required(&self, name: &str) -> Result<String, Error> {
        self.optional(name).ok_or_else(|| Error::Missing(name.into()))
    }

    /// A number, or its default.
    pub fn number<T: FromStr>(&self, name: &str, default: T) -> Result<T, Error> {
        self.optional(name).map_or(Ok(default), |value| value.parse().map_err(|_| Error::Unparsable { name: name.into(), value }))
    }

    /// A number that sets a limit; `None` if it is missing or 0.
    pub fn limit(&self, name: &str) -> Result<Option<u64>, Error> {
        Ok(Some(self.number(name, 0)?).filter(|limit| *limit > 0))
    }

    /// A URL, without a trailing slash.
    #[must_use]
    pub fn url(&self, name: &str) -> Option<String> {
        self.optional(name).map(|url| url.trim_end_matches('/').to_owned())
    }

    /// The items of a list that is separated by commas.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<String> {
        let text = self.optional(name).unwrap_or_default();
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }

    /// The master key, `MASTER_KEY`: a KMS key's ARN, or `file:` and a path.
    pub fn master_key(&self) -> Result<String, Error> {
        self.required("MASTER_KEY")
    }

    /// The AWS region, `AWS_REGION`. Unlike the SDK, this also finds it in an environment file.
    #[must_use]
    pub fn region(&self) -> Option<String> {
        self.optional("AWS_REGION")
    }

    /// The URL of an engine that replaces S3, `AWS_ENDPOINT_URL_S3`.
    #[must_use]
    pub fn s3_url(&self) -> Option<String> {
        self.optional("AWS_ENDPOINT_URL_S3")
    }

    /// The log level, `LOG_LEVEL`.
    #[must_use]
    pub fn log_level(&self) -> String {
        self.optional("LOG_LEVEL").unwrap_or_else(|| "info".into())
    }

    /// The credentials and endpoints in an environment file. On AWS there are none, and the SDK
    /// finds its own.
    #[must_use]
    pub fn local_endpoints(&self) -> Option<LocalEndpoints> {
        let default = |name: &str| self.defaults.get(name).cloned();
        Some(LocalEndpoints {
            access_key_id: default("AWS_ACCESS_KEY_ID")?,
            secret_access_key: default("AWS_SECRET_ACCESS_KEY")?,
            dynamodb: default("AWS_ENDPOINT_URL_DYNAMODB")?,
            sagemaker: default("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"),
        })
    }
}
