//! Brightcove's APIs: OAuth, CMS and Dynamic Ingest, as far as uploads need them.

mod answer;
mod token;

use std::{sync::Arc, time::Instant};

use reqwest::{
    Client, Method, RequestBuilder, StatusCode,
    header::{ACCEPT, HeaderValue},
};
use serde::Deserialize;
use serde_json::Value;
use shared::{
    secret::SecretText,
    upload::{Code, VideoId},
};

pub(super) use self::answer::invalid;
use self::{
    answer::{refusal, text},
    token::Tokens,
};
use super::{Error, Uploads, intent::Reference};
use crate::{
    http::{Again, Answer, Http},
    setting::{self, Environment},
};

/// Brightcove, for one account.
pub(super) struct Brightcove {
    uploads: Arc<Uploads>,
    urls: setting::Brightcove,
    http: Http,
    tokens: Tokens,
    /// When a call is made again that may be.
    again: Again,
}

/// Where an object goes, and the credentials for it.
#[derive(Deserialize)]
pub(super) struct UploadUrls {
    pub(super) bucket: String,
    pub(super) object_key: String,
    pub(super) access_key_id: String,
    pub(super) secret_access_key: SecretText,
    pub(super) session_token: SecretText,
    // One of the vendor's schemas spells it so.
    #[serde(alias = "ApiRequestUrl")]
    pub(super) api_request_url: SecretText,
}

/// A video that was found by its reference.
#[derive(Deserialize)]
struct Referred {
    id: String,
    reference_id: Option<String>,
    complete: bool,
}

/// A video that was handed over.
pub(super) struct Accepted {
    /// The job's id.
    pub(super) job: String,
    /// The answer, JSON.
    pub(super) answer: String,
}

/// An ingest job.
#[derive(Deserialize)]
pub(super) struct Job {
    pub(super) id: String,
    #[serde(default)]
    pub(super) state: String,
}

/// What became of a video that was to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deleted {
    /// It is gone.
    Gone,
    /// Brightcove keeps it, for good reason.
    Kept,
}

impl Brightcove {
    pub(super) fn new(environment: &Environment, uploads: Arc<Uploads>) -> Self {
        Self { uploads, urls: environment.brightcove(), http: Http::default(), tokens: Tokens::default(), again: Again::Always }
    }

    /// The same for whoever comes again: no call is repeated.
    pub(super) const fn unhurried(mut self) -> Self {
        self.again = Again::Never;
        self
    }

    /// Creates a video. It is not tried again where it may have been created.
    pub(super) async fn create(&self, body: &Value, until: Instant) -> Result<VideoId, Error> {
        #[derive(Deserialize)]
        struct Created {
            id: String,
        }
        let url = format!("{}/accounts/{}/videos", self.urls.cms, self.uploads.account());
        let created: Created = answer::read(&self.call(Method::POST, &url, Some(body), Again::Untaken, until).await?)?;
        created.id.parse().map_err(|_| answer::invalid("a video's id is no number"))
    }

    /// Asks where a video's file goes.
    pub(super) async fn upload_urls(&self, video: &VideoId, source: &str, until: Instant) -> Result<UploadUrls, Error> {
        let url = format!("{}/accounts/{}/videos/{video}/upload-urls/{source}", self.urls.ingest, self.uploads.account());
        let urls: UploadUrls = answer::read(&self.call(Method::GET, &url, None, self.again, until).await?)?;
        let secrets = [&urls.secret_access_key, &urls.session_token, &urls.api_request_url].map(SecretText::expose);
        let all = [urls.bucket.as_str(), &urls.object_key, &urls.access_key_id].into_iter().chain(secrets);
        if all.into_iter().any(str::is_empty) { Err(answer::invalid("a member of the upload URLs is empty")) } else { Ok(urls) }
    }

    /// Hands a video over. It is not tried again where it may have been taken.
    pub(super) async fn ingest(&self, video: &VideoId, body: &Value, until: Instant) -> Result<Accepted, Error> {
        let url = format!("{}/accounts/{}/videos/{video}/ingest-requests", self.urls.ingest, self.uploads.account());
        let answer = self.call(Method::POST, &url, Some(body), Again::Untaken, until).await?;
        let job: Job = answer::read(&answer)?;
        Ok(Accepted { job: job.id, answer: text(&answer)?.to_owned() })
    }

    /// A video's ingest jobs.
    pub(super) async fn jobs(&self, video: &VideoId, until: Instant) -> Result<Vec<Job>, Error> {
        let url = format!("{}/ingest_jobs", self.video_url(video));
        match self.call(Method::GET, &url, None, self.again, until).await {
            Err(Error::Rejected { status: 404, .. }) => Ok(Vec::new()),
            outcome => answer::read(&outcome?),
        }
    }

    /// Whether a video has a file; `None` when there is no such video.
    pub(super) async fn complete(&self, video: &VideoId, until: Instant) -> Result<Option<bool>, Error> {
        #[derive(Deserialize)]
        struct Video {
            complete: bool,
        }
        match self.call(Method::GET, &self.video_url(video), None, self.again, until).await {
            Err(Error::Rejected { status: 404, .. }) => Ok(None),
            outcome => answer::read(&outcome?).map(|Video { complete }| Some(complete)),
        }
    }

    /// The video of a reference, and whether it has a file; `None` when there is no such video.
    pub(super) async fn referred(&self, reference: &Reference, until: Instant) -> Result<Option<(VideoId, bool)>, Error> {
        let reference = reference.as_str();
        let url = format!("{}/accounts/{}/videos/ref:{reference}", self.urls.cms, self.uploads.account());
        let found: Referred = match self.call(Method::GET, &url, None, self.again, until).await {
            Err(Error::Rejected { status: 404, .. }) => return Ok(None),
            outcome => answer::read(&outcome?)?,
        };
        // Whatever comes of this read may be deleted.
        if found.reference_id.as_deref() != Some(reference) {
            return Err(invalid("a video of another reference"));
        }
        let id = found.id.parse().map_err(|_| invalid("a video's id is no number"))?;
        Ok(Some((id, found.complete)))
    }

    /// Deletes a video.
    pub(super) async fn delete(&self, video: &VideoId, until: Instant) -> Result<Deleted, Error> {
        match self.call(Method::DELETE, &self.video_url(video), None, self.again, until).await {
            Ok(answer) if answer.status.is_success() => Ok(Deleted::Gone),
            Ok(answer) => Err(answer::invalid(format!("status {} to a deletion", answer.status))),
            Err(Error::Rejected { status: 404, .. }) => Ok(Deleted::Gone),
            Err(Error::Rejected { status: 409, .. } | Error::Upstream { code: Code::UpstreamForbidden, .. }) => Ok(Deleted::Kept),
            Err(error) => Err(error),
        }
    }

    /// An id is digits alone, so that this is one video, and no list or reference.
    fn video_url(&self, video: &VideoId) -> String {
        format!("{}/accounts/{}/videos/{video}", self.urls.cms, self.uploads.account())
    }

    /// Makes a call, with another token where the one at hand is not taken any more.
    async fn call(&self, method: Method, url: &str, body: Option<&Value>, again: Again, until: Instant) -> Result<Answer, Error> {
        let mut renewed = false;
        loop {
            let token = self.tokens.token(&self.http, &self.urls.oauth, &self.uploads, self.again, until).await?;
            let request = |client: &Client| -> RequestBuilder {
                let request = client.request(method.clone(), url).bearer_auth(token.expose());
                let request = request.header(ACCEPT, HeaderValue::from_static("application/json"));
                match body {
                    Some(body) => request.json(body),
                    None => request,
                }
            };
            let answer = self.http.send_until(until, again, request).await.map_err(Error::Silent)?;
            if answer.status == StatusCode::UNAUTHORIZED && !renewed {
                self.tokens.forget(&token).await;
                renewed = true;
                continue;
            }
            return if answer.status.is_success() { Ok(answer) } else { Err(refusal(&answer)) };
        }
    }
}
