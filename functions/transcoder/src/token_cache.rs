//! A cache of verified smart tokens: a token's signature is verified once, not with every request.

use std::sync::Arc;

use quick_cache::unsync::Cache;
use shared::{
    crypto::{jws::KeySet, sha256},
    identity::{
        Scopes,
        token::{self, RegisteredClaims, Smart},
    },
};

/// The maximum number of cached tokens.
const MAX_CACHED_TOKENS: usize = 1024;

/// A token's SHA-256 digest. The cache does not hold the tokens themselves, as they grant access.
pub(crate) type Digest = [u8; 32];

/// The claims of a verified smart token.
pub(crate) struct VerifiedToken {
    claims: RegisteredClaims,
    /// The client's directions.
    pub(crate) scopes: Scopes,
}

/// Verified tokens, all under the same key set.
///
/// The cache has no lock of its own: the transcoder's state is locked already, and a lookup needs
/// only shared access.
pub(crate) struct TokenCache {
    tokens: Cache<Digest, Arc<VerifiedToken>>,
}

/// The digest of a token's text.
pub(crate) fn digest(token: &str) -> Digest {
    sha256(token.as_bytes())
}

impl VerifiedToken {
    /// Verifies a token at `now`, in seconds since 1970.
    pub(crate) fn verify(token: &str, keys: &KeySet, issuer: &str, now: u64) -> Result<Self, token::Error> {
        let smart: Smart = token::verify(token, keys, issuer, now)?;
        Ok(Self { scopes: smart.scopes()?, claims: smart.registered })
    }

    /// The id of the client that the token was issued to.
    pub(crate) fn client_id(&self) -> &str {
        &self.claims.sub
    }
}

impl Default for TokenCache {
    fn default() -> Self {
        Self { tokens: Cache::new(MAX_CACHED_TOKENS) }
    }
}

impl TokenCache {
    /// The token with a digest, if it is cached. Its validity period is checked again.
    pub(crate) fn get(&self, digest: &Digest, now: u64) -> Result<Option<Arc<VerifiedToken>>, token::Error> {
        let Some(token) = self.tokens.get(digest) else { return Ok(None) };
        token.claims.check(now)?;
        Ok(Some(token.clone()))
    }

    /// Caches a token. A full cache drops all expired tokens, or else one that is seldom used.
    pub(crate) fn insert(&mut self, digest: Digest, token: Arc<VerifiedToken>, now: u64) {
        if self.tokens.len() >= MAX_CACHED_TOKENS {
            self.tokens.retain(|_, token| token.claims.check(now).is_ok());
        }
        self.tokens.insert(digest, token);
    }

    /// Removes all tokens: the key set that verified them has changed.
    pub(crate) fn clear(&mut self) {
        self.tokens.clear();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shared::crypto::jws::SigningKey;

    use super::*;

    #[test]
    fn a_token_is_cached_until_it_expires_and_the_cache_is_bounded() {
        let key = SigningKey::generate().unwrap();
        let keys = KeySet::from_json(&json!({"keys": [key.public()]}).to_string()).unwrap();
        let claims = json!({
            "iss": "i", "aud": "transcoder", "sub": "c", "iat": 100, "nbf": 100, "exp": 1000, "jti": "j", "scopes": [], "id_api_token": "x",
        });
        let token = Arc::new(VerifiedToken::verify(&key.sign(&claims), &keys, "i", 100).unwrap());
        let mut cache = TokenCache::default();
        cache.insert([0; 32], token.clone(), 100);
        assert_eq!(cache.get(&[0; 32], 1029).unwrap().unwrap().client_id(), "c");
        assert!(matches!(cache.get(&[0; 32], 1030), Err(token::Error::Expired)));
        assert!(matches!(cache.get(&[0; 32], 69), Err(token::Error::NotYetValid)));
        assert!(cache.get(&[1; 32], 100).unwrap().is_none());
        for number in 0..2 * MAX_CACHED_TOKENS {
            cache.insert(digest(&number.to_string()), token.clone(), 100);
        }
        assert_eq!(cache.tokens.len(), MAX_CACHED_TOKENS);
        // The expired tokens are dropped.
        cache.insert([2; 32], token, 2000);
        assert_eq!(cache.tokens.len(), 1);
    }
}
