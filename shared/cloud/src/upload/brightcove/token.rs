//! The bearer token, cached until shortly before it expires. One request renews it while others
//! wait.

use std::time::{Duration, Instant};

use serde::Deserialize;
use shared::{secret::SecretText, upload::Code};
use tokio::sync::Mutex;

use super::{
    super::{account::Account, error::Error, uploads::Uploads},
    response::{error_response, invalid_response, parse},
};
use crate::{
    clock::SECONDS_PER_DAY,
    http::{HttpClient, Retry},
};

/// A token is renewed so long before it expires.
const RENEW_BEFORE: Duration = Duration::from_secs(30);

/// The token of this process.
#[derive(Default)]
pub(super) struct TokenCache(Mutex<Option<Token>>);

struct Token {
    text: SecretText,
    expires: Instant,
}

impl TokenCache {
    /// The cached token, or a new one from the OAuth API at `url`.
    pub(super) async fn token(
        &self,
        http: &HttpClient,
        url: &str,
        uploads: &Uploads,
        retry: Retry,
        deadline: Instant,
    ) -> Result<SecretText, Error> {
        #[derive(Deserialize)]
        struct Granted {
            access_token: SecretText,
            expires_in: u64,
        }
        // Locked during the request, so that concurrent callers get the same token.
        let mut cached = self.0.lock().await;
        if let Some(token) = cached.as_ref().filter(|token| Instant::now() < token.expires) {
            return Ok(token.text.clone());
        }
        let account = Account::find(uploads.store(), uploads.account()).await?;
        let requested = Instant::now();
        let url = format!("{url}/access_token");
        let request = |client: &reqwest::Client| {
            let request = client.post(&url).basic_auth(&account.client_id, Some(account.client_secret.expose()));
            request.form(&[("grant_type", "client_credentials")])
        };
        let response = http.send_before(deadline, retry, request).await.map_err(Error::NoResponse)?;
        let granted: Granted = match response.status.as_u16() {
            // 400 is the status for an unknown client, 401 for a wrong secret.
            400 | 401 => return Err(Error::Upstream { code: Code::UpstreamAuth, cause: format!("status {} of OAuth", response.status) }),
            200..300 => parse(&response)?,
            _ => return Err(error_response(&response)),
        };
        if granted.access_token.expose().is_empty() {
            return Err(invalid_response("an empty token"));
        }
        let lifetime = Duration::from_secs(granted.expires_in.min(SECONDS_PER_DAY)).saturating_sub(RENEW_BEFORE);
        *cached = Some(Token { text: granted.access_token.clone(), expires: requested + lifetime });
        Ok(granted.access_token)
    }

    /// Removes a token that Brightcove no longer accepts, unless it was renewed already.
    pub(super) async fn invalidate(&self, token: &SecretText) {
        self.0.lock().await.take_if(|cached| cached.text.expose() == token.expose());
    }
}
