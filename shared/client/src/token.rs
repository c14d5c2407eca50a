//! Tokens as a client sees them: opaque, except for their unverified claims.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, de::DeserializeOwned};
use shared::{encoding::from_base64url, secret::SecretText};
use tokio::sync::Mutex;

use crate::error::Error;

/// A token is replaced this long before it expires, so that it does not expire in flight.
const REFRESH_BEFORE_EXPIRY: Duration = Duration::from_mins(1);

/// A token.
#[derive(Debug)]
pub struct Token {
    text: SecretText,
    /// The claim `exp`, in seconds since 1970.
    expires: Option<u64>,
}

impl Token {
    pub(crate) fn new(text: String) -> Self {
        #[derive(Deserialize)]
        struct Claims {
            exp: u64,
        }
        let expires = claims(&text).map(|Claims { exp }| exp);
        Self { text: SecretText::new(text), expires }
    }

    /// Returns the token's text. Each call is a place to audit.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// Returns the token's claims without verifying its signature, which is the server's part: a
    /// client that trusts a forged token misleads only itself.
    #[must_use]
    pub fn claims<C: DeserializeOwned>(&self) -> Option<C> {
        claims(self.text.expose())
    }

    /// Whether the token is valid for another minute. A token without an expiry is used until the
    /// server refuses it.
    pub(crate) fn is_fresh(&self) -> bool {
        // With a clock before 1970 every token is fresh: the server then says when to refresh.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.expires.is_none_or(|expires| Duration::from_secs(expires) > now + REFRESH_BEFORE_EXPIRY)
    }
}

/// Reads the payload of a JWT.
fn claims<C: DeserializeOwned>(text: &str) -> Option<C> {
    let payload = from_base64url(text.split('.').nth(1)?)?;
    serde_json::from_slice(&payload).ok()
}

/// The current token of one kind.
#[derive(Debug, Default)]
pub(crate) struct TokenCache(Mutex<Option<Arc<Token>>>);

impl TokenCache {
    /// Returns the cached token if it is valid for another minute, otherwise the one that `fetch`
    /// returns.
    pub(crate) async fn get_or_fetch(&self, fetch: impl Future<Output = Result<Arc<Token>, Error>>) -> Result<Arc<Token>, Error> {
        // The lock is held during the fetch: concurrent requests share one new token.
        let mut cached = self.0.lock().await;
        if let Some(token) = cached.as_ref().filter(|token| token.is_fresh()) {
            return Ok(token.clone());
        }
        let token = fetch.await?;
        Ok(cached.insert(token).clone())
    }

    pub(crate) async fn replace(&self, token: Arc<Token>) {
        *self.0.lock().await = Some(token);
    }

    /// Removes a token that the server refused, unless another request has already replaced it.
    pub(crate) async fn invalidate(&self, token: &Arc<Token>) {
        let mut cached = self.0.lock().await;
        if cached.as_ref().is_some_and(|cached| Arc::ptr_eq(cached, token)) {
            *cached = None;
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use shared::encoding::base64url;

    use super::*;

    /// Returns an unsigned token that expires in `seconds`. Clients do not verify signatures.
    pub(crate) fn token(seconds: i64) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let claims = format!(r#"{{"exp":{}}}"#, now.saturating_add_signed(seconds));
        format!("e30.{}.", base64url(claims.as_bytes()))
    }

    #[test]
    fn a_token_is_replaced_a_minute_before_it_expires() {
        assert!(Token::new(token(65)).is_fresh());
        assert!(!Token::new(token(55)).is_fresh());
        assert!(!Token::new(token(-55)).is_fresh());
    }

    #[test]
    fn a_token_without_an_expiry_is_used_until_it_is_refused() {
        assert!(Token::new("opaque".into()).is_fresh());
        assert!(Token::new("a.b.c".into()).is_fresh());
    }

    #[test]
    fn debug_does_not_show_the_token() {
        assert_eq!(format!("{:?}", Token::new("opaque".into())), "Token { text: SecretText, expires: None }");
    }
}
