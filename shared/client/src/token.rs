//! A token as its holder sees it: opaque, except for what it says of itself to whoever reads it.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, de::DeserializeOwned};
use shared::{encoding::from_base64url, secret::SecretText};
use tokio::sync::Mutex;

use super::Error;

/// A token this close to its end is replaced, so that it does not expire on its way.
const MARGIN: Duration = Duration::from_mins(1);

/// A token.
#[derive(Debug)]
pub struct Token {
    text: SecretText,
    expires: Option<u64>,
}

impl Token {
    pub(super) fn new(text: String) -> Self {
        #[derive(Deserialize)]
        struct Claims {
            exp: u64,
        }
        let expires = claims(&text).map(|Claims { exp }| exp);
        Self { text: SecretText::new(text), expires }
    }

    /// Shows the token. Each call is a place to audit.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// What it says of itself. Its signature is the server's to verify: whoever believes a forged one only misleads himself.
    #[must_use]
    pub fn claims<C: DeserializeOwned>(&self) -> Option<C> {
        claims(self.text.expose())
    }

    /// Whether it will still be valid in a minute. A token that does not say is used until the server refuses it.
    pub(super) fn is_fresh(&self) -> bool {
        // A clock before 1970 finds every token fresh: then too the server says when to refresh.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.expires.is_none_or(|expires| Duration::from_secs(expires) > now + MARGIN)
    }
}

/// Reads the payload of a JWT.
fn claims<C: DeserializeOwned>(text: &str) -> Option<C> {
    let payload = from_base64url(text.split('.').nth(1)?)?;
    serde_json::from_slice(&payload).ok()
}

/// The current token of one kind.
#[derive(Debug, Default)]
pub(super) struct Current(Mutex<Option<Arc<Token>>>);

impl Current {
    /// The last token while it is valid for another minute, otherwise a new one.
    pub(super) async fn or_fetch(&self, fetch: impl Future<Output = Result<Arc<Token>, Error>>) -> Result<Arc<Token>, Error> {
        // The lock is held while fetching, so that requests that meet here fetch one token together.
        let mut held = self.0.lock().await;
        if let Some(token) = held.as_ref().filter(|token| token.is_fresh()) {
            return Ok(token.clone());
        }
        let token = fetch.await?;
        Ok(held.insert(token).clone())
    }

    pub(super) async fn replace(&self, token: Arc<Token>) {
        *self.0.lock().await = Some(token);
    }

    /// Drops a token that the server no longer takes, unless another request has already replaced it.
    pub(super) async fn forget(&self, token: &Arc<Token>) {
        let mut held = self.0.lock().await;
        if held.as_ref().is_some_and(|held| Arc::ptr_eq(held, token)) {
            *held = None;
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use shared::encoding::base64url;

    use super::*;

    /// A token that expires in `seconds`; no signature, as no client looks at it.
    pub(crate) fn token(seconds: i64) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let claims = format!(r#"{{"exp":{}}}"#, now.saturating_add_signed(seconds));
        format!("e30.{}.", base64url(claims.as_bytes()))
    }

    #[test]
    fn a_token_is_replaced_a_minute_before_its_end() {
        assert!(Token::new(token(65)).is_fresh());
        assert!(!Token::new(token(55)).is_fresh());
        assert!(!Token::new(token(-55)).is_fresh());
    }

    #[test]
    fn a_token_of_another_form_is_used_until_it_is_refused() {
        assert!(Token::new("opaque".into()).is_fresh());
        assert!(Token::new("a.b.c".into()).is_fresh());
    }

    #[test]
    fn a_token_does_not_show_itself() {
        assert_eq!(format!("{:?}", Token::new("opaque".into())), "Token { text: SecretText, expires: None }");
    }
}
