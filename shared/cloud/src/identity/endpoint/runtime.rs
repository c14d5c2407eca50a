//! The client of the SageMaker runtime.

use std::time::Duration;

use aws_config::{SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_sagemakerruntime::Client;

use super::super::{error::Error, setting::EndpointSettings};
use crate::setting::Environment;

/// The endpoint.
pub struct Endpoint {
    pub(super) client: Client,
    pub(super) settings: EndpointSettings,
}

impl Endpoint {
    /// Finds the endpoint that the environment names; `sdk` is the function's shared configuration.
    pub fn new(environment: &Environment, sdk: &SdkConfig) -> Result<Self, Error> {
        let settings = environment.endpoint()?;
        let mut config = aws_sdk_sagemakerruntime::config::Builder::from(sdk)
            .retry_config(RetryConfig::standard().with_max_attempts(3))
            .timeout_config(TimeoutConfig::builder().operation_timeout(Duration::from_secs(25)).build());
        if let Some(url) = environment.local_endpoints().and_then(|local| local.sagemaker) {
            config = config.endpoint_url(url);
        }
        Ok(Self { client: Client::from_conf(config.build()), settings })
    }

    /// The names of its production variants.
    #[must_use]
    pub fn variants(&self) -> &[String] {
        &self.settings.variants
    }

    /// The maximum size of a body, in bytes.
    #[must_use]
    pub const fn max_bytes(&self) -> usize {
        self.settings.max_bytes
    }
}
