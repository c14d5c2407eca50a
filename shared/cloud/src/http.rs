//! The one outbound client: TLS, time-outs, retries.

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use reqwest::{Client, RequestBuilder, StatusCode};

/// How often a call is made at most.
const ATTEMPTS: u32 = 3;

/// Answers longer than this, in bytes, are not ours.
const MAX_ANSWER: usize = 4 << 20;

/// The outbound client. It is made when it is first needed: reading the roots of trust costs a cold start several milliseconds.
#[derive(Debug, Default)]
pub struct Http(OnceLock<Client>);

/// Why a call brought no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing came back.
    #[error("no answer")]
    Silent(#[from] reqwest::Error),
    /// Too much came back.
    #[error("an answer of more than {MAX_ANSWER} bytes")]
    Endless,
    /// Nothing came back while whoever asked could wait.
    #[error("no answer in time")]
    Late,
}

/// When a call may be made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// Whenever it failed: making it twice is as making it once.
    Always,
    /// Only where it was surely not taken: nobody was reached, or there were too many calls.
    Untaken,
    /// Not now: whoever makes it comes again.
    Never,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The body.
    pub body: Vec<u8>,
}

impl Http {
    /// The client, for building a request.
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

    /// Makes a call that may safely be repeated, and repeats it when nothing came back, or a 5xx.
    pub async fn send(&self, request: impl Fn(&Client) -> RequestBuilder) -> Result<Answer, Error> {
        let again = |outcome: &Result<Answer, Error>| match outcome {
            Ok(answer) => answer.status.is_server_error(),
            Err(error) => matches!(error, Error::Silent(_)),
        };
        self.repeat(ATTEMPTS, None, again, request).await
    }

    /// Makes a call to a service that has limits, and repeats it up to three times, but not beyond `until`.
    pub async fn send_until(&self, until: Instant, again: Again, request: impl Fn(&Client) -> RequestBuilder) -> Result<Answer, Error> {
        let again = |outcome: &Result<Answer, Error>| match outcome {
            _ if again == Again::Never => false,
            Ok(answer) if answer.status == StatusCode::TOO_MANY_REQUESTS => true,
            Ok(answer) => again == Again::Always && answer.status.is_server_error(),
            Err(Error::Silent(error)) => again == Again::Always || error.is_connect(),
            Err(_) => false,
        };
        self.repeat(ATTEMPTS + 1, Some(until), again, request).await
    }

    async fn repeat(
        &self,
        attempts: u32,
        until: Option<Instant>,
        again: impl Fn(&Result<Answer, Error>) -> bool,
        request: impl Fn(&Client) -> RequestBuilder,
    ) -> Result<Answer, Error> {
        let mut attempt = 1;
        loop {
            let call = once(request(self.client()));
            let outcome = match until {
                Some(until) => tokio::time::timeout_at(until.into(), call).await.unwrap_or(Err(Error::Late)),
                None => call.await,
            };
            let pause = Duration::from_millis(100 << attempt);
            let late = until.is_some_and(|until| Instant::now() + pause >= until);
            if attempt == attempts || late || !again(&outcome) {
                return outcome;
            }
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }
}

async fn once(request: RequestBuilder) -> Result<Answer, Error> {
    let mut response = request.send().await.map_err(reqwest::Error::without_url)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(Error::Endless);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status: response.status(), body })
}
