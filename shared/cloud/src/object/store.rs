//! S3's client.

use std::{ops::Range, time::Duration};

use aws_config::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_s3::{Client, error::DisplayErrorContext};
use tokio::runtime::Handle;

use super::{
    error::{Error, sdk_error},
    uri::S3Uri,
};
use crate::{setting::Environment, vault};

/// The maximum number of attempts to transfer one part.
const MAX_PART_ATTEMPTS: u32 = 5;

/// S3.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    pub(super) runtime: Handle,
}

/// A version of an object: later reads return this version, or fail.
#[derive(Clone, Debug)]
pub struct Object {
    uri: S3Uri,
    bytes: u64,
    etag: Option<String>,
}

impl Object {
    /// Its size, in bytes.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Its entity tag.
    #[must_use]
    pub fn etag(&self) -> Option<&str> {
        self.etag.as_deref()
    }
}

impl Store {
    /// Makes a client of S3, without a request. It works on the runtime that this is called on.
    pub async fn connect(environment: &Environment) -> Self {
        let mut config = aws_sdk_s3::config::Builder::from(&vault::sdk_config(environment).await)
            .retry_config(RetryConfig::standard().with_max_attempts(MAX_PART_ATTEMPTS))
            .timeout_config(TimeoutConfig::builder().connect_timeout(Duration::from_secs(5)).read_timeout(Duration::from_secs(30)).build());
        if let Some(url) = environment.s3_url() {
            // A local engine has one host name: buckets are in the path.
            config = config.endpoint_url(url).force_path_style(true);
        }
        Self { client: Client::from_conf(config.build()), runtime: Handle::current() }
    }

    /// Finds the current version of an object.
    pub async fn find(&self, uri: &S3Uri) -> Result<Object, Error> {
        let found = self.s3().head_object().bucket(&uri.bucket).key(&uri.key).send().await;
        let found = found.map_err(|error| sdk_error(uri, &error))?;
        let bytes = found.content_length().and_then(|bytes| u64::try_from(bytes).ok());
        let bytes = bytes.ok_or_else(|| Error::Failed { uri: uri.clone(), message: "the response has no length".into() })?;
        Ok(Object { uri: uri.clone(), bytes, etag: found.e_tag().map(str::to_owned) })
    }

    /// Some of an object's bytes.
    pub async fn range(&self, object: &Object, range: Range<u64>) -> Result<Vec<u8>, Error> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let mut attempt = 1;
        loop {
            // The SDK does not retry a response whose body breaks off.
            match self.range_once(object, &range).await {
                Err(Error::Unavailable { .. }) if attempt < MAX_PART_ATTEMPTS => {
                    tokio::time::sleep(Duration::from_millis(100 << attempt)).await;
                }
                outcome => return outcome,
            }
            attempt += 1;
        }
    }

    async fn range_once(&self, object: &Object, range: &Range<u64>) -> Result<Vec<u8>, Error> {
        let S3Uri { bucket, key } = &object.uri;
        let header = format!("bytes={}-{}", range.start, range.end - 1);
        let response = self.s3().get_object().bucket(bucket).key(key).range(header).set_if_match(object.etag.clone()).send().await;
        let body = response.map_err(|error| sdk_error(&object.uri, &error))?.body;
        let unavailable = |message: String| Error::Unavailable { uri: object.uri.clone(), message };
        let bytes: Vec<u8> =
            body.collect().await.map_err(|error| unavailable(DisplayErrorContext(&error).to_string()))?.into_bytes().into();
        if bytes.len() as u64 == range.end - range.start { Ok(bytes) } else { Err(unavailable("the response broke off".into())) }
    }

    /// The client. Each use is a call.
    pub(super) const fn s3(&self) -> &Client {
        &self.client
    }
}
