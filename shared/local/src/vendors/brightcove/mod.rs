//! Brightcove on this machine: OAuth, the CMS API and Dynamic Ingest, as their references describe them.
//!
//! It checks what it is sent, refuses it in the vendor's forms, keeps to the vendor's limits, and ingests what lies in the [bucket](crate::aws::s3).
//! Tests tell it what should go wrong by [`Brightcove`]'s own methods.

mod call;
mod cms;
mod control;
mod ingest;
mod job;
mod kept;
mod oauth;
mod refusal;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Router,
    middleware::from_fn_with_state,
    routing::{get, post},
};
use reqwest::Client;
use shared::{
    crypto::system_rng,
    encoding::base64url,
    secret::{Secret, SecretText},
};
use time::OffsetDateTime;
use tokio::{net::TcpListener, task::JoinSet};
use uuid::Uuid;

use self::control::{Fate, Wrong};
pub use self::{
    call::Call,
    cms::Video,
    job::{Job, JobState},
};
use crate::{Error, aws::s3::Bucket, process::Logs, server::Server, state::StateDir};

/// The account, when nobody names another.
pub(crate) const ACCOUNT: &str = "1234567890001";

/// The stand-in; all copies are the one.
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
    desk: Mutex<Desk>,
    /// The jobs that run; they end with the suite.
    running: Mutex<JoinSet<()>>,
}

/// What it knows.
#[derive(Default)]
struct Desk {
    videos: BTreeMap<String, Video>,
    jobs: Vec<Job>,
    last_id: i128,
    /// Access tokens and their ends.
    tokens: BTreeMap<String, Instant>,
    withheld: BTreeSet<String>,
    /// Requests of the last second.
    recent: VecDeque<Instant>,
    /// Ingest requests of the last minute, by their video.
    ingests: BTreeMap<String, VecDeque<Instant>>,
    asked: BTreeMap<Call, usize>,
    wrong: Vec<(Call, Wrong)>,
    slow: BTreeMap<Call, Duration>,
    held: bool,
}

impl Brightcove {
    /// Serves an account, which ingests from a bucket, and goes on with what an earlier start has [kept](Self::kept).
    pub(crate) fn serve(
        listener: TcpListener,
        account: &str,
        bucket: Bucket,
        logs: Logs,
        home: &StateDir,
    ) -> Result<(Self, Server), Error> {
        let address = listener.local_addr().map_err(|source| Error::Listen { port: 0, source })?;
        let http = Client::builder().no_proxy().timeout(Duration::from_secs(10)).build();
        let brightcove = Self(Arc::new(Inner {
            url: format!("http://{address}"),
            account: account.into(),
            client_id: Uuid::new_v4().to_string(),
            client_secret: secret(),
            bucket,
            http: http.map_err(|error| Error::Machine(format!("an HTTP client ({error})")))?,
            logs,
            desk: Mutex::default(),
            running: Mutex::default(),
        }));
        if let Some(kept) = home.brightcove()? {
            brightcove.restore(&kept).map_err(|error| home.problem(error))?;
        }
        let server = Server::start(listener, brightcove.router()).map_err(|source| Error::Listen { port: 0, source })?;
        Ok((brightcove, server))
    }

    fn router(&self) -> Router {
        let videos = "/cms/v1/accounts/{account}/videos";
        let ingest = "/ingest/v1/accounts/{account}/videos/{video}";
        Router::new()
            .route("/oauth/v4/access_token", post(oauth::token))
            .route(videos, post(cms::create))
            .route(&format!("{videos}/{{video}}"), get(cms::read).delete(cms::delete))
            .route(&format!("{videos}/{{video}}/ingest_jobs"), get(job::list))
            .route(&format!("{videos}/{{video}}/ingest_jobs/{{job}}"), get(job::read))
            .route(&format!("{ingest}/upload-urls/{{source}}"), get(ingest::upload_urls))
            .route(&format!("{ingest}/ingest-requests"), post(ingest::request))
            .fallback(refusal::nothing)
            .method_not_allowed_fallback(refusal::method)
            .layer(from_fn_with_state(self.clone(), call::admit))
            .with_state(self.clone())
    }

    /// The base addresses of its three APIs, up to and including their versions.
    pub(crate) fn urls(&self) -> [(&'static str, String); 3] {
        let url = &self.0.url;
        [
            ("BRIGHTCOVE_OAUTH_URL", format!("{url}/oauth/v4")),
            ("BRIGHTCOVE_CMS_URL", format!("{url}/cms/v1")),
            ("BRIGHTCOVE_INGEST_URL", format!("{url}/ingest/v1")),
        ]
    }

    /// Its address, with a path in front of each of the three APIs: `/oauth/v4`, `/cms/v1`, `/ingest/v1`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// The account.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.0.account
    }

    /// The client that may use the account.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.0.client_id
    }

    /// Its secret.
    #[must_use]
    pub fn client_secret(&self) -> &SecretText {
        &self.0.client_secret
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.0.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fate(&self, call: Call) -> Fate {
        self.desk().fate(call)
    }

    /// Ends what still runs.
    pub(crate) fn stop(&self) {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }
}

impl fmt::Debug for Brightcove {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Brightcove").field("url", &self.0.url).field("account", &self.0.account).finish_non_exhaustive()
    }
}

/// A secret as the vendor makes them.
fn secret() -> SecretText {
    SecretText::new(base64url(Secret::<64>::generate(&mut system_rng()).expose()))
}

/// A second since 1970 as the vendor writes it.
fn written(second: i64) -> String {
    const FORM: &[time::format_description::BorrowedFormatItem<'_>] =
        time::macros::format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    OffsetDateTime::from_unix_timestamp(second).ok().and_then(|moment| moment.format(FORM).ok()).unwrap_or_default()
}
