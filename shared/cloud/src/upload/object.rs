//! The uploaded object in Brightcove's bucket, read with the upload's own credentials.

use std::time::Duration;

use aws_config::{SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_s3::{
    Client,
    config::{Credentials as Keys, Region},
};

use shared::upload::REGION;

use super::record::{Credentials, Record};
use crate::setting::Environment;

/// The outcome of `HeadObject`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeadResult {
    /// There is no object.
    Missing,
    /// The object's size, in bytes.
    Bytes(u64),
    /// The credentials do not permit the request, or S3 does not respond.
    Unknown,
}

/// A client of S3 for one upload.
pub(super) struct Bucket(Client);

impl Bucket {
    pub(super) fn new(environment: &Environment, sdk: &SdkConfig, record: &Record, credentials: &Credentials) -> Self {
        let (secret, token) = (credentials.secret_access_key.expose(), credentials.session_token.expose());
        let keys = Keys::new(&record.access_key_id, secret, Some(token.into()), None, "upload");
        let mut config = aws_sdk_s3::config::Builder::from(sdk)
            .credentials_provider(keys)
            .region(Region::new(REGION))
            .retry_config(RetryConfig::standard().with_max_attempts(2))
            .timeout_config(TimeoutConfig::builder().operation_timeout(Duration::from_secs(5)).build());
        if let Some(url) = environment.s3_url() {
            // A local engine has one host name: buckets are in the path.
            config = config.endpoint_url(url).force_path_style(true);
        }
        Self(Client::from_conf(config.build()))
    }

    /// Reads the size of the upload's object.
    pub(super) async fn head(&self, record: &Record) -> HeadResult {
        match self.s3().head_object().bucket(&record.bucket).key(&record.object_key).send().await {
            Ok(found) => found.content_length().and_then(|bytes| u64::try_from(bytes).ok()).map_or(HeadResult::Unknown, HeadResult::Bytes),
            Err(error) if error.raw_response().is_some_and(|raw| raw.status().as_u16() == 404) => HeadResult::Missing,
            Err(_) => HeadResult::Unknown,
        }
    }

    /// The client. Each use is a call.
    const fn s3(&self) -> &Client {
        &self.0
    }
}
