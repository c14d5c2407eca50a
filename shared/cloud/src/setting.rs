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
    /// It is not taken.
    #[error("{name} is not taken: {why}")]
    Refused {
        /// The setting's name.
        name: &'static str,
        /// Why.
        why: &'static str,
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
    /// Uploads by browsers.
    Uploads,
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
            Self::Uploads => "UPLOADS_TABLE",
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

    /// The account at Brightcove: `BRIGHTCOVE_ACCOUNT`.
    pub fn brightcove_account(&self) -> Result<String, Error> {
        self.required("BRIGHTCOVE_ACCOUNT")
    }

    /// Brightcove's APIs: `BRIGHTCOVE_OAUTH_URL`, `BRIGHTCOVE_CMS_URL`, `BRIGHTCOVE_INGEST_URL`, each with its version.
    #[must_use]
    pub fn brightcove(&self) -> Brightcove {
        let url = |name: &str, default: &str| self.text(name).unwrap_or_else(|| default.into()).trim_end_matches('/').to_owned();
        Brightcove {
            oauth: url("BRIGHTCOVE_OAUTH_URL", "https://oauth.brightcove.com/v4"),
            cms: url("BRIGHTCOVE_CMS_URL", "https://cms.api.brightcove.com/v1"),
            ingest: url("BRIGHTCOVE_INGEST_URL", "https://ingest.api.brightcove.com/v1"),
        }
    }

    /// The web origins whose pages may upload: `UPLOAD_ORIGINS`.
    #[must_use]
    pub fn upload_origins(&self) -> Vec<String> {
        self.list("UPLOAD_ORIGINS")
    }

    /// Who may create uploads: `UPLOAD_CALLERS`.
    pub fn upload_callers(&self) -> Result<UploadCallers, Error> {
        match self.text("UPLOAD_CALLERS").as_deref() {
            None | Some("token") => Ok(UploadCallers::Token),
            Some("open") => Ok(UploadCallers::Open),
            Some(other) => Err(Error::Unreadable { name: "UPLOAD_CALLERS".into(), value: other.into() }),
        }
    }

    /// The keys that tokens of uploads are verified with, a JWKS: `UPLOAD_CALLER_KEYS`.
    pub fn upload_caller_keys(&self) -> Result<String, Error> {
        self.required("UPLOAD_CALLER_KEYS")
    }

    /// What an upload may be: `UPLOADS_PER_HOUR`, `UPLOAD_MAX_BYTES`, `UPLOAD_MAX_PARTS`, `UPLOAD_TYPES`.
    pub fn upload_limits(&self) -> Result<UploadLimits, Error> {
        Ok(UploadLimits {
            per_hour: self.count("UPLOADS_PER_HOUR", 60)?,
            bytes_per_day: self.upload_bytes_per_day()?,
            max_bytes: Some(self.count("UPLOAD_MAX_BYTES", 0)?).filter(|bytes| *bytes > 0),
            max_parts: self.count("UPLOAD_MAX_PARTS", 10_000)?,
            types: self.list("UPLOAD_TYPES").iter().map(|kind| kind.trim_start_matches('.').to_ascii_lowercase()).collect(),
        })
    }

    /// How many bytes a principal may upload in a day, if that is limited: `UPLOAD_BYTES_PER_DAY`.
    pub fn upload_bytes_per_day(&self) -> Result<Option<u64>, Error> {
        Ok(Some(self.count("UPLOAD_BYTES_PER_DAY", 0)?).filter(|bytes| *bytes > 0))
    }

    /// Hosts besides S3's own that uploads go to: `UPLOAD_HOSTS`.
    #[must_use]
    pub fn upload_hosts(&self) -> Vec<String> {
        self.list("UPLOAD_HOSTS")
    }

    /// What every video is created with besides its name, JSON: `VIDEO_TEMPLATE`.
    #[must_use]
    pub fn video_template(&self) -> Option<String> {
        self.text("VIDEO_TEMPLATE")
    }

    /// What every video is ingested with besides its file, JSON: `INGEST_TEMPLATE`.
    #[must_use]
    pub fn ingest_template(&self) -> Option<String> {
        self.text("INGEST_TEMPLATE")
    }

    /// Where Brightcove calls back, without the route: `CALLBACK_URL`. Otherwise it is where the ingest was asked for.
    #[must_use]
    pub fn callback_url(&self) -> Option<String> {
        self.text("CALLBACK_URL").map(|url| url.trim_end_matches('/').to_owned())
    }

    fn list(&self, name: &str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }

    fn count(&self, name: &str, default: u64) -> Result<u64, Error> {
        self.text(name).map_or(Ok(default), |value| value.parse().map_err(|_| Error::Unreadable { name: name.into(), value }))
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

/// The addresses of Brightcove's APIs.
#[derive(Clone, Debug)]
pub struct Brightcove {
    /// OAuth.
    pub oauth: String,
    /// CMS.
    pub cms: String,
    /// Dynamic Ingest.
    pub ingest: String,
}

/// Who may create uploads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UploadCallers {
    /// Whoever shows a token.
    Token,
    /// Everybody.
    Open,
}

/// What an upload may be.
#[derive(Clone, Debug)]
pub struct UploadLimits {
    /// How many uploads a principal may begin in an hour.
    pub per_hour: u64,
    /// How many bytes a principal may upload in a day.
    pub bytes_per_day: Option<u64>,
    /// How many bytes an upload may have.
    pub max_bytes: Option<u64>,
    /// How many parts an upload may have.
    pub max_parts: u64,
    /// The extensions that a file's name may have, in lower case; all where there is none.
    pub types: Vec<String>,
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
