//! The transport over the customer's API: API Gateway and the proxy, with a client id and secret.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use cloud::identity::customer;
use reqwest::{
    RequestBuilder, StatusCode, Url,
    header::{CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER},
    redirect::Policy,
};
use serde::Deserialize;
use tokio::sync::OnceCell;

use crate::{
    connection::Credentials,
    error::{AttemptError, Error, printable},
    health::{Health, clock_offset_seconds},
    ids::IdSlice,
    outcomes::Outcomes,
    request, response,
    retry::{Attempts, RetryPolicy},
    token::{Token, TokenCache},
};

/// API Gateway ends a request after 29 seconds. A client that waits longer receives no response.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(35);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection to one customer's API.
#[derive(Debug)]
pub(crate) struct Api {
    http: reqwest::Client,
    base_url: String,
    credentials: Credentials,
    pub(crate) retry: RetryPolicy,
    token: TokenCache,
    initialised: OnceCell<()>,
    /// Whether the server has ever responded.
    reached: AtomicBool,
}

impl Api {
    pub(crate) fn new(base_url: &str, credentials: Credentials) -> Result<Self, Error> {
        let address = |reason| Error::Address { url: base_url.into(), reason };
        let url = Url::parse(base_url).map_err(|_| address("is not a URL"))?;
        let host = url.host_str().unwrap_or_default();
        match url.scheme() {
            "https" => {}
            "http" if ["127.0.0.1", "localhost", "[::1]"].contains(&host) => {}
            "http" => return Err(address("would send the secret unencrypted")),
            _ => return Err(address("is not an HTTP address")),
        }
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            // A redirect would send the secret to another host.
            .redirect(Policy::none())
            .build()
            .map_err(|cause| Error::Setup(cause.to_string()))?;
        Ok(Self {
            http,
            base_url: base_url.trim_end_matches('/').into(),
            credentials,
            retry: RetryPolicy::default(),
            token: TokenCache::default(),
            initialised: OnceCell::new(),
            reached: AtomicBool::new(false),
        })
    }

    pub(crate) fn client_id(&self) -> &str {
        &self.credentials.client_id
    }

    pub(crate) async fn init(&self) -> Result<(), Error> {
        self.token.replace(self.request_token("auth/init", "init").await?).await;
        Ok(())
    }

    pub(crate) async fn token(&self) -> Result<Arc<Token>, Error> {
        self.token.get_or_fetch(self.request_token("auth/request", "refresh")).await
    }

    pub(crate) async fn health(&self) -> Result<Health, Error> {
        // A health check is to report an unavailable server soon.
        let mut attempts = Attempts::new(RetryPolicy { max_attempts: self.retry.max_attempts_unreached, ..self.retry });
        loop {
            let start = Instant::now();
            let error = match self.send(self.http.get(format!("{}/health", self.base_url))).await {
                Ok((headers, body)) => {
                    let date = headers.get(DATE).and_then(|date| date.to_str().ok());
                    let clock_offset_seconds = date.and_then(|date| clock_offset_seconds(date, SystemTime::now()));
                    let health = Health::parse(&body).map_err(|error| Error::InvalidResponse(printable(&error)))?;
                    return Ok(Health { clock_offset_seconds, round_trip: start.elapsed(), ..health });
                }
                Err(error) => error,
            };
            attempts.back_off(error, &self.base_url, self.reached()).await?;
        }
    }

    pub(crate) async fn translate(&self, ids: IdSlice<'_>) -> Result<Outcomes, Error> {
        let mut attempts = Attempts::new(self.retry);
        let mut refreshed = false;
        loop {
            let token = self.token().await?;
            match self.post("auth/request", request::translate(token.expose(), ids)).await {
                Ok((headers, body)) => {
                    let previous = headers.get(customer::PREVIOUS_KEY_HEADER).and_then(|count| count.to_str().ok()?.parse().ok());
                    return response::parse(&body, ids).map(|outcomes| outcomes.with_previous(previous)).map_err(Error::InvalidResponse);
                }
                Err(error) if error.is_refresh_required() && !refreshed => {
                    refreshed = true;
                    self.token.invalidate(&token).await;
                }
                Err(error) if error.is_without_keys() && !self.initialised.initialized() => {
                    self.initialised.get_or_try_init(|| self.init()).await?;
                }
                Err(error) => attempts.back_off(error, &self.base_url, self.reached()).await?,
            }
        }
    }

    /// Requests a smart token with the client's secret.
    async fn request_token(&self, path: &str, rpc: &str) -> Result<Arc<Token>, Error> {
        let Credentials { client_id, client_secret } = &self.credentials;
        let mut attempts = Attempts::new(self.retry);
        loop {
            match self.post(path, request::token(rpc, client_id, client_secret.expose())).await {
                Ok((_, body)) => {
                    let response: TokenResponse =
                        serde_json::from_slice(&body).map_err(|_| Error::InvalidResponse("it has no `smart_token`".into()))?;
                    return Ok(Arc::new(Token::new(response.smart_token)));
                }
                Err(error) if error.rejects_credentials() => {
                    return Err(Error::Credentials { client_id: client_id.clone(), detail: error.detail() });
                }
                Err(error) => attempts.back_off(error, &self.base_url, self.reached()).await?,
            }
        }
    }

    fn reached(&self) -> bool {
        self.reached.load(Ordering::Relaxed)
    }

    async fn post(&self, path: &str, body: Vec<u8>) -> Result<(HeaderMap, Vec<u8>), AttemptError> {
        let request = self.http.post(format!("{}/{path}", self.base_url)).header(CONTENT_TYPE, "application/json");
        self.send(request.body(body)).await
    }

    async fn send(&self, request: RequestBuilder) -> Result<(HeaderMap, Vec<u8>), AttemptError> {
        let response = request.send().await.map_err(|error| AttemptError::transport(&error))?;
        self.reached.store(true, Ordering::Relaxed);
        let status = response.status();
        let headers = response.headers().clone();
        let retry_after = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let body = response.bytes().await.map_err(|error| AttemptError::transport(&error))?;
        if status == StatusCode::OK {
            return Ok((headers, body.into()));
        }
        let secret = self.credentials.client_secret.expose();
        Err(AttemptError::from_response(status, &body, retry_after.map(Duration::from_secs), secret))
    }
}

#[derive(Deserialize)]
struct TokenResponse {
    smart_token: String,
}
