//! The issuer of smart tokens.

use std::sync::Arc;

use serde_json::json;
use shared::{
    crypto::{derive, jwe, jws::SigningKey, sha256, system_rng},
    encoding::base64url,
    identity::{
        Scopes,
        rpc::Body,
        token::{self, ACCESS_TOKEN_TTL_SECONDS, Access, Claims, RegisteredClaims, SMART_TOKEN_TTL_SECONDS, Smart},
    },
    secret::Secret,
};

use super::super::{
    clients::{Client, Clients},
    error::Error,
    keyring::{Keyring, SigningKeys},
    permits::Permits,
    route::{credentials, require_method},
};
use crate::{
    clock::now,
    gateway::{ApiError, Request, Response},
    setting::Environment,
    vault::Vault,
};

/// The issuer of smart tokens.
pub struct Issuer {
    pub(super) vault: Vault,
    pub(super) clients: Clients,
    pub(super) permits: Permits,
    pub(super) keyring: Keyring,
    /// The `iss` of its tokens.
    pub(super) name: String,
}

impl Issuer {
    /// Connects to the resources that the environment names.
    pub async fn from_env(environment: &Environment) -> Result<Self, Error> {
        Ok(Self {
            vault: Vault::connect(environment).await?,
            clients: Clients::new(environment)?,
            permits: Permits::new(environment)?,
            keyring: Keyring::new(environment)?,
            name: environment.issuer(),
        })
    }

    /// `POST /token/request`: a smart token for a client's credentials.
    pub async fn smart_token(&self, request: Request) -> Result<Response, ApiError> {
        require_method("POST", &request, async {
            let client = self.authenticate(&request).await?;
            let (keys, scopes) = self.keys_and_scopes(&client).await?;
            Ok(json!({"smart_token": self.sign_smart(&keys, &client, &scopes)?.1}))
        })
        .await
    }

    /// The client that a request's credentials belong to.
    pub(super) async fn authenticate(&self, request: &Request) -> Result<Client, Error> {
        let body = Body::parse(request.body.as_bytes())?;
        self.clients.authenticate(&self.vault, &credentials(&body)?).await
    }

    /// The signing keys, and the client's scopes now.
    pub(super) async fn keys_and_scopes(&self, client: &Client) -> Result<(Arc<SigningKeys>, Scopes), Error> {
        let now = now();
        tokio::try_join!(self.keyring.keys(&self.vault, now), self.permits.scopes(&self.vault, &client.id, now))
    }

    /// A new smart token, with its registered claims.
    pub(super) fn sign_smart(&self, keys: &SigningKeys, client: &Client, scopes: &Scopes) -> Result<(RegisteredClaims, String), Error> {
        let now = now();
        let signing = keys.current(now)?;
        let access = token::sign(&self.access(client, now), signing);
        let smart = Smart {
            registered: self.claims::<Smart>(client, now, now + SMART_TOKEN_TTL_SECONDS),
            scopes: json!(scopes),
            id_api_token: jwe::seal(&enclosing_key(signing), &client.id, access.as_bytes(), &mut system_rng()),
        };
        Ok((smart.registered.clone(), token::sign(&smart, signing)))
    }

    /// The claims of a new access token of the ID API.
    pub(super) fn access(&self, client: &Client, now: u64) -> Access {
        Access { registered: self.claims::<Access>(client, now, now + ACCESS_TOKEN_TTL_SECONDS), authority: client.authority }
    }

    /// The registered claims of a new token.
    pub(super) fn claims<C: Claims>(&self, client: &Client, now: u64, expires: u64) -> RegisteredClaims {
        let id: Secret<16> = Secret::generate(&mut system_rng());
        RegisteredClaims {
            iss: self.name.clone(),
            aud: C::AUDIENCE.into(),
            sub: client.id.clone(),
            iat: now,
            nbf: now,
            exp: expires,
            jti: base64url(id.expose()),
        }
    }
}

/// The key that encrypts the access token within a smart token. It is derived from the signing key,
/// which only the authority has: only the authority reads it.
pub(super) fn enclosing_key(signing: &SigningKey) -> Secret<64> {
    derive(&Secret::new(sha256(signing.expose())), "id-api token in a smart token")
}
