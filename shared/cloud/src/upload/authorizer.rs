//! The authorizer of `POST /upload`: a caller needs a token, in a cookie or in the path, unless the
//! settings allow every caller.

use std::collections::BTreeMap;

use lambda_http::http::header::COOKIE;
use serde::Deserialize;
use shared::crypto::jws::{self, KeySet};

use super::{
    caller::{OPEN, TOKEN},
    error::Error,
    setting::CallerPolicy,
};
use crate::{
    clock::{SECONDS_PER_DAY, now},
    gateway::{AuthorizerDecision, Request},
    setting::{self, Environment},
};

/// The `aud` of tokens.
const AUDIENCE: &str = "rampway-upload";
/// The name of the cookie.
const COOKIE_NAME: &str = "rampway_upload";
/// A token may expire at most so many seconds from now.
const MAX_TOKEN_LIFETIME: u64 = SECONDS_PER_DAY;
/// The tolerated difference between two clocks, in seconds.
const CLOCK_TOLERANCE: u64 = 30;

/// The authorizer.
pub struct Authorizer(Policy);

enum Policy {
    Token(KeySet),
    Open,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: u64,
    nbf: Option<u64>,
    max_bytes: Option<u64>,
    types: Option<Vec<String>>,
    uploads_per_hour: Option<u64>,
}

impl Authorizer {
    /// Reads the policy and the keys.
    pub fn from_env(environment: &Environment) -> Result<Self, Error> {
        Ok(Self(match environment.upload_callers()? {
            CallerPolicy::Open => Policy::Open,
            CallerPolicy::Token => Policy::Token(keys(environment)?),
        }))
    }

    /// Decides on a request.
    #[must_use]
    pub fn request(&self, request: &Request) -> AuthorizerDecision {
        self.request_at(request, now())
    }

    /// Decides on a request at `now`, in seconds since 1970.
    #[must_use]
    pub fn request_at(&self, request: &Request, now: u64) -> AuthorizerDecision {
        let keys = match &self.0 {
            Policy::Open => {
                let context = BTreeMap::from([("mode", OPEN.to_owned())]);
                return AuthorizerDecision::Allow { principal: request.source_ip.clone(), context };
            }
            Policy::Token(keys) => keys,
        };
        let Some(token) = token(request) else { return AuthorizerDecision::Unauthorized };
        let claims: Claims = match keys.verify_any_issuer(token, AUDIENCE) {
            Ok(claims) => claims,
            // A genuine token that was issued for another service.
            Err(jws::Error::Audience) => return AuthorizerDecision::Deny { principal: "another audience's".into() },
            Err(error) => {
                tracing::info!("a token was refused: {error}");
                return AuthorizerDecision::Unauthorized;
            }
        };
        if !claims.are_valid(now) {
            return AuthorizerDecision::Unauthorized;
        }
        AuthorizerDecision::Allow { context: claims.context(), principal: claims.sub }
    }
}

impl Claims {
    fn are_valid(&self, now: u64) -> bool {
        let has_begun = self.nbf.is_none_or(|from| now + CLOCK_TOLERANCE >= from);
        let has_expired = now >= self.exp.saturating_add(CLOCK_TOLERANCE);
        let is_too_long = self.exp > now + MAX_TOKEN_LIFETIME + CLOCK_TOLERANCE;
        // The context carries them as one string, separated by commas.
        let types = self.types.iter().flatten().all(|kind| !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        has_begun && !has_expired && !is_too_long && types && !self.sub.is_empty()
    }

    fn context(&self) -> BTreeMap<&'static str, String> {
        let mut context = BTreeMap::from([("mode", TOKEN.to_owned())]);
        context.extend(self.max_bytes.map(|bytes| ("max_bytes", bytes.to_string())));
        context.extend(self.uploads_per_hour.map(|count| ("uploads_per_hour", count.to_string())));
        context.extend(self.types.as_ref().map(|types| ("types", types.join(","))));
        context
    }
}

fn keys(environment: &Environment) -> Result<KeySet, setting::Error> {
    let invalid =
        |_| setting::Error::Invalid { name: "UPLOAD_CALLER_KEYS", reason: "it must be a JWKS of RSA, P-256 or Ed25519 public keys" };
    KeySet::from_json(&environment.upload_caller_keys()?).map_err(invalid)
}

/// The token in the path, or else in the cookie.
fn token(request: &Request) -> Option<&str> {
    let in_path = Some(request.parameter("caller")).filter(|token| !token.is_empty());
    let cookies = request.headers.get_all(COOKIE).into_iter().filter_map(|cookies| cookies.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    in_path.or_else(|| pairs.find(|(name, _)| *name == COOKIE_NAME).map(|(_, token)| token))
}
