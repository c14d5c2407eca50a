//! S3 alone, for tests.

use std::{fs, io};

use shared::secret::SecretText;
use tempfile::TempDir;

use super::{bucket::Bucket, credentials::CredentialStore, fault_injection::S3Fault};
use crate::{
    error::Error,
    server::{Server, listen},
};

/// S3 alone, with one bucket in a temporary folder, for tests that need no function. Dropped, it
/// stops.
#[derive(Debug)]
pub struct S3 {
    bucket: Bucket,
    _server: Server,
    _folder: TempDir,
}

impl S3 {
    /// Serves an empty bucket on a free port, for the holder of these credentials.
    pub async fn start(bucket: &str, access_key_id: &str, secret_access_key: &str) -> Result<Self, Error> {
        let secret_access_key = SecretText::new(secret_access_key.into());
        Self::with_credentials(bucket, CredentialStore::with_long_term(access_key_id, secret_access_key)).await
    }

    /// Serves an empty bucket on a free port, for the holders of the credentials that it issues.
    pub(crate) async fn without_credentials(bucket: &str) -> Result<Self, Error> {
        Self::with_credentials(bucket, CredentialStore::default()).await
    }

    async fn with_credentials(bucket: &str, credentials: CredentialStore) -> Result<Self, Error> {
        let folder = tempfile::tempdir().map_err(|error| Error::Machine(format!("a temporary directory ({error})")))?;
        let (bucket, server) = Bucket::serve_with(listen(0).await?, folder.path(), bucket, credentials)?;
        Ok(Self { bucket, _server: server, _folder: folder })
    }

    /// Its base URL, for `AWS_ENDPOINT_URL_S3`.
    #[must_use]
    pub fn url(&self) -> &str {
        self.bucket.url()
    }

    /// The content of an object; `None` when there is none of this key.
    #[must_use]
    pub fn object(&self, key: &str) -> Option<Vec<u8>> {
        fs::read(self.bucket.file(key)).ok()
    }

    /// Creates or replaces an object.
    pub fn put_object(&self, key: &str, content: &[u8]) -> io::Result<()> {
        let file = self.bucket.file(key);
        fs::create_dir_all(file.parent().unwrap_or(&file))?;
        fs::write(file, content)
    }

    /// The number of files of open multipart uploads.
    #[must_use]
    pub fn upload_files(&self) -> usize {
        self.bucket.upload_files()
    }

    /// Injects a fault into the next requests that it applies to.
    pub fn inject(&self, fault: S3Fault, times: usize) {
        self.bucket.faults.inject(fault, times);
    }

    /// The number of injected faults that have not been applied.
    #[must_use]
    pub fn pending_faults(&self) -> usize {
        self.bucket.faults.pending()
    }

    /// The number of `HeadObject` requests so far.
    #[must_use]
    pub fn head_requests(&self) -> usize {
        self.bucket.faults.heads()
    }

    pub(crate) const fn bucket(&self) -> &Bucket {
        &self.bucket
    }
}
