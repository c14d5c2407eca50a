//! The one outbound HTTP client: TLS, timeouts, retries.

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use reqwest::{Client, RequestBuilder, StatusCode};

/// The maximum number of attempts of [`HttpClient::send`].
const MAX_ATTEMPTS: u32 = 3;

/// The maximum size of a response body, in bytes.
const MAX_BODY_BYTES: usize = 4 << 20;

/// The outbound client. It is built on first use: reading the root certificates costs a cold start
/// several milliseconds.
#[derive(Debug, Default)]
pub struct HttpClient(OnceLock<Client>);

/// Why a request got no response.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request was not sent, or the response was not received.
    #[error("no response")]
    Transport(#[from] reqwest::Error),
    /// The response body is too large.
    #[error("a response body of more than {MAX_BODY_BYTES} bytes")]
    BodyTooLarge,
    /// The deadline passed.
    #[error("no response before the deadline")]
    TimedOut,
}

/// When a request may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// After any failure, because the request is idempotent.
    Idempotent,
    /// Only if the service surely did not accept it: no connection was made, or it answered 429.
    IfNotSent,
    /// Never: the caller tries again later.
    Never,
}

/// A response.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The body.
    pub body: Vec<u8>,
}

impl HttpClient {
    /// The client, to build requests with.
    pub fn client(&self) -> &Client {
        self.0.get_or_init(|| {
            let built = Client::builder()
                .user_agent(concat!("rampway/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(Duration::from_secs(3))
                .timeout(Duration::from_secs(8))
                .redirect(reqwest::redirect::Policy::none())
                .build();
            built.expect("a client of constants can be built")
        })
    }

    /// Sends an idempotent request, and again after a transport error or a 5xx.
    pub async fn send(&self, request: impl Fn(&Client) -> RequestBuilder) -> Result<Response, Error> {
        let is_retryable = |outcome: &Result<Response, Error>| match outcome {
            Ok(response) => response.status.is_server_error(),
            Err(error) => matches!(error, Error::Transport(_)),
        };
        self.send_with_retries(MAX_ATTEMPTS, None, is_retryable, request).await
    }

    /// Sends a request to a rate-limited service, and again up to three times before `deadline`.
    pub async fn send_before(
        &self,
        deadline: Instant,
        retry: Retry,
        request: impl Fn(&Client) -> RequestBuilder,
    ) -> Result<Response, Error> {
        let is_retryable = |outcome: &Result<Response, Error>| match outcome {
            _ if retry == Retry::Never => false,
            Ok(response) if response.status == StatusCode::TOO_MANY_REQUESTS => true,
            Ok(response) => retry == Retry::Idempotent && response.status.is_server_error(),
            Err(Error::Transport(error)) => retry == Retry::Idempotent || error.is_connect(),
            Err(_) => false,
        };
        self.send_with_retries(MAX_ATTEMPTS + 1, Some(deadline), is_retryable, request).await
    }

    async fn send_with_retries(
        &self,
        max_attempts: u32,
        deadline: Option<Instant>,
        is_retryable: impl Fn(&Result<Response, Error>) -> bool,
        request: impl Fn(&Client) -> RequestBuilder,
    ) -> Result<Response, Error> {
        let mut attempt = 1;
        loop {
            let call = send_once(request(self.client()));
            let outcome = match deadline {
                Some(deadline) => tokio::time::timeout_at(deadline.into(), call).await.unwrap_or(Err(Error::TimedOut)),
                None => call.await,
            };
            let delay = Duration::from_millis(100 << attempt);
            let is_late = deadline.is_some_and(|deadline| Instant::now() + delay >= deadline);
            if attempt == max_attempts || is_late || !is_retryable(&outcome) {
                return outcome;
            }
            tokio::time::sleep(delay).await;
            attempt += 1;
        }
    }
}

async fn send_once(request: RequestBuilder) -> Result<Response, Error> {
    let mut response = request.send().await.map_err(reqwest::Error::without_url)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
        if body.len() + chunk.len() > MAX_BODY_BYTES {
            return Err(Error::BodyTooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Response { status: response.status(), body })
}
