//! The way straight to the endpoint: lean bodies of lines, signed for AWS, with tokens from the authority, and usage counted here.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use cloud::{
    identity::{self, direct::Direct, endpoint::Unanswered},
    setting::Environment,
};
use reqwest::StatusCode;
use shared::identity::{Code, rpc::ErrorBody};
use tokio::sync::OnceCell;

use super::{
    Credentials, Error, Health, Outcomes, Token,
    api::Api,
    error::{Failure, printable},
    ids::Part,
    lines,
    retry::{Attempts, Retry},
    token::Current,
};

/// The customer's endpoint.
pub(super) struct Endpoint {
    direct: Direct,
    authority: String,
    credentials: Credentials,
    /// The API, which is asked for one thing alone: to initialise.
    api: Option<Api>,
    initialised: OnceCell<()>,
    retry: Retry,
    smart_token: Current,
    init_token: Current,
    reached: AtomicBool,
}

/// What the authority issues.
#[derive(Clone, Copy)]
enum Kind {
    Smart,
    Init,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("authority", &self.authority).field("credentials", &self.credentials).finish_non_exhaustive()
    }
}

impl Endpoint {
    pub(super) async fn connect(environment: &Environment, credentials: Credentials, api: Option<Api>) -> Result<Self, Error> {
        let missing = |error: &dyn std::fmt::Display| Error::Environment { cause: error.to_string() };
        let shown = identity::Credentials { client_id: credentials.client_id.clone(), secret: credentials.client_secret.clone() };
        Ok(Self {
            authority: environment.authority_url().map_err(|error| missing(&error))?,
            direct: Direct::from_env(environment, shown).await.map_err(|error| missing(&error))?,
            credentials,
            api,
            initialised: OnceCell::new(),
            retry: Retry::default(),
            smart_token: Current::default(),
            init_token: Current::default(),
            reached: AtomicBool::new(false),
        })
    }

    pub(super) fn client_id(&self) -> &str {
        &self.credentials.client_id
    }

    pub(super) async fn init(&self) -> Result<(), Error> {
        match &self.api {
            Some(api) => api.init().await,
            // Each instance gets the keys along with the first request that it has none for.
            None => Ok(()),
        }
    }

    pub(super) async fn token(&self) -> Result<Arc<Token>, Error> {
        self.smart_token.or_fetch(self.issued(Kind::Smart)).await
    }

    pub(super) async fn health(&self) -> Result<Health, Error> {
        let start = Instant::now();
        let said = self.direct.health().await.map_err(|error| Error::Denied { said: printable(&error.to_string()) })?;
        let variants = said.into_iter().map(serde_json::from_value).collect::<Result<_, _>>();
        let variants = variants.map_err(|_| Error::Nonsense("it was asked for its health and answered something else".into()))?;
        Ok(Health { variants, ahead: None, took: start.elapsed() })
    }

    pub(super) async fn translate(&self, part: Part<'_>) -> Result<Outcomes, Error> {
        let mut attempts = Attempts::new(self.retry);
        let mut refreshed = false;
        let mut init_token = None;
        loop {
            let token = self.token().await?;
            let (body, target) = lines::write(token.expose(), init_token.as_deref().map(Token::expose), part);
            let failure = match self.direct.translate(body, target).await {
                Ok(answer) => {
                    self.reached.store(true, Ordering::Relaxed);
                    let counted = answer.usage.iter().map(|(_, count)| count).sum();
                    let outcomes = lines::parse(answer.body, part, counted).map_err(Error::Nonsense)?;
                    self.direct.count(&answer.usage).await.map_err(|error| Error::NotCounted { cause: printable(&error.to_string()) })?;
                    return Ok(outcomes.with_previous(Some(answer.previous)));
                }
                Err(Unanswered::NoKeys) if init_token.is_none() => {
                    init_token = self.keys().await?;
                    continue;
                }
                Err(unanswered) => self.failure(unanswered)?,
            };
            if failure.asks_for_a_new_token() && !refreshed {
                refreshed = true;
                self.smart_token.forget(&token).await;
            } else {
                attempts.pause(failure, "the endpoint", self.reached.load(Ordering::Relaxed)).await?;
            }
        }
    }

    /// What helps against an instance without keys: once, that the API initialises, so that it keeps the credentials for every day's
    /// initialisation and for the usage report; after that, or without an API, an init token to send along.
    async fn keys(&self) -> Result<Option<Arc<Token>>, Error> {
        if let Some(api) = &self.api
            && !self.initialised.initialized()
            && self.initialised.get_or_try_init(|| api.init()).await.is_ok()
        {
            return Ok(None);
        }
        self.init_token.or_fetch(self.issued(Kind::Init)).await.map(Some)
    }

    /// A new token, from the authority.
    async fn issued(&self, kind: Kind) -> Result<Arc<Token>, Error> {
        let mut attempts = Attempts::new(self.retry);
        loop {
            let issued = match kind {
                Kind::Smart => self.direct.smart_token().await,
                Kind::Init => self.direct.init_token().await,
            };
            let failure = match issued {
                Ok(token) => return Ok(Arc::new(Token::new(token.expose().into()))),
                Err(identity::Error::Answered { status, wire }) => Failure::wire(status, &wire, self.credentials.client_secret.expose()),
                Err(identity::Error::Authority(Some(cloud::http::Error::Silent(error)))) => Failure::transport(&error),
                Err(error) => return Err(Error::Nonsense(printable(&error.to_string()))),
            };
            if failure.is(StatusCode::UNAUTHORIZED) || failure.is(StatusCode::FORBIDDEN) {
                return Err(Error::Credentials { client_id: self.credentials.client_id.clone(), said: failure.said() });
            }
            attempts.pause(failure, &self.authority, self.reached.load(Ordering::Relaxed)).await?;
        }
    }

    fn failure(&self, unanswered: Unanswered) -> Result<Failure, Error> {
        let said = printable(&unanswered.to_string());
        let status = |status, code: Code| Ok(Failure::wire(status, &ErrorBody::new(code, said.clone()), ""));
        match unanswered {
            Unanswered::NoKeys => status(503, Code::S007),
            Unanswered::TooLarge { .. } => status(413, Code::E003),
            Unanswered::Throttled => status(429, Code::E000),
            Unanswered::Refused { status, wire } => Ok(Failure::wire(status, &wire, self.credentials.client_secret.expose())),
            Unanswered::Denied(_) => Err(Error::Denied { said }),
            _ => Ok(Failure::Transport { cause: said }),
        }
    }
}

#[cfg(test)]
mod tests;
