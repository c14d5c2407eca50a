//! The ID API: `POST /token`, `GET /domains`, `GET /.well-known/jwks.json`, `POST /v1/metrics`.

use serde::Deserialize;
use serde_json::{Value, json};
use shared::{
    crypto::{jwe, jws},
    fault::Fault,
    identity::{
        Direction, rpc,
        token::{self, ACCESS_TOKEN_TTL_SECONDS, Access, Smart},
    },
};

use super::{
    super::{
        domains::Domains,
        error::Error,
        route::{not_found, require_method},
        usage::UsageReceiver,
    },
    issuer::{Issuer, enclosing_key},
    oauth,
};
use crate::{
    clock::now,
    gateway::{ApiError, Request, Response},
    setting::Environment,
};

/// The ID API.
pub struct IdApi {
    issuer: Issuer,
    domains: Domains,
    usage: UsageReceiver,
}

/// The body of `POST /v1/metrics`: one minute's usage.
#[derive(Deserialize)]
struct Report {
    minute: u64,
    usage: Vec<Count>,
}

#[derive(Deserialize)]
struct Count {
    #[serde(flatten)]
    direction: Direction,
    count: u64,
}

impl IdApi {
    /// Connects to the resources that the environment names.
    pub async fn from_env(environment: &Environment) -> Result<Self, Error> {
        Ok(Self {
            issuer: Issuer::from_env(environment).await?,
            domains: Domains::new(environment)?,
            usage: UsageReceiver::new(environment)?,
        })
    }

    /// Handles a request to any of its routes.
    pub async fn request(&self, request: Request) -> Result<Response, ApiError> {
        match request.path.as_str() {
            "/token" => require_method("POST", &request, self.access_token(&request)).await,
            "/domains" => require_method("GET", &request, self.domains(&request)).await,
            "/.well-known/jwks.json" => require_method("GET", &request, self.jwks()).await,
            "/v1/metrics" => require_method("POST", &request, self.report(&request)).await,
            _ => Err(not_found(&request)),
        }
    }

    async fn access_token(&self, request: &Request) -> Result<Value, ApiError> {
        let credentials = oauth::credentials(request)?;
        let client = self.issuer.clients.authenticate(&self.issuer.vault, &credentials).await.map_err(|error| match error {
            Error::Credentials => oauth::error(Fault::Identity, "invalid_client", "no such client, or not its secret"),
            error => error.into(),
        })?;
        let now = now();
        let keys = self.issuer.keyring.keys(&self.issuer.vault, now).await?;
        let access_token = token::sign(&self.issuer.access(&client, now), keys.current(now)?);
        Ok(json!({"access_token": access_token, "token_type": "Bearer", "expires_in": ACCESS_TOKEN_TTL_SECONDS}))
    }

    async fn jwks(&self) -> Result<Value, ApiError> {
        Ok(json!(self.issuer.keyring.keys(&self.issuer.vault, now()).await?.jwks()))
    }

    async fn domains(&self, request: &Request) -> Result<Value, ApiError> {
        let access = self.authorize(request).await?;
        let (vault, now) = (&self.issuer.vault, now());
        let scopes = self.issuer.permits.scopes(vault, &access.registered.sub, now).await?;
        let mut domains = Vec::new();
        for domain in scopes.domains() {
            let Some((owner, keys)) = self.domains.find(vault, domain, now).await? else { continue };
            let mut entry = json!({"domain": domain, "owned": owner == access.registered.sub});
            if access.authority {
                entry["keys"] = json!(keys.keys);
            }
            domains.push(entry);
        }
        Ok(json!({"client_id": access.registered.sub, "directions": scopes, "domains": domains}))
    }

    async fn report(&self, request: &Request) -> Result<Value, ApiError> {
        let access = self.authorize(request).await?;
        let report: Report = serde_json::from_str(&request.body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            Error::from(rpc::Error::Data { line, column })
        })?;
        for Count { direction, count } in &report.usage {
            self.usage.record(&self.issuer.vault, &access.registered.sub, report.minute, *direction, *count).await?;
        }
        Ok(json!({"accepted": report.usage.len()}))
    }

    /// Verifies a request's bearer token: an access token, or a smart token with one inside.
    async fn authorize(&self, request: &Request) -> Result<Access, Error> {
        let malformed = token::Error::Signature(jws::Error::Malformed);
        let bearer = request.headers.get("authorization").and_then(|value| value.to_str().ok()).and_then(|value| value.split_once(' '));
        let token = match bearer {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            _ => return Err(malformed.into()),
        };
        let (now, issuer) = (now(), &self.issuer.name);
        let keys = self.issuer.keyring.keys(&self.issuer.vault, now).await?;
        let verification = keys.verification();
        let Ok(smart) = token::verify::<Smart>(token, &verification, issuer, now) else {
            return Ok(token::verify(token, &verification, issuer, now)?);
        };
        let client = &smart.registered.sub;
        let enclosed = keys.all().find_map(|key| jwe::open(&enclosing_key(key), client, &smart.id_api_token).ok()).ok_or(malformed)?;
        let access: Access = token::verify(str::from_utf8(&enclosed).map_err(|_| malformed)?, &verification, issuer, now)?;
        if access.registered.sub == *client { Ok(access) } else { Err(Error::AnotherClientsToken) }
    }
}
