//! The transport over the SageMaker endpoint: CSV bodies in requests signed for AWS, with tokens
//! from the authority. The client counts the usage.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use cloud::{
    identity::{self, endpoint::InvokeError, endpoint_client::EndpointClient},
    setting::Environment,
};
use shared::identity::{Code, rpc::ErrorBody};
use tokio::sync::OnceCell;

use crate::{
    api::Api,
    connection::Credentials,
    error::{AttemptError, Error, printable},
    health::Health,
    ids::IdSlice,
    lines,
    outcomes::Outcomes,
    retry::{Attempts, RetryPolicy},
    token::{Token, TokenCache},
};

/// A connection to one customer's endpoint.
pub(crate) struct Endpoint {
    client: EndpointClient,
    authority: String,
    credentials: Credentials,
    /// The API, which is called only to initialise the transcoder.
    api: Option<Api>,
    initialised: OnceCell<()>,
    retry: RetryPolicy,
    smart_token: TokenCache,
    init_token: TokenCache,
    /// Whether the endpoint has ever responded.
    reached: AtomicBool,
}

/// The kinds of tokens that the authority issues.
#[derive(Clone, Copy)]
enum Kind {
    Smart,
    Init,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("authority", &self.authority).field("credentials", &self.credentials).finish_non_exhaustive()
    }
}

impl Endpoint {
    pub(crate) async fn connect(environment: &Environment, credentials: Credentials, api: Option<Api>) -> Result<Self, Error> {
        let missing = |error: &dyn fmt::Display| Error::Environment { cause: error.to_string() };
        let Credentials { client_id, client_secret } = credentials.clone();
        let authority_credentials = identity::Credentials { client_id, secret: client_secret };
        Ok(Self {
            authority: environment.authority_url().map_err(|error| missing(&error))?,
            client: EndpointClient::from_env(environment, authority_credentials).await.map_err(|error| missing(&error))?,
            credentials,
            api,
            initialised: OnceCell::new(),
            retry: RetryPolicy::default(),
            smart_token: TokenCache::default(),
            init_token: TokenCache::default(),
            reached: AtomicBool::new(false),
        })
    }

    pub(crate) fn client_id(&self) -> &str {
        &self.credentials.client_id
    }

    pub(crate) async fn init(&self) -> Result<(), Error> {
        match &self.api {
            Some(api) => api.init().await,
            // An instance without keys receives the init token with its first request.
            None => Ok(()),
        }
    }

    pub(crate) async fn token(&self) -> Result<Arc<Token>, Error> {
        self.smart_token.get_or_fetch(self.request_token(Kind::Smart)).await
    }

    pub(crate) async fn health(&self) -> Result<Health, Error> {
        let start = Instant::now();
        let variants = self.client.health().await.map_err(|error| Error::Denied { detail: printable(&error.to_string()) })?;
        let variants = variants.into_iter().map(serde_json::from_value).collect::<Result<_, _>>();
        let variants = variants.map_err(|_| Error::InvalidResponse("it is not a health report".into()))?;
        Ok(Health { variants, clock_offset_seconds: None, round_trip: start.elapsed() })
    }

    pub(crate) async fn translate(&self, ids: IdSlice<'_>) -> Result<Outcomes, Error> {
        let mut attempts = Attempts::new(self.retry);
        let mut refreshed = false;
        let mut init_token = None;
        loop {
            let token = self.token().await?;
            let (body, target) = lines::write(token.expose(), init_token.as_deref().map(Token::expose), ids);
            let error = match self.client.translate(body, target).await {
                Ok(response) => {
                    self.reached.store(true, Ordering::Relaxed);
                    let counted = response.usage.iter().map(|(_, count)| count).sum();
                    let outcomes = lines::parse(response.body, ids, counted).map_err(Error::InvalidResponse)?;
                    self.client.count(&response.usage).await.map_err(|error| Error::NotCounted { cause: printable(&error.to_string()) })?;
                    return Ok(outcomes.with_previous(Some(response.previous)));
                }
                Err(InvokeError::NoKeys) if init_token.is_none() => {
                    init_token = self.initialise().await?;
                    continue;
                }
                Err(error) => self.attempt_error(error)?,
            };
            if error.is_refresh_required() && !refreshed {
                refreshed = true;
                self.smart_token.invalidate(&token).await;
            } else {
                attempts.back_off(error, "the endpoint", self.reached.load(Ordering::Relaxed)).await?;
            }
        }
    }

    /// Prepares the retry against an instance without keys.
    ///
    /// The first time, the API initialises the transcoder and stores the credentials for its daily
    /// initialisation and usage report. Later, or without an API, returns an init token to send
    /// with the request.
    async fn initialise(&self) -> Result<Option<Arc<Token>>, Error> {
        if let Some(api) = &self.api
            && !self.initialised.initialized()
            && self.initialised.get_or_try_init(|| api.init()).await.is_ok()
        {
            return Ok(None);
        }
        self.init_token.get_or_fetch(self.request_token(Kind::Init)).await.map(Some)
    }

    /// Requests a token from the authority.
    async fn request_token(&self, kind: Kind) -> Result<Arc<Token>, Error> {
        let mut attempts = Attempts::new(self.retry);
        loop {
            let token = match kind {
                Kind::Smart => self.client.smart_token().await,
                Kind::Init => self.client.init_token().await,
            };
            let error = match token {
                Ok(token) => return Ok(Arc::new(Token::new(token.expose().into()))),
                Err(identity::Error::ErrorResponse { status, body }) => {
                    AttemptError::from_body(status, &body, self.credentials.client_secret.expose())
                }
                Err(identity::Error::Authority(Some(cloud::http::Error::Transport(error)))) => AttemptError::transport(&error),
                Err(error) => return Err(Error::InvalidResponse(printable(&error.to_string()))),
            };
            if error.rejects_credentials() {
                return Err(Error::Credentials { client_id: self.credentials.client_id.clone(), detail: error.detail() });
            }
            attempts.back_off(error, &self.authority, self.reached.load(Ordering::Relaxed)).await?;
        }
    }

    fn attempt_error(&self, error: InvokeError) -> Result<AttemptError, Error> {
        let detail = printable(&error.to_string());
        let status = |status, code: Code| Ok(AttemptError::from_body(status, &ErrorBody::new(code, detail.clone()), ""));
        match error {
            InvokeError::NoKeys => status(503, Code::S007),
            InvokeError::TooLarge { .. } => status(413, Code::E003),
            InvokeError::Throttled => status(429, Code::E000),
            InvokeError::Refused { status, body } => Ok(AttemptError::from_body(status, &body, self.credentials.client_secret.expose())),
            InvokeError::Denied(_) => Err(Error::Denied { detail }),
            _ => Ok(AttemptError::Transport { cause: detail }),
        }
    }
}

#[cfg(test)]
mod tests;
