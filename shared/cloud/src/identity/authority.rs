//! The authority's side: `POST /token/init`, `POST /token/request`, and the ID API.

use serde::Deserialize;
use serde_json::{Value, json};
use shared::{
    crypto::{derive, jwe, sha256, system_rng},
    encoding::{base64url, from_base64},
    fault::Fault,
    identity::{
        Packet, Scopes, packet,
        rpc::Body,
        token::{
            self, ACCESS_TOKEN_TTL_SECONDS, Access, Claims, INIT_TOKEN_TTL_SECONDS, Init, RegisteredClaims, SMART_TOKEN_TTL_SECONDS, Smart,
        },
    },
    secret::{Secret, SecretText},
};

use super::{
    Error, absent,
    clients::{Client, Clients, Credentials},
    credentials,
    domains::Domains,
    keyring::{Keyring, Keys},
    only,
    permits::Permits,
    usage::Metrics,
};
use crate::{
    gateway::{Failure, Reply, Request},
    setting::{Environment, now},
    vault::Vault,
};

/// When the daily re-initialisation begins: 12:05 UTC, in seconds of the day. The template's schedule says the same.
pub const REINITIALISATION: u64 = (12 * 60 + 5) * 60;
/// How long it may take, in seconds.
const REINITIALISATION_TAKES: u64 = 10 * 60;
const DAY: u64 = 24 * 60 * 60;

/// Who issues tokens.
pub struct Issuer {
    vault: Vault,
    clients: Clients,
    permits: Permits,
    keyring: Keyring,
    /// The `iss` of its tokens.
    name: String,
}

impl Issuer {
    /// Connects to what the environment names.
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
    pub async fn smart_token(&self, request: Request) -> Result<Reply, Failure> {
        only("POST", &request, async {
            let client = self.authenticate(&request).await?;
            let (keys, scopes) = self.standing(&client).await?;
            Ok(json!({"smart_token": self.smart(&keys, &client, &scopes)?.1}))
        })
        .await
    }

    async fn authenticate(&self, request: &Request) -> Result<Client, Error> {
        let body = Body::parse(request.body.as_bytes())?;
        self.clients.authenticate(&self.vault, &credentials(&body)?).await
    }

    async fn standing(&self, client: &Client) -> Result<(std::sync::Arc<Keys>, Scopes), Error> {
        let now = now();
        tokio::try_join!(self.keyring.keys(&self.vault, now), self.permits.scopes(&self.vault, &client.id, now))
    }

    fn smart(&self, keys: &Keys, client: &Client, scopes: &Scopes) -> Result<(RegisteredClaims, String), Error> {
        let now = now();
        let signing = keys.current(now)?;
        let access = token::sign(
            &Access { registered: common::<Access>(&self.name, client, now, now + ACCESS_TOKEN_TTL_SECONDS), authority: client.authority },
            signing,
        );
        let smart = Smart {
            registered: common::<Smart>(&self.name, client, now, now + SMART_TOKEN_TTL_SECONDS),
            scopes: json!(scopes),
            id_api_token: jwe::seal(&enclosing_key(signing), &client.id, access.as_bytes(), &mut system_rng()),
        };
        Ok((smart.registered.clone(), token::sign(&smart, signing)))
    }
}

/// Who issues init tokens: an issuer that also reads domain keys.
pub struct Initialiser {
    issuer: Issuer,
    domains: Domains,
}

impl Initialiser {
    /// Connects to what the environment names.
    pub async fn from_env(environment: &Environment) -> Result<Self, Error> {
        Ok(Self { issuer: Issuer::from_env(environment).await?, domains: Domains::new(environment)? })
    }

    /// `POST /token/init`: an init token, with the domain keys sealed to the client's transcoder.
    pub async fn init_token(&self, request: Request) -> Result<Reply, Failure> {
        only("POST", &request, async {
            let client = self.issuer.authenticate(&request).await?;
            Ok(json!({"init_token": self.init(&client).await?}))
        })
        .await
    }

    async fn init(&self, client: &Client) -> Result<String, Error> {
        let transcoder = client.transcoder.as_deref().ok_or(Error::NoTranscoder)?;
        let transcoder = jwe::PublicKey::from_pem(transcoder).map_err(|_| Error::NoTranscoder)?;
        let (keys, scopes) = self.issuer.standing(client).await?;
        let (smart, smart_token) = self.issuer.smart(&keys, client, &scopes)?;
        let now = smart.iat;
        let expires = init_expiry(now);
        let packet = Packet {
            id: smart.jti,
            client_id: client.id.clone(),
            expires,
            domains: self.domains.keys(&self.issuer.vault, &scopes, now).await?,
        };
        let init = Init {
            registered: common::<Init>(&self.issuer.name, client, now, expires),
            scopes: json!(scopes),
            smart_token,
            key_packet: packet::seal(&packet, &transcoder, &mut system_rng()),
            packet_id: packet.id,
            jwks: keys.jwks(),
        };
        Ok(token::sign(&init, keys.current(now)?))
    }
}

/// The ID API: `POST /token`, `GET /domains`, `GET /.well-known/jwks.json`, `POST /v1/metrics`.
pub struct IdApi {
    issuer: Issuer,
    domains: Domains,
    metrics: Metrics,
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
    direction: shared::identity::Direction,
    count: u64,
}

impl IdApi {
    /// Connects to what the environment names.
    pub async fn from_env(environment: &Environment) -> Result<Self, Error> {
        Ok(Self { issuer: Issuer::from_env(environment).await?, domains: Domains::new(environment)?, metrics: Metrics::new(environment)? })
    }

    /// Any of its routes.
    pub async fn request(&self, request: Request) -> Result<Reply, Failure> {
        match request.path.as_str() {
            "/token" => only("POST", &request, self.access_token(&request)).await,
            "/domains" => only("GET", &request, self.domains(&request)).await,
            "/.well-known/jwks.json" => only("GET", &request, self.jwks()).await,
            "/v1/metrics" => only("POST", &request, self.report(&request)).await,
            _ => Err(absent(&request)),
        }
    }

    async fn access_token(&self, request: &Request) -> Result<Value, Failure> {
        let credentials = oauth_credentials(request)?;
        let client = self.issuer.clients.authenticate(&self.issuer.vault, &credentials).await.map_err(|error| match error {
            Error::Credentials => oauth_failure(Fault::Identity, "invalid_client", "no such client, or not its secret"),
            error => error.into(),
        })?;
        let now = now();
        let keys = self.issuer.keyring.keys(&self.issuer.vault, now).await?;
        let access = Access {
            registered: common::<Access>(&self.issuer.name, &client, now, now + ACCESS_TOKEN_TTL_SECONDS),
            authority: client.authority,
        };
        Ok(
            json!({"access_token": token::sign(&access, keys.current(now).map_err(Failure::from)?), "token_type": "Bearer", "expires_in": ACCESS_TOKEN_TTL_SECONDS}),
        )
    }

    async fn jwks(&self) -> Result<Value, Failure> {
        Ok(json!(self.issuer.keyring.keys(&self.issuer.vault, now()).await?.jwks()))
    }

    async fn domains(&self, request: &Request) -> Result<Value, Failure> {
        let access = self.bearer(request).await?;
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

    async fn report(&self, request: &Request) -> Result<Value, Failure> {
        let access = self.bearer(request).await?;
        let report: Report = serde_json::from_str(&request.body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            Error::from(shared::identity::rpc::Error::Data { line, column })
        })?;
        for Count { direction, count } in &report.usage {
            self.metrics.record(&self.issuer.vault, &access.registered.sub, report.minute, *direction, *count).await?;
        }
        Ok(json!({"accepted": report.usage.len()}))
    }

    /// The ID-API token of a request: as it is, or enclosed in a smart token.
    async fn bearer(&self, request: &Request) -> Result<Access, Error> {
        let bearer = request.headers.get("authorization").and_then(|value| value.to_str().ok()).and_then(|value| value.split_once(' '));
        let token = match bearer {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            _ => return Err(token::Error::Signature(shared::crypto::jws::Error::Malformed).into()),
        };
        let (now, issuer) = (now(), &self.issuer.name);
        let keys = self.issuer.keyring.keys(&self.issuer.vault, now).await?;
        let verification = keys.verification();
        let Ok(smart) = token::verify::<Smart>(token, &verification, issuer, now) else {
            return Ok(token::verify(token, &verification, issuer, now)?);
        };
        let client = &smart.registered.sub;
        let malformed = token::Error::Signature(shared::crypto::jws::Error::Malformed);
        let enclosed = keys.all().find_map(|key| jwe::open(&enclosing_key(key), client, &smart.id_api_token).ok()).ok_or(malformed)?;
        let access: Access = token::verify(str::from_utf8(&enclosed).map_err(|_| malformed)?, &verification, issuer, now)?;
        if access.registered.sub == *client { Ok(access) } else { Err(Error::AnothersToken) }
    }
}

/// The claims that every token carries.
fn common<C: Claims>(issuer: &str, client: &Client, now: u64, expires: u64) -> RegisteredClaims {
    let name: Secret<16> = Secret::generate(&mut system_rng());
    RegisteredClaims {
        iss: issuer.into(),
        aud: C::AUDIENCE.into(),
        sub: client.id.clone(),
        iat: now,
        nbf: now,
        exp: expires,
        jti: base64url(name.expose()),
    }
}

/// Only the authority knows its signing keys, so a key derived from one seals what the authority says to itself.
fn enclosing_key(signing: &shared::crypto::jws::SigningKey) -> Secret<64> {
    derive(&Secret::new(sha256(signing.expose())), "id-api token in a smart token")
}

/// 24 hours at most, and never past the end of the next daily re-initialisation: until its end the old keys must stay valid.
fn init_expiry(now: u64) -> u64 {
    let next = now - now % DAY + REINITIALISATION;
    let next = if next <= now { next + DAY } else { next };
    (now + INIT_TOKEN_TTL_SECONDS).min(next + REINITIALISATION_TAKES)
}

/// RFC 6749, section 4.4: client credentials in the form or in HTTP Basic.
fn oauth_credentials(request: &Request) -> Result<Credentials, Failure> {
    let form: Vec<(String, String)> = form_urlencoded::parse(request.body.as_bytes()).into_owned().collect();
    let field = |name: &str| {
        let mut values = form.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone());
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(oauth_failure(Fault::Request, "invalid_request", "a field is given twice")),
        }
    };
    match field("grant_type")?.as_deref() {
        Some("client_credentials") => {}
        Some("authorization_code" | "refresh_token" | "password") => {
            return Err(oauth_failure(Fault::Request, "unsupported_grant_type", "grant_type is client_credentials"));
        }
        Some(_) => return Err(oauth_failure(Fault::Request, "invalid_grant", "grant_type is client_credentials")),
        None => return Err(oauth_failure(Fault::Request, "invalid_request", "grant_type is missing")),
    }
    let (client_id, secret) = match basic(request) {
        Some((id, secret)) => (Some(id), Some(secret)),
        None => (field("client_id")?, field("client_secret")?),
    };
    match (client_id, secret) {
        (Some(client_id), Some(secret)) => Ok(Credentials { client_id, secret: SecretText::new(secret) }),
        _ => Err(oauth_failure(Fault::Request, "invalid_request", "client_id and client_secret are needed, in the form or in HTTP Basic")),
    }
}

fn basic(request: &Request) -> Option<(String, String)> {
    let (scheme, value) = request.headers.get("authorization")?.to_str().ok()?.split_once(' ')?;
    let pair = String::from_utf8(scheme.eq_ignore_ascii_case("basic").then(|| from_base64(value.trim()))??).ok()?;
    let (id, secret) = pair.split_once(':')?;
    Some((id.into(), secret.into()))
}

fn oauth_failure(fault: Fault, error: &str, description: &str) -> Failure {
    Failure::with_body(fault, json!({"error": error, "error_description": description}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_init_token_never_outlives_a_day_or_the_next_re_initialisation() {
        let midnight = 20_000 * DAY;
        assert_eq!(init_expiry(midnight + REINITIALISATION + 10), midnight + REINITIALISATION + 10 + INIT_TOKEN_TTL_SECONDS);
        assert_eq!(init_expiry(midnight + 11 * 3600), midnight + REINITIALISATION + REINITIALISATION_TAKES);
    }
}
