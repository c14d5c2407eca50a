//! The one outbound client: TLS, time-outs, retries.

use std::{sync::OnceLock, time::Duration};

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
        let mut attempt = 1;
        loop {
            let outcome = once(request(self.client())).await;
            let again = match &outcome {
                Ok(answer) => answer.status.is_server_error(),
                Err(error) => matches!(error, Error::Silent(_)),
            };
            if !again || attempt == ATTEMPTS {
                return outcome;
            }
            tokio::time::sleep(Duration::from_millis(100 << attempt)).await;
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
