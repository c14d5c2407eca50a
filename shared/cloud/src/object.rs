//! Objects of S3, as files are: read from their start or from within, and written so that they are there when they are whole.
//!
//! Reading and writing are blocking, for threads that work on files; the network's work is done by the runtime that [`Store::connect`] was
//! called on, several parts at a time. What is under way is bounded: 32 MiB when reading, 64 MiB when writing.

mod reader;
mod writer;

use std::{fmt, ops::Range, str::FromStr, time::Duration};

use aws_config::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_s3::{
    Client,
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
};
use tokio::runtime::Handle;

pub use reader::Reader;
pub use writer::Writer;

use crate::{setting::Environment, vault};

/// How often a part is asked for at most.
const ATTEMPTS: u32 = 5;

/// Where an object is: `s3://bucket/key`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    bucket: String,
    key: String,
}

/// Not the address of an object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the address of an object: it has the form s3://bucket/key")]
pub struct NotAnAddress(String);

impl FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let parts = text.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
        match parts {
            // A key that ends in a slash is a folder's, which holds nothing.
            Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() && !key.ends_with('/') => {
                Ok(Self { bucket: bucket.into(), key: key.into() })
            }
            _ => Err(NotAnAddress(text.into())),
        }
    }
}

impl Address {
    /// The address of another object of the same bucket.
    #[must_use]
    pub fn with_key(&self, key: &str) -> Self {
        Self { bucket: self.bucket.clone(), key: key.into() }
    }

    /// The key: what names the object within its bucket.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// An object as it was found: every later read is of this version, or fails.
#[derive(Clone, Debug)]
pub struct Object {
    address: Address,
    bytes: u64,
    tag: Option<String>,
}

impl Object {
    /// How many bytes it has.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What tells this version from others.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }
}

/// Why an object was not read, or not written.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is not there.
    #[error("{0} is not there: check the bucket and the key")]
    Absent(Address),
    /// The caller may not, or shows no credentials.
    #[error("AWS does not let you use {address} ({said}): check your AWS credentials and what they permit in this bucket")]
    Denied {
        /// Which.
        address: Address,
        /// AWS's words.
        said: String,
    },
    /// Somebody wrote it meanwhile.
    #[error("{0} was replaced while it was read: start again, and let nobody write to it meanwhile")]
    Changed(Address),
    /// S3 does not answer.
    #[error("S3 does not answer about {address} ({said}): check the network, the region and the bucket's name")]
    Silent {
        /// Which.
        address: Address,
        /// What the last attempt ran into.
        said: String,
    },
    /// S3 refuses, or fails.
    #[error("S3 does not take or give {address} ({said})")]
    Failed {
        /// Which.
        address: Address,
        /// S3's words.
        said: String,
    },
    /// There is more than an object can hold.
    #[error("{0} would be larger than an upload of 10,000 parts can be: split the file")]
    TooLarge(Address),
}

impl From<Error> for std::io::Error {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::Absent(_) => std::io::ErrorKind::NotFound,
            Error::Denied { .. } => std::io::ErrorKind::PermissionDenied,
            Error::TooLarge(_) => std::io::ErrorKind::FileTooLarge,
            _ => std::io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

/// S3.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    runtime: Handle,
}

impl Store {
    /// Makes a client of S3; nobody is asked anything yet. It works on the runtime that this is called on.
    pub async fn connect(environment: &Environment) -> Self {
        let mut config = aws_sdk_s3::config::Builder::from(&vault::sdk(environment).await)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(TimeoutConfig::builder().connect_timeout(Duration::from_secs(5)).read_timeout(Duration::from_secs(30)).build());
        if let Some(url) = environment.s3_url() {
            // An engine that stands in for S3 has one name, and buckets are folders in it.
            config = config.endpoint_url(url).force_path_style(true);
        }
        Self { client: Client::from_conf(config.build()), runtime: Handle::current() }
    }

    /// Looks an object up.
    pub async fn find(&self, address: &Address) -> Result<Object, Error> {
        let found = self.s3().head_object().bucket(&address.bucket).key(&address.key).send().await;
        let found = found.map_err(|error| refusal(address, &error))?;
        let bytes = found.content_length().and_then(|bytes| u64::try_from(bytes).ok());
        let bytes = bytes.ok_or_else(|| Error::Failed { address: address.clone(), said: "it does not say how long it is".into() })?;
        Ok(Object { address: address.clone(), bytes, tag: found.e_tag().map(str::to_owned) })
    }

    /// Finds an object and reads it from its start. It blocks, so it belongs on a thread that may.
    pub fn open(&self, address: &Address) -> Result<Reader, Error> {
        Ok(self.read(self.runtime.block_on(self.find(address))?, 0))
    }

    /// Some of an object's bytes.
    pub async fn range(&self, object: &Object, range: Range<u64>) -> Result<Vec<u8>, Error> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let mut attempt = 1;
        loop {
            // What comes may break off half-way, which the SDK does not see.
            match self.attempt(object, &range).await {
                Err(Error::Silent { .. }) if attempt < ATTEMPTS => tokio::time::sleep(Duration::from_millis(100 << attempt)).await,
                outcome => return outcome,
            }
            attempt += 1;
        }
    }

    /// Reads an object on a thread of the caller's, from a byte on.
    #[must_use]
    pub fn read(&self, object: Object, from: u64) -> Reader {
        Reader::new(self.clone(), object, from)
    }

    /// Writes an object on a thread of the caller's. It is there when [`Writer::finish`] says so, and not before.
    #[must_use]
    pub fn write(&self, address: Address) -> Writer {
        Writer::new(self.clone(), address)
    }

    async fn attempt(&self, object: &Object, range: &Range<u64>) -> Result<Vec<u8>, Error> {
        let Address { bucket, key } = &object.address;
        let part = format!("bytes={}-{}", range.start, range.end - 1);
        let answer = self.s3().get_object().bucket(bucket).key(key).range(part).set_if_match(object.tag.clone()).send().await;
        let body = answer.map_err(|error| refusal(&object.address, &error))?.body;
        let silent = |said: String| Error::Silent { address: object.address.clone(), said };
        let bytes: Vec<u8> = body.collect().await.map_err(|error| silent(DisplayErrorContext(&error).to_string()))?.into_bytes().into();
        if bytes.len() as u64 == range.end - range.start { Ok(bytes) } else { Err(silent("the answer broke off".into())) }
    }

    /// The client. Each use is a call.
    const fn s3(&self) -> &Client {
        &self.client
    }
}

/// Tells of an SDK's failure.
fn refusal<E: ProvideErrorMetadata + std::error::Error + 'static>(
    address: &Address,
    error: &SdkError<E, aws_sdk_s3::config::http::HttpResponse>,
) -> Error {
    let (address, status) = (address.clone(), error.raw_response().map(|raw| raw.status().as_u16()));
    let said = match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.into(),
        // The answer to HEAD has no body to say more.
        (None, _) => status.map_or_else(|| DisplayErrorContext(error).to_string(), |status| format!("status {status}")),
    };
    match status {
        Some(404) => Error::Absent(address),
        Some(412) => Error::Changed(address),
        Some(401 | 403) => Error::Denied { address, said },
        Some(500..) => Error::Silent { address, said },
        Some(_) => Error::Failed { address, said },
        None if matches!(error, SdkError::ConstructionFailure(_)) => Error::Denied { address, said },
        None if matches!(error, SdkError::DispatchFailure(failure) if failure.is_user() || failure.is_other()) => {
            Error::Denied { address, said }
        }
        None => Error::Silent { address, said },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_bucket_and_a_key() {
        let address: Address = "s3://bucket/folder/a b.csv".parse().unwrap();
        assert_eq!(
            (address.bucket.as_str(), address.key(), address.to_string().as_str()),
            ("bucket", "folder/a b.csv", "s3://bucket/folder/a b.csv")
        );
        for text in ["", "s3://", "s3://bucket", "s3://bucket/", "s3:///key", "s3://bucket/folder/", "bucket/key", "https://bucket/key"] {
            assert!(text.parse::<Address>().unwrap_err().to_string().contains("s3://bucket/key"), "{text}");
        }
    }
}
