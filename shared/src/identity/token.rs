//! The tokens: the smart token authorises a client's requests, the init token carries keys to a
//! transcoder, and the ID-API token authorises calls of the authority.

use jsonwebtoken::jwk::JwkSet;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{code::Code, scope::Scopes};
use crate::crypto::jws::{self, KeySet, SigningKey};

/// Lifetime of a smart token, in seconds.
pub const SMART_TOKEN_TTL_SECONDS: u64 = 15 * 60;
/// Maximum lifetime of an init token, in seconds.
pub const INIT_TOKEN_TTL_SECONDS: u64 = 24 * 60 * 60;
/// Lifetime of an ID-API token, in seconds.
pub const ACCESS_TOKEN_TTL_SECONDS: u64 = 15 * 60;
/// Maximum difference of two clocks, in seconds.
pub const CLOCK_LEEWAY_SECONDS: u64 = 30;
/// The message for an expired token. Clients refresh the token when they receive it.
pub const REFRESH_REQUIRED: &str = "Refresh Required";

/// The registered claims (RFC 7519, section 4.1). Every token carries them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RegisteredClaims {
    /// The issuer.
    pub iss: String,
    /// The audience: [`Claims::AUDIENCE`].
    pub aud: String,
    /// The subject: the client's id.
    pub sub: String,
    /// The time of issue, in seconds since 1970.
    pub iat: u64,
    /// The start of validity, in seconds since 1970.
    pub nbf: u64,
    /// The end of validity, in seconds since 1970.
    pub exp: u64,
    /// The token's id.
    pub jti: String,
}

impl RegisteredClaims {
    /// Checks that the token is valid at `now`, in seconds since 1970.
    pub const fn check(&self, now: u64) -> Result<(), Error> {
        if now.saturating_add(CLOCK_LEEWAY_SECONDS) < self.nbf {
            return Err(Error::NotYetValid);
        }
        if now >= self.exp.saturating_add(CLOCK_LEEWAY_SECONDS) {
            return Err(Error::Expired);
        }
        Ok(())
    }
}

/// The claims of one type of token.
pub trait Claims: Serialize + DeserializeOwned {
    /// The `aud` of tokens of this type.
    const AUDIENCE: &str;

    /// The registered claims.
    fn registered(&self) -> &RegisteredClaims;
}

/// The claims of a smart token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Smart {
    /// The registered claims.
    #[serde(flatten)]
    pub registered: RegisteredClaims,
    /// The client's scopes, not parsed. See [`Smart::scopes`].
    pub scopes: Value,
    /// The ID-API token, encrypted to the authority: the other claims are readable by any holder.
    pub id_api_token: String,
}

/// The claims of an init token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Init {
    /// The registered claims.
    #[serde(flatten)]
    pub registered: RegisteredClaims,
    /// The client's scopes, not parsed. See [`Init::scopes`].
    pub scopes: Value,
    /// The smart token issued with it.
    pub smart_token: String,
    /// The domain keys, sealed to the client's transcoder (a key packet).
    pub key_packet: String,
    /// The id of the key packet.
    pub packet_id: String,
    /// The authority's verification keys: the current one and the next.
    pub jwks: JwkSet,
}

/// The claims of an ID-API token, the access token of `POST /token`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Access {
    /// The registered claims.
    #[serde(flatten)]
    pub registered: RegisteredClaims,
    /// Whether the client is the authority itself. Only the authority may read keys.
    #[serde(default)]
    pub authority: bool,
}

macro_rules! audience {
    ($($claims:ty = $audience:literal),*) => {$(
        impl Claims for $claims {
            const AUDIENCE: &str = $audience;

            fn registered(&self) -> &RegisteredClaims {
                &self.registered
            }
        }
    )*};
}

audience!(Smart = "transcoder", Init = "transcoder-init", Access = "id-api");

impl Smart {
    /// Parses the client's scopes.
    pub fn scopes(&self) -> Result<Scopes, Error> {
        scopes(&self.scopes)
    }
}

impl Init {
    /// Parses the client's scopes.
    pub fn scopes(&self) -> Result<Scopes, Error> {
        scopes(&self.scopes)
    }
}

fn scopes(claim: &Value) -> Result<Scopes, Error> {
    Scopes::deserialize(claim).map_err(|_| Error::Scopes)
}

/// Why a token is refused. Responses carry the code only; the log has the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// See [`jws::Error`].
    #[error(transparent)]
    Signature(#[from] jws::Error),
    /// The end of validity has passed.
    #[error("the token has expired")]
    Expired,
    /// The start of validity is in the future.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// The scopes cannot be parsed.
    #[error("the token's scopes cannot be parsed")]
    Scopes,
}

impl Error {
    /// The documented code.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Signature(jws::Error::Malformed) => Code::E005,
            Self::Signature(jws::Error::Audience) => Code::S001,
            Self::Signature(_) | Self::Expired | Self::NotYetValid => Code::S012,
            Self::Scopes => Code::S011,
        }
    }

    /// The sentence for the client.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Expired => REFRESH_REQUIRED,
            _ => self.code().message(),
        }
    }
}

/// Signs claims.
#[must_use]
pub fn sign(claims: &impl Claims, key: &SigningKey) -> String {
    key.sign(claims)
}

/// Verifies a token of one type at `now`, in seconds since 1970.
pub fn verify<C: Claims>(token: &str, keys: &KeySet, issuer: &str, now: u64) -> Result<C, Error> {
    let claims: C = keys.verify(token, issuer, C::AUDIENCE)?;
    claims.registered().check(now)?;
    Ok(claims)
}
