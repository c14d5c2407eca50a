//! The stand-in: its credentials, its bucket and its state.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use reqwest::Client;
use shared::{
    crypto::system_rng,
    encoding::base64url,
    secret::{Secret, SecretText},
};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::state::State;
use crate::{aws::s3::Bucket, error::Error, logs::Logs};

/// The account of a stack that sets none.
pub(crate) const DEFAULT_ACCOUNT: &str = "1234567890001";

/// The bucket that source files are uploaded to.
pub(crate) const INGESTION_BUCKET: &str = "rampway-ingestion";

/// How long a callback may take.
const CALLBACK_TIMEOUT: Duration = Duration::from_secs(10);

/// A stand-in for Brightcove, with one account. Clones share it.
#[derive(Clone)]
pub struct Brightcove(Arc<Inner>);

struct Inner {
    url: String,
    account: String,
    client_id: String,
    client_secret: SecretText,
    bucket: Bucket,
    http: Client,
    logs: Logs,
    state: Mutex<State>,
    /// The running jobs, which end with the stand-in.
    running_jobs: Mutex<JoinSet<()>>,
}

impl Brightcove {
    /// A stand-in at a URL, with an account that ingests from a bucket.
    pub(super) fn new(url: String, account: &str, bucket: Bucket, logs: Logs) -> Result<Self, Error> {
        let http = Client::builder().no_proxy().timeout(CALLBACK_TIMEOUT).build();
        Ok(Self(Arc::new(Inner {
            url,
            account: account.into(),
            client_id: Uuid::new_v4().to_string(),
            client_secret: random_secret(),
            bucket,
            http: http.map_err(|error| Error::Machine(format!("an HTTP client ({error})")))?,
            logs,
            state: Mutex::default(),
            running_jobs: Mutex::default(),
        })))
    }

    /// The environment variables with the base URLs of the three APIs.
    #[must_use]
    pub fn environment(&self) -> [(&'static str, String); 3] {
        let url = &self.0.url;
        [
            ("BRIGHTCOVE_OAUTH_URL", format!("{url}/oauth/v4")),
            ("BRIGHTCOVE_CMS_URL", format!("{url}/cms/v1")),
            ("BRIGHTCOVE_INGEST_URL", format!("{url}/ingest/v1")),
        ]
    }

    /// The URL of the stand-in, under which the three APIs are `/oauth/v4`, `/cms/v1` and
    /// `/ingest/v1`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// The account.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.0.account
    }

    /// The id of the client that may use the account.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.0.client_id
    }

    /// The secret of that client.
    #[must_use]
    pub fn client_secret(&self) -> &SecretText {
        &self.0.client_secret
    }

    pub(super) fn bucket(&self) -> &Bucket {
        &self.0.bucket
    }

    pub(super) fn http(&self) -> &Client {
        &self.0.http
    }

    pub(super) fn logs(&self) -> &Logs {
        &self.0.logs
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn running_jobs(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.0.running_jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Aborts the running jobs.
    pub(crate) fn stop(&self) {
        self.running_jobs().abort_all();
    }
}

impl fmt::Debug for Brightcove {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Brightcove").field("url", &self.0.url).field("account", &self.0.account).finish_non_exhaustive()
    }
}

/// A client secret or an access token in the vendor's format.
pub(super) fn random_secret() -> SecretText {
    SecretText::new(base64url(Secret::<64>::generate(&mut system_rng()).expose()))
}
