//! The two tokens: the smart token that a client shows with each request, and the init token that brings keys to a transcoder.

use jsonwebtoken::jwk::JwkSet;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Code, Scopes};
use crate::crypto::jws::{self, KeySet, SigningKey};

/// A smart token's life, in seconds.
pub const SMART_TOKEN_TTL_SECONDS: u64 = 15 * 60;
/// An init token's longest life, in seconds.
pub const INIT_TOKEN_TTL_SECONDS: u64 = 24 * 60 * 60;
/// An ID-API token's life, in seconds.
pub const ACCESS_TOKEN_TTL_SECONDS: u64 = 15 * 60;
/// How far two clocks may be apart, in seconds.
pub const CLOCK_LEEWAY_SECONDS: u64 = 30;
/// What an expired token is answered with, so that clients know to refresh.
pub const REFRESH_REQUIRED: &str = "Refresh Required";

/// The claims that every token carries.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RegisteredClaims {
    /// Who issued it.
    pub iss: String,
    /// What it is for: [`Claims::AUDIENCE`].
    pub aud: String,
    /// The client's id.
    pub sub: String,
    /// When it was issued, in seconds since 1970.
    pub iat: u64,
    /// From when it is valid.
    pub nbf: u64,
    /// Until when it is valid.
    pub exp: u64,
    /// Its name.
    pub jti: String,
}

impl RegisteredClaims {
    /// Whether it is valid at `now`, in seconds since 1970.
    pub const fn check(&self, now: u64) -> Result<(), Error> {
        if now.saturating_add(CLOCK_LEEWAY_SECONDS) < self.nbf {
            return Err(Error::NotYet);
        }
        if now >= self.exp.saturating_add(CLOCK_LEEWAY_SECONDS) {
            return Err(Error::Expired);
        }
        Ok(())
    }
}

/// A kind of token.
pub trait Claims: Serialize + DeserializeOwned {
    /// What tokens of this kind are for: their `aud`.
    const AUDIENCE: &str;

    /// The claims that every token carries.
    fn registered(&self) -> &RegisteredClaims;
}

/// The claims of a smart token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Smart {
    /// The claims that every token carries.
    #[serde(flatten)]
    pub registered: RegisteredClaims,
    /// The client's directions, not yet read: [`Smart::scopes`].
    pub scopes: Value,
    /// The ID-API token, encrypted to the authority: whoever holds a smart token can read the rest.
    pub id_api_token: String,
}

/// The claims of an init token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Init {
    /// The claims that every token carries.
    #[serde(flatten)]
    pub registered: RegisteredClaims,
    /// The client's directions, not yet read: [`Init::scopes`].
    pub scopes: Value,
    /// The smart token issued with it.
    pub smart_token: String,
    /// The domain keys, sealed to the client's transcoder ([`super::packet`]).
    pub key_packet: String,
    /// The key packet's name.
    pub packet_id: String,
    /// The authority's verification keys, current and next.
    pub jwks: JwkSet,
}

/// The claims of an ID-API token, the access token of `POST /token`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Access {
    /// The claims that every token carries.
    #[serde(flatten)]
    pub registered: RegisteredClaims,
    /// Whether it is of the authority's own scope, which alone sees keys.
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
    /// The client's directions.
    pub fn scopes(&self) -> Result<Scopes, Error> {
        scopes(&self.scopes)
    }
}

impl Init {
    /// The client's directions.
    pub fn scopes(&self) -> Result<Scopes, Error> {
        scopes(&self.scopes)
    }
}

fn scopes(claim: &Value) -> Result<Scopes, Error> {
    Scopes::deserialize(claim).map_err(|_| Error::Scopes)
}

/// Why a token was refused. The answer says the code; the log says which of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// See [`jws::Error`].
    #[error(transparent)]
    Signature(#[from] jws::Error),
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Its time has not come.
    #[error("the token is not valid yet")]
    NotYet,
    /// Its claims of access are not readable.
    #[error("the token's scopes are not readable")]
    Scopes,
}

impl Error {
    /// The documented code.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Signature(jws::Error::Malformed) => Code::E005,
            Self::Signature(jws::Error::Audience) => Code::S001,
            Self::Signature(_) | Self::Expired | Self::NotYet => Code::S012,
            Self::Scopes => Code::S011,
        }
    }

    /// The sentence for the caller.
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

/// Verifies a token of one kind at `now`, in seconds since 1970.
pub fn verify<C: Claims>(token: &str, keys: &KeySet, issuer: &str, now: u64) -> Result<C, Error> {
    let claims: C = keys.verify(token, issuer, C::AUDIENCE)?;
    claims.registered().check(now)?;
    Ok(claims)
}
