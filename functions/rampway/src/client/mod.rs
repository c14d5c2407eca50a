//! The client of the customer's API: tokens kept fresh, requests repeated while repeating helps, answers checked.

mod answer;
mod connection;
mod error;
mod ids;
mod outcomes;
mod request;
mod retry;
mod token;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use reqwest::{
    StatusCode, Url,
    header::{CONTENT_TYPE, RETRY_AFTER},
    redirect::Policy,
};
use serde::Deserialize;
use tokio::sync::{Mutex, OnceCell};

pub use connection::{Connection, ConnectionError, Credentials, Given};
pub use error::Error;
use error::Failure;
pub use ids::Ids;
use ids::Part;
pub use outcomes::{Outcomes, Refusal};
use retry::{Attempts, Retry};
pub use token::SmartToken;

/// API Gateway ends a request after 29 seconds: whoever waits longer waits for nobody.
const REQUEST_TIME: Duration = Duration::from_secs(35);
const CONNECT_TIME: Duration = Duration::from_secs(5);

/// A client of one customer's API.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    credentials: Credentials,
    retry: Retry,
    token: Mutex<Option<Arc<SmartToken>>>,
    initialised: OnceCell<()>,
    reached: AtomicBool,
}

impl Client {
    /// Makes a client of the API at `base_url`, which ends in the stage: `https://….amazonaws.com/Prod`.
    pub fn new(base_url: &str, credentials: Credentials) -> Result<Self, Error> {
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
            token: Mutex::default(),
            initialised: OnceCell::new(),
            reached: AtomicBool::new(false),
        })
    }

    /// Initialises the customer's transcoder: fetches a sealed key packet and gives it to every variant.
    pub async fn init(&self) -> Result<(), Error> {
        let token = self.with_credentials("auth/init", "init").await?;
        *self.token.lock().await = Some(token);
        Ok(())
    }

    /// The current smart token: the last one while it is valid for another minute, otherwise a new one.
    pub async fn token(&self) -> Result<Arc<SmartToken>, Error> {
        // The lock is held while fetching, so that requests that meet here fetch one token together.
        let mut held = self.token.lock().await;
        if let Some(token) = held.as_ref().filter(|token| token.is_fresh()) {
            return Ok(token.clone());
        }
        let token = self.with_credentials("auth/request", "refresh").await?;
        Ok(held.insert(token).clone())
    }

    /// Translates ids: one outcome an id, in order.
    ///
    /// A request that the server finds too large is halved until it fits.
    pub async fn translate(&self, ids: &Ids) -> Result<Outcomes, Error> {
        if ids.is_empty() { Ok(Outcomes::default()) } else { self.translate_part(ids.all()).await }
    }

    async fn translate_part(&self, part: Part<'_>) -> Result<Outcomes, Error> {
        match self.translate_whole(part).await {
            Err(Error::TooLarge { .. }) if part.len() > 1 => {
                let (left, right) = part.halves();
                let mut outcomes = Box::pin(self.translate_part(left)).await?;
                outcomes.append(&Box::pin(self.translate_part(right)).await?);
                Ok(outcomes)
            }
            // The whole request asks for what no permission allows: the same is true of each of its ids.
            Err(Error::NotPermitted { code, message }) => Ok(Outcomes::all_refused(part.len(), &code, &message)),
            answer => answer,
        }
    }

    async fn translate_whole(&self, part: Part<'_>) -> Result<Outcomes, Error> {
        let mut attempts = Attempts::new(self.retry);
        let mut refreshed = false;
        loop {
            let token = self.token().await?;
            match self.attempt("auth/request", request::translate(token.expose(), part)).await {
                Ok(text) => return answer::parse(&text, part).map_err(Error::Nonsense),
                Err(failure) if failure.asks_for_a_new_token() && !refreshed => {
                    refreshed = true;
                    self.forget(&token).await;
                }
                Err(failure) if failure.lacks_keys() && !self.initialised.initialized() => {
                    self.initialised.get_or_try_init(|| self.init()).await?;
                }
                Err(failure) => attempts.pause(failure, &self.base, self.reached()).await?,
            }
        }
    }

    /// One of the two calls that show the client's secret and are answered with a smart token.
    async fn with_credentials(&self, path: &str, rpc: &str) -> Result<Arc<SmartToken>, Error> {
        let Credentials { client_id, client_secret } = &self.credentials;
        let mut attempts = Attempts::new(self.retry);
        loop {
            match self.attempt(path, request::token(rpc, client_id, client_secret.expose())).await {
                Ok(text) => {
                    let answer: TokenAnswer =
                        serde_json::from_slice(&text).map_err(|_| Error::Nonsense("it was asked for a token and sent none".into()))?;
                    return Ok(Arc::new(SmartToken::new(answer.smart_token)));
                }
                Err(failure) if failure.is(StatusCode::UNAUTHORIZED) || failure.is(StatusCode::FORBIDDEN) => {
                    return Err(Error::Credentials { client_id: client_id.clone(), said: failure.said() });
                }
                Err(failure) => attempts.pause(failure, &self.base, self.reached()).await?,
            }
        }
    }

    /// Drops a token that the server no longer takes, unless another request has already replaced it.
    async fn forget(&self, token: &Arc<SmartToken>) {
        let mut held = self.token.lock().await;
        if held.as_ref().is_some_and(|held| Arc::ptr_eq(held, token)) {
            *held = None;
        }
    }

    /// Whether anybody has ever answered at this address.
    fn reached(&self) -> bool {
        self.reached.load(Ordering::Relaxed)
    }

    async fn attempt(&self, path: &str, body: Vec<u8>) -> Result<Vec<u8>, Failure> {
        let answer = self
            .http
            .post(format!("{}/{path}", self.base))
            .header(CONTENT_TYPE, "application/json")
            .body(body)
            .send()
            .await
            .map_err(|error| Failure::transport(&error))?;
        self.reached.store(true, Ordering::Relaxed);
        let status = answer.status();
        let wait = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let text = answer.bytes().await.map_err(|error| Failure::transport(&error))?;
        if status == StatusCode::OK {
            return Ok(text.into());
        }
        let secret = self.credentials.client_secret.expose();
        Err(Failure::answer(status, &text, wait.map(Duration::from_secs), secret))
    }
}

#[derive(Deserialize)]
struct TokenAnswer {
    smart_token: String,
}

#[cfg(test)]
mod tests;
