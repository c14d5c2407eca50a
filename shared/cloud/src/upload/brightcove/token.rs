//! The bearer token: got once, kept until shortly before its end, renewed by one request while the others wait.

use std::time::{Duration, Instant};

use serde::Deserialize;
use shared::{secret::SecretText, upload::Code};
use tokio::sync::Mutex;

use super::{
    super::{Account, Error, Uploads},
    answer::{self, refusal},
};
use crate::http::{Again, Http};

/// How long before its end a token is not used any more.
const EARLY: Duration = Duration::from_secs(30);

/// The token of this process.
#[derive(Default)]
pub(super) struct Tokens(Mutex<Option<Token>>);

struct Token {
    text: SecretText,
    until: Instant,
}

impl Tokens {
    /// The token, which is got where there is none.
    pub(super) async fn token(&self, http: &Http, url: &str, uploads: &Uploads, again: Again, until: Instant) -> Result<SecretText, Error> {
        #[derive(Deserialize)]
        struct Granted {
            access_token: SecretText,
            expires_in: u64,
        }
        // Held while a token is got: whoever comes meanwhile gets the same.
        let mut kept = self.0.lock().await;
        if let Some(token) = kept.as_ref().filter(|token| Instant::now() < token.until) {
            return Ok(token.text.clone());
        }
        let account = Account::find(uploads.store(), uploads.account()).await?;
        let asked = Instant::now();
        let url = format!("{url}/access_token");
        let request = |client: &reqwest::Client| {
            let request = client.post(&url).basic_auth(&account.client_id, Some(account.client_secret.expose()));
            request.form(&[("grant_type", "client_credentials")])
        };
        let answer = http.send_until(until, again, request).await.map_err(Error::Silent)?;
        let granted: Granted = match answer.status.as_u16() {
            // It says so of a client that it does not know, and of a secret that is not the client's.
            400 | 401 => return Err(Error::Upstream { code: Code::UpstreamAuth, cause: format!("status {} of OAuth", answer.status) }),
            200..300 => answer::read(&answer)?,
            _ => return Err(refusal(&answer)),
        };
        if granted.access_token.expose().is_empty() {
            return Err(answer::invalid("an empty token"));
        }
        let life = Duration::from_secs(granted.expires_in.min(24 * 60 * 60)).saturating_sub(EARLY);
        *kept = Some(Token { text: granted.access_token.clone(), until: asked + life });
        Ok(granted.access_token)
    }

    /// Forgets a token that is not taken any more, if it is still the one that is kept.
    pub(super) async fn forget(&self, token: &SecretText) {
        self.0.lock().await.take_if(|kept| kept.text.expose() == token.expose());
    }
}
