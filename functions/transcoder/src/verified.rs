//! Smart tokens that were verified, so that a token's signature is checked once and not at each request.

use std::{collections::HashMap, sync::Arc};

use shared::{
    crypto::{jws::KeySet, sha256},
    identity::{
        Scopes,
        token::{self, Common, Smart},
    },
};

/// The most tokens that are remembered.
const MAX_TOKENS: usize = 1024;

/// A token's digest: the token itself, which opens the room, is not kept.
pub(crate) type Digest = [u8; 32];

/// What a verified token says.
pub(crate) struct Verified {
    common: Common,
    /// The client's directions.
    pub(crate) scopes: Scopes,
}

/// Verified tokens, all under the same keys.
#[derive(Default)]
pub(crate) struct Tokens {
    known: HashMap<Digest, Arc<Verified>>,
}

/// The digest of a token's text.
pub(crate) fn digest(token: &str) -> Digest {
    sha256(token.as_bytes())
}

impl Verified {
    /// Verifies a token.
    pub(crate) fn verify(token: &str, keys: &KeySet, issuer: &str, now: u64) -> Result<Self, token::Error> {
        let claims: Smart = token::verify(token, keys, issuer, now)?;
        Ok(Self { scopes: claims.scopes()?, common: claims.common })
    }

    /// Whose token it is.
    pub(crate) fn client(&self) -> &str {
        &self.common.sub
    }
}

impl Tokens {
    /// What a token says that was verified before, its time checked again.
    pub(crate) fn find(&self, digest: &Digest, now: u64) -> Result<Option<Arc<Verified>>, token::Error> {
        let Some(known) = self.known.get(digest) else { return Ok(None) };
        known.common.check(now)?;
        Ok(Some(known.clone()))
    }

    /// Remembers what a token says until it expires, or until there are too many.
    pub(crate) fn keep(&mut self, digest: Digest, verified: Arc<Verified>, now: u64) {
        if self.known.len() >= MAX_TOKENS {
            self.known.retain(|_, known| known.common.check(now).is_ok());
        }
        if self.known.len() >= MAX_TOKENS
            && let Some(first) = self.known.iter().min_by_key(|(_, known)| known.common.exp).map(|(digest, _)| *digest)
        {
            self.known.remove(&first);
        }
        self.known.insert(digest, verified);
    }

    /// Forgets them all: the keys that verified them may have gone.
    pub(crate) fn clear(&mut self) {
        self.known.clear();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shared::crypto::jws::SigningKey;

    use super::*;

    #[test]
    fn a_token_is_remembered_until_its_end_and_never_too_many() {
        let key = SigningKey::generate().unwrap();
        let keys = KeySet::from_json(&json!({"keys": [key.public()]}).to_string()).unwrap();
        let claims = json!({
            "iss": "i", "aud": "transcoder", "sub": "c", "iat": 100, "nbf": 100, "exp": 1000, "jti": "j", "scopes": [], "id_api_token": "x",
        });
        let verified = Arc::new(Verified::verify(&key.sign(&claims), &keys, "i", 100).unwrap());
        let mut tokens = Tokens::default();
        tokens.keep([0; 32], verified.clone(), 100);
        assert_eq!(tokens.find(&[0; 32], 1029).unwrap().unwrap().client(), "c");
        assert!(matches!(tokens.find(&[0; 32], 1030), Err(token::Error::Expired)));
        assert!(matches!(tokens.find(&[0; 32], 69), Err(token::Error::NotYet)));
        assert!(tokens.find(&[1; 32], 100).unwrap().is_none());
        for number in 0..2 * MAX_TOKENS {
            tokens.keep(digest(&number.to_string()), verified.clone(), 100);
        }
        assert_eq!(tokens.known.len(), MAX_TOKENS);
        // Expired ones make room.
        tokens.keep([2; 32], verified, 2000);
        assert_eq!(tokens.known.len(), 1);
    }
}
