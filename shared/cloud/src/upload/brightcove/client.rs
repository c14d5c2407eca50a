//! The client of Brightcove's APIs, for one account.

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

use super::{
    super::{error::Error, intent::Reference, setting::BrightcoveUrls, uploads::Uploads},
    response::{error_response, invalid_response, parse, text},
    token::TokenCache,
};
use crate::{
    http::{HttpClient, Response, Retry},
    setting::Environment,
};

/// A client of Brightcove's APIs.
pub(crate) struct Brightcove {
    uploads: Arc<Uploads>,
    urls: BrightcoveUrls,
    http: HttpClient,
    token: TokenCache,
    /// When an idempotent request is sent again.
    retry: Retry,
}

/// The location of an object, and the credentials for it.
#[derive(Deserialize)]
pub(crate) struct UploadUrls {
    pub(crate) bucket: String,
    pub(crate) object_key: String,
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: SecretText,
    pub(crate) session_token: SecretText,
    // One of Brightcove's schemas has this spelling.
    #[serde(alias = "ApiRequestUrl")]
    pub(crate) api_request_url: SecretText,
}

/// A video that was found by its reference id.
#[derive(Deserialize)]
struct VideoByReference {
    id: String,
    reference_id: Option<String>,
    complete: bool,
}

/// An accepted ingest request.
pub(crate) struct Accepted {
    /// The job's id.
    pub(crate) job: String,
    /// The response, JSON.
    pub(crate) response: String,
}

/// An ingest job.
#[derive(Deserialize)]
pub(crate) struct Job {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) state: String,
}

/// The outcome of deleting a video.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deletion {
    /// There is no such video any more.
    Deleted,
    /// Brightcove refuses, for example because other content references the video.
    Refused,
}

impl Brightcove {
    pub(crate) fn new(environment: &Environment, uploads: Arc<Uploads>) -> Self {
        let (http, token) = (HttpClient::default(), TokenCache::default());
        Self { uploads, urls: environment.brightcove_urls(), http, token, retry: Retry::Idempotent }
    }

    /// A client that never retries, for a caller that runs again later.
    pub(crate) const fn without_retries(mut self) -> Self {
        self.retry = Retry::Never;
        self
    }

    /// Creates a video. The request is not repeated if it may have succeeded.
    pub(crate) async fn create(&self, body: &Value, deadline: Instant) -> Result<VideoId, Error> {
        #[derive(Deserialize)]
        struct Created {
            id: String,
        }
        let url = format!("{}/accounts/{}/videos", self.urls.cms, self.uploads.account());
        let created: Created = parse(&self.call(Method::POST, &url, Some(body), Retry::IfNotSent, deadline).await?)?;
        video_id(&created.id)
    }

    /// Gets the location of a video's file, and the credentials for it.
    pub(crate) async fn upload_urls(&self, video: &VideoId, source: &str, deadline: Instant) -> Result<UploadUrls, Error> {
        let url = format!("{}/accounts/{}/videos/{video}/upload-urls/{source}", self.urls.ingest, self.uploads.account());
        let urls: UploadUrls = parse(&self.call(Method::GET, &url, None, self.retry, deadline).await?)?;
        let secrets = [&urls.secret_access_key, &urls.session_token, &urls.api_request_url].map(SecretText::expose);
        let all = [urls.bucket.as_str(), &urls.object_key, &urls.access_key_id].into_iter().chain(secrets);
        if all.into_iter().any(str::is_empty) { Err(invalid_response("a member of the upload URLs is empty")) } else { Ok(urls) }
    }

    /// Ingests a video's file. The request is not repeated if it may have succeeded.
    pub(crate) async fn ingest(&self, video: &VideoId, body: &Value, deadline: Instant) -> Result<Accepted, Error> {
        let url = format!("{}/accounts/{}/videos/{video}/ingest-requests", self.urls.ingest, self.uploads.account());
        let response = self.call(Method::POST, &url, Some(body), Retry::IfNotSent, deadline).await?;
        let job: Job = parse(&response)?;
        Ok(Accepted { job: job.id, response: text(&response)?.to_owned() })
    }

    /// A video's ingest jobs.
    pub(crate) async fn jobs(&self, video: &VideoId, deadline: Instant) -> Result<Vec<Job>, Error> {
        let url = format!("{}/ingest_jobs", self.video_url(video));
        match self.call(Method::GET, &url, None, self.retry, deadline).await {
            Err(Error::Rejected { status: 404, .. }) => Ok(Vec::new()),
            outcome => parse(&outcome?),
        }
    }

    /// Whether a video has a file; `None` if there is no such video.
    pub(crate) async fn is_complete(&self, video: &VideoId, deadline: Instant) -> Result<Option<bool>, Error> {
        #[derive(Deserialize)]
        struct Video {
            complete: bool,
        }
        match self.call(Method::GET, &self.video_url(video), None, self.retry, deadline).await {
            Err(Error::Rejected { status: 404, .. }) => Ok(None),
            outcome => parse(&outcome?).map(|Video { complete }| Some(complete)),
        }
    }

    /// The video with a reference id, and whether it has a file; `None` if there is no such video.
    pub(crate) async fn find_by_reference(&self, reference: &Reference, deadline: Instant) -> Result<Option<(VideoId, bool)>, Error> {
        let reference = reference.as_str();
        let url = format!("{}/accounts/{}/videos/ref:{reference}", self.urls.cms, self.uploads.account());
        let found: VideoByReference = match self.call(Method::GET, &url, None, self.retry, deadline).await {
            Err(Error::Rejected { status: 404, .. }) => return Ok(None),
            outcome => parse(&outcome?)?,
        };
        // The caller may delete the video, so it must be the right one.
        if found.reference_id.as_deref() != Some(reference) {
            return Err(invalid_response("a video of another reference"));
        }
        Ok(Some((video_id(&found.id)?, found.complete)))
    }

    /// Deletes a video.
    pub(crate) async fn delete(&self, video: &VideoId, deadline: Instant) -> Result<Deletion, Error> {
        match self.call(Method::DELETE, &self.video_url(video), None, self.retry, deadline).await {
            Ok(response) if response.status.is_success() => Ok(Deletion::Deleted),
            Ok(response) => Err(invalid_response(format!("status {} to a deletion", response.status))),
            Err(Error::Rejected { status: 404, .. }) => Ok(Deletion::Deleted),
            Err(Error::Rejected { status: 409, .. } | Error::Upstream { code: Code::UpstreamForbidden, .. }) => Ok(Deletion::Refused),
            Err(error) => Err(error),
        }
    }

    /// The URL of one video: an id has digits only, and so is neither a list nor a `ref:`.
    fn video_url(&self, video: &VideoId) -> String {
        format!("{}/accounts/{}/videos/{video}", self.urls.cms, self.uploads.account())
    }

    /// Sends a request, and again with a new token after a 401.
    async fn call(&self, method: Method, url: &str, body: Option<&Value>, retry: Retry, deadline: Instant) -> Result<Response, Error> {
        let mut is_renewed = false;
        loop {
            let token = self.token.token(&self.http, &self.urls.oauth, &self.uploads, self.retry, deadline).await?;
            let request = |client: &Client| -> RequestBuilder {
                let request = client.request(method.clone(), url).bearer_auth(token.expose());
                let request = request.header(ACCEPT, HeaderValue::from_static("application/json"));
                match body {
                    Some(body) => request.json(body),
                    None => request,
                }
            };
            let response = self.http.send_before(deadline, retry, request).await.map_err(Error::NoResponse)?;
            if response.status == StatusCode::UNAUTHORIZED && !is_renewed {
                self.token.invalidate(&token).await;
                is_renewed = true;
                continue;
            }
            return if response.status.is_success() { Ok(response) } else { Err(error_response(&response)) };
        }
    }
}

fn video_id(text: &str) -> Result<VideoId, Error> {
    text.parse().map_err(|_| invalid_response("a video's id is no number"))
}
