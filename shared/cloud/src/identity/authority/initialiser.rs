//! The issuer of init tokens.

use serde_json::json;
use shared::{
    crypto::{jwe, system_rng},
    identity::{
        Packet, packet,
        token::{self, INIT_TOKEN_TTL_SECONDS, Init},
    },
};

use super::{
    super::{clients::Client, domains::Domains, error::Error, route::require_method},
    issuer::Issuer,
};
use crate::{
    clock::SECONDS_PER_DAY,
    gateway::{ApiError, Request, Response},
    setting::Environment,
};

/// When the daily re-initialisation begins: 12:05 UTC, in seconds of the day. It equals the
/// template's schedule.
const REINIT_SECOND_OF_DAY: u64 = (12 * 60 + 5) * 60;
/// The time limit of the re-initialisation, in seconds.
const REINIT_WINDOW_SECONDS: u64 = 10 * 60;

/// The issuer of init tokens: it also reads domain keys.
pub struct Initialiser {
    issuer: Issuer,
    domains: Domains,
}

impl Initialiser {
    /// Connects to the resources that the environment names.
    pub async fn from_env(environment: &Environment) -> Result<Self, Error> {
        Ok(Self { issuer: Issuer::from_env(environment).await?, domains: Domains::new(environment)? })
    }

    /// `POST /token/init`: an init token, with the domain keys encrypted to the client's
    /// transcoder.
    pub async fn init_token(&self, request: Request) -> Result<Response, ApiError> {
        require_method("POST", &request, async {
            let client = self.issuer.authenticate(&request).await?;
            Ok(json!({"init_token": self.sign_init(&client).await?}))
        })
        .await
    }

    async fn sign_init(&self, client: &Client) -> Result<String, Error> {
        let transcoder = client.transcoder.as_deref().ok_or(Error::NoTranscoder)?;
        let transcoder = jwe::PublicKey::from_pem(transcoder).map_err(|_| Error::NoTranscoder)?;
        let (keys, scopes) = self.issuer.keys_and_scopes(client).await?;
        let (smart, smart_token) = self.issuer.sign_smart(&keys, client, &scopes)?;
        let now = smart.iat;
        let expires = init_expiry(now);
        let packet = Packet {
            id: smart.jti,
            client_id: client.id.clone(),
            expires,
            domains: self.domains.keys(&self.issuer.vault, &scopes, now).await?,
        };
        let init = Init {
            registered: self.issuer.claims::<Init>(client, now, expires),
            scopes: json!(scopes),
            smart_token,
            key_packet: packet::seal(&packet, &transcoder, &mut system_rng()),
            packet_id: packet.id,
            jwks: keys.jwks(),
        };
        Ok(token::sign(&init, keys.current(now)?))
    }
}

/// At most 24 hours, and at most until the next daily re-initialisation has ended: until then the
/// previous keys must stay valid.
fn init_expiry(now: u64) -> u64 {
    let next = now - now % SECONDS_PER_DAY + REINIT_SECOND_OF_DAY;
    let next = if next <= now { next + SECONDS_PER_DAY } else { next };
    (now + INIT_TOKEN_TTL_SECONDS).min(next + REINIT_WINDOW_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_init_token_never_outlives_a_day_or_the_next_re_initialisation() {
        let midnight = 20_000 * SECONDS_PER_DAY;
        assert_eq!(init_expiry(midnight + REINIT_SECOND_OF_DAY + 10), midnight + REINIT_SECOND_OF_DAY + 10 + INIT_TOKEN_TTL_SECONDS);
        assert_eq!(init_expiry(midnight + 11 * 3600), midnight + REINIT_SECOND_OF_DAY + REINIT_WINDOW_SECONDS);
    }
}
