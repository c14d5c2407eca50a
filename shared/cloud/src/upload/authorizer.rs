//! Who may begin an upload: whoever shows a token, as a cookie of the same origin or in the path, or everybody where that is said.

use std::collections::BTreeMap;

use lambda_http::http::header::COOKIE;
use serde::Deserialize;
use shared::crypto::jws::{self, KeySet};

use super::{
    Error,
    caller::{OPEN, TOKEN},
};
use crate::{
    gateway::{Permission, Request},
    setting::{self, Environment, UploadCallers, now},
    vault,
};

/// What tokens are for: their `aud`.
const AUDIENCE: &str = "rampway-upload";
/// The cookie's name.
const NAME: &str = "rampway_upload";
/// A token's longest life, in seconds.
const LIFE: u64 = 24 * 60 * 60;
/// How far two clocks may be apart, in seconds.
const LEEWAY: u64 = 30;

/// Who lets callers pass.
pub struct Authorizer(Callers);

enum Callers {
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
    /// Reads who may pass.
    pub fn from_env(environment: &Environment) -> Result<Self, Error> {
        let callers = match environment.upload_callers().map_err(vault::Error::from)? {
            UploadCallers::Open => Callers::Open,
            UploadCallers::Token => Callers::Token(keys(environment).map_err(vault::Error::from)?),
        };
        Ok(Self(callers))
    }

    /// Says whether a request may pass.
    #[must_use]
    pub fn request(&self, request: &Request) -> Permission {
        self.request_at(request, now())
    }

    /// Says whether a request may pass at `now`, in seconds since 1970.
    #[must_use]
    pub fn request_at(&self, request: &Request, now: u64) -> Permission {
        let keys = match &self.0 {
            Callers::Open => {
                let context = BTreeMap::from([("mode", OPEN.to_owned())]);
                return Permission::Allow { principal: request.source.clone(), context };
            }
            Callers::Token(keys) => keys,
        };
        let Some(token) = token(request) else { return Permission::Unauthorized };
        let claims: Claims = match keys.verify_any_issuer(token, AUDIENCE) {
            Ok(claims) => claims,
            // A genuine token, of somebody who came to the wrong door.
            Err(jws::Error::Audience) => return Permission::Deny { principal: "another audience's".into() },
            Err(error) => {
                tracing::info!("a token was refused: {error}");
                return Permission::Unauthorized;
            }
        };
        if !claims.stands(now) {
            return Permission::Unauthorized;
        }
        Permission::Allow { context: claims.context(), principal: claims.sub }
    }
}

impl Claims {
    fn stands(&self, now: u64) -> bool {
        let begun = self.nbf.is_none_or(|from| now + LEEWAY >= from);
        let over = now >= self.exp.saturating_add(LEEWAY);
        let too_long = self.exp > now + LIFE + LEEWAY;
        // They travel as a list of text.
        let types = self.types.iter().flatten().all(|kind| !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        begun && !over && !too_long && types && !self.sub.is_empty()
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
    let refused = |_| setting::Error::Refused { name: "UPLOAD_CALLER_KEYS", why: "it is no set of RSA, P-256 or Ed25519 public keys" };
    KeySet::from_json(&environment.upload_caller_keys()?).map_err(refused)
}

/// The token of the path, or else of the cookie.
fn token(request: &Request) -> Option<&str> {
    let in_path = Some(request.parameter("caller")).filter(|token| !token.is_empty());
    let cookies = request.headers.get_all(COOKIE).into_iter().filter_map(|cookies| cookies.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    in_path.or_else(|| pairs.find(|(name, _)| *name == NAME).map(|(_, token)| token))
}
