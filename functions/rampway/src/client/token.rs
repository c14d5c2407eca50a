//! The smart token as its holder sees it: opaque, except for its end.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use shared::{encoding::from_base64url, secret::SecretText};

/// A token this close to its end is replaced, so that it does not expire on its way.
const MARGIN: Duration = Duration::from_mins(1);

/// A smart token.
#[derive(Debug)]
pub struct SmartToken {
    text: SecretText,
    expires: Option<u64>,
}

impl SmartToken {
    pub(super) fn new(text: String) -> Self {
        let expires = expiry(&text);
        Self { text: SecretText::new(text), expires }
    }

    /// Shows the token. Each call is a place to audit.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// Whether it will still be valid in a minute. A token that does not say is used until the server refuses it.
    pub(super) fn is_fresh(&self) -> bool {
        // A clock before 1970 finds every token fresh: then too the server says when to refresh.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.expires.is_none_or(|expires| Duration::from_secs(expires) > now + MARGIN)
    }
}

/// Reads `exp` of a JWT. Its signature is the server's to verify: a wrong time costs its sender a refresh at most.
fn expiry(text: &str) -> Option<u64> {
    #[derive(Deserialize)]
    struct Claims {
        exp: u64,
    }
    let payload = from_base64url(text.split('.').nth(1)?)?;
    Some(serde_json::from_slice::<Claims>(&payload).ok()?.exp)
}

#[cfg(test)]
pub(super) mod tests {
    use shared::encoding::base64url;

    use super::*;

    /// A token that expires in `seconds`; no signature, as no client looks at it.
    pub(in crate::client) fn token(seconds: i64) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let claims = format!(r#"{{"exp":{}}}"#, now.saturating_add_signed(seconds));
        format!("e30.{}.", base64url(claims.as_bytes()))
    }

    #[test]
    fn a_token_is_replaced_a_minute_before_its_end() {
        assert!(SmartToken::new(token(65)).is_fresh());
        assert!(!SmartToken::new(token(55)).is_fresh());
        assert!(!SmartToken::new(token(-55)).is_fresh());
    }

    #[test]
    fn a_token_of_another_form_is_used_until_it_is_refused() {
        assert!(SmartToken::new("opaque".into()).is_fresh());
        assert!(SmartToken::new("a.b.c".into()).is_fresh());
    }

    #[test]
    fn a_token_does_not_show_itself() {
        assert_eq!(format!("{:?}", SmartToken::new("opaque".into())), "SmartToken { text: SecretText, expires: None }");
    }
}
