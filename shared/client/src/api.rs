//! The way through the customer's API: API Gateway and the proxy, by client id and secret.

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

use super::{
    Credentials, Error, Health, Outcomes, Token, answer,
    error::{Failure, printable},
    health,
    ids::Part,
    request,
    retry::{Attempts, Retry},
    token::Current,
};

/// API Gateway ends a request after 29 seconds: whoever waits longer waits for nobody.
const REQUEST_TIME: Duration = Duration::from_secs(35);
const CONNECT_TIME: Duration = Duration::from_secs(5);

/// One customer's API.
#[derive(Debug)]
pub(super) struct Api {
    http: reqwest::Client,
    base: String,
    credentials: Credentials,
    pub(super) retry: Retry,
    token: Current,
    initialised: OnceCell<()>,
    reached: AtomicBool,
}

impl Api {
    pub(super) fn new(base_url: &str, credentials: Credentials) -> Result<Self, Error> {
        let address = |reason| Error::Address { url: base_url.into(), reason };
        let url = Url::parse(base_url).map_err(|_| address("is not a URL"))?;
        let host = url.host_str().unwrap_or_default();
        match url.scheme() {
            "https" => {}
            "http" if ["127.0.0.1", "localhost", "[::1]"].contains(&host) => {}
            "http" => return Err(address("would carry the secret over the network in clear")),
            _ => return Err(address("is not an HTTP address")),
        }
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIME)
            .timeout(REQUEST_TIME)
            // A redirect would take the secret to another host.
            .redirect(Policy::none())
            .build()
            .map_err(|cause| Error::Setup(cause.to_string()))?;
        Ok(Self {
            http,
            base: base_url.trim_end_matches('/').into(),
            credentials,
            retry: Retry::default(),
            token: Current::default(),
            initialised: OnceCell::new(),
            reached: AtomicBool::new(false),
        })
    }

    pub(super) fn client_id(&self) -> &str {
        &self.credentials.client_id
    }

    pub(super) async fn init(&self) -> Result<(), Error> {
        self.token.replace(self.with_credentials("auth/init", "init").await?).await;
        Ok(())
    }

    pub(super) async fn token(&self) -> Result<Arc<Token>, Error> {
        self.token.or_fetch(self.with_credentials("auth/request", "refresh")).await
    }

    pub(super) async fn health(&self) -> Result<Health, Error> {
        // Whoever asks how things stand wants to hear that they stand badly.
        let mut attempts = Attempts::new(Retry { attempts: self.retry.first_attempts, ..self.retry });
        loop {
            let start = Instant::now();
            let failure = match self.answered(self.http.get(format!("{}/health", self.base))).await {
                Ok((headers, text)) => {
                    let date = headers.get(DATE).and_then(|date| date.to_str().ok());
                    let ahead = date.and_then(|date| health::ahead(date, SystemTime::now()));
                    let health = Health::parse(&text).map_err(|said| Error::Nonsense(printable(&said)))?;
                    return Ok(Health { ahead, took: start.elapsed(), ..health });
                }
                Err(failure) => failure,
            };
            attempts.pause(failure, &self.base, self.reached()).await?;
        }
    }

    pub(super) async fn translate(&self, part: Part<'_>) -> Result<Outcomes, Error> {
        let mut attempts = Attempts::new(self.retry);
        let mut refreshed = false;
        loop {
            let token = self.token().await?;
            match self.attempt("auth/request", request::translate(token.expose(), part)).await {
                Ok((headers, text)) => {
                    let previous = headers.get(customer::PREVIOUS).and_then(|count| count.to_str().ok()?.parse().ok());
                    return answer::parse(&text, part).map(|outcomes| outcomes.with_previous(previous)).map_err(Error::Nonsense);
                }
                Err(failure) if failure.asks_for_a_new_token() && !refreshed => {
                    refreshed = true;
                    self.token.forget(&token).await;
                }
                Err(failure) if failure.lacks_keys() && !self.initialised.initialized() => {
                    self.initialised.get_or_try_init(|| self.init()).await?;
                }
                Err(failure) => attempts.pause(failure, &self.base, self.reached()).await?,
            }
        }
    }

    /// One of the two calls that show the client's secret and are answered with a smart token.
    async fn with_credentials(&self, path: &str, rpc: &str) -> Result<Arc<Token>, Error> {
        let Credentials { client_id, client_secret } = &self.credentials;
        let mut attempts = Attempts::new(self.retry);
        loop {
            match self.attempt(path, request::token(rpc, client_id, client_secret.expose())).await {
                Ok((_, text)) => {
                    let answer: TokenAnswer =
                        serde_json::from_slice(&text).map_err(|_| Error::Nonsense("it was asked for a token and sent none".into()))?;
                    return Ok(Arc::new(Token::new(answer.smart_token)));
                }
                Err(failure) if failure.is(StatusCode::UNAUTHORIZED) || failure.is(StatusCode::FORBIDDEN) => {
                    return Err(Error::Credentials { client_id: client_id.clone(), said: failure.said() });
                }
                Err(failure) => attempts.pause(failure, &self.base, self.reached()).await?,
            }
        }
    }

    /// Whether anybody has ever answered at this address.
    fn reached(&self) -> bool {
        self.reached.load(Ordering::Relaxed)
    }

    async fn attempt(&self, path: &str, body: Vec<u8>) -> Result<(HeaderMap, Vec<u8>), Failure> {
        let request = self.http.post(format!("{}/{path}", self.base)).header(CONTENT_TYPE, "application/json");
        self.answered(request.body(body)).await
    }

    async fn answered(&self, request: RequestBuilder) -> Result<(HeaderMap, Vec<u8>), Failure> {
        let answer = request.send().await.map_err(|error| Failure::transport(&error))?;
        self.reached.store(true, Ordering::Relaxed);
        let status = answer.status();
        let headers = answer.headers().clone();
        let wait = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let text = answer.bytes().await.map_err(|error| Failure::transport(&error))?;
        if status == StatusCode::OK {
            return Ok((headers, text.into()));
        }
        let secret = self.credentials.client_secret.expose();
        Err(Failure::answer(status, &text, wait.map(Duration::from_secs), secret))
    }
}

#[derive(Deserialize)]
struct TokenAnswer {
    smart_token: String,
}
