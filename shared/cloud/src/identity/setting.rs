//! Identity's settings.

use crate::setting::{Environment, Error};

/// Identity's tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// The authority's clients, with the hashes of their secrets and their transcoders' public
    /// keys.
    Clients,
    /// Domains, their owners and the versions of their keys.
    Domains,
    /// Permits.
    Permits,
    /// The authority's signing keys.
    SigningKeys,
    /// The usage that the authority received.
    Metrics,
    /// The customer's credentials and init tokens.
    Vault,
    /// The customer's usage, to be reported.
    Usage,
}

/// The transcoder's SageMaker endpoint.
#[derive(Clone, Debug)]
pub struct EndpointSettings {
    /// Its name.
    pub name: String,
    /// The names of its production variants.
    pub variants: Vec<String>,
    /// The maximum size of a request body, in bytes.
    pub max_bytes: usize,
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

    /// The table's name.
    pub fn name(self, environment: &Environment) -> Result<String, Error> {
        environment.required(self.variable())
    }
}

impl Environment {
    /// The `iss` of tokens, `ISSUER`.
    #[must_use]
    pub(super) fn issuer(&self) -> String {
        self.optional("ISSUER").unwrap_or_else(|| "rampway".into())
    }

    /// The authority's URL, with the stage and without a trailing slash, `AUTHORITY_URL`.
    pub fn authority_url(&self) -> Result<String, Error> {
        self.required("AUTHORITY_URL").map(|url| url.trim_end_matches('/').to_owned())
    }

    /// The SageMaker endpoint: `ENDPOINT_NAME`, `ENDPOINT_VARIANTS` and `ENDPOINT_MAX_BYTES`.
    pub fn endpoint(&self) -> Result<EndpointSettings, Error> {
        Ok(EndpointSettings {
            name: self.required("ENDPOINT_NAME")?,
            variants: self
                .optional("ENDPOINT_VARIANTS")
                .as_deref()
                .unwrap_or("AllTraffic")
                .split(',')
                .map(|name| name.trim().to_owned())
                .collect(),
            max_bytes: self.number("ENDPOINT_MAX_BYTES", 6_291_456)?,
        })
    }

    /// The one web origin whose pages may read responses, `ALLOWED_ORIGIN`.
    #[must_use]
    pub(super) fn allowed_origin(&self) -> Option<String> {
        self.optional("ALLOWED_ORIGIN")
    }
}
