//! The authority's API, called with a client's credentials.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use shared::{crypto::jws::KeySet, identity::rpc::ErrorBody, secret::SecretText};

use super::{clients::Credentials, error::Error};
use crate::{
    http::{HttpClient, Response},
    setting::Environment,
};

/// A client of the authority's API.
pub(super) struct AuthorityClient {
    http: HttpClient,
    /// The authority's URL, with the stage and without a trailing slash.
    url: String,
}

impl AuthorityClient {
    pub(super) fn from_env(environment: &Environment) -> Result<Self, Error> {
        Ok(Self { http: HttpClient::default(), url: environment.authority_url()? })
    }

    /// A new smart token: `POST /token/request`.
    pub(super) async fn smart_token(&self, credentials: &Credentials) -> Result<SecretText, Error> {
        #[derive(Deserialize)]
        struct Issued {
            smart_token: SecretText,
        }
        self.post("/token/request", credentials).await.map(|Issued { smart_token }| smart_token)
    }

    /// A new init token: `POST /token/init`.
    pub(super) async fn init_token(&self, credentials: &Credentials) -> Result<SecretText, Error> {
        #[derive(Deserialize)]
        struct Issued {
            init_token: SecretText,
        }
        self.post("/token/init", credentials).await.map(|Issued { init_token }| init_token)
    }

    /// An access token of the ID API: `POST /token`.
    pub(super) async fn access_token(&self, credentials: &Credentials) -> Result<SecretText, Error> {
        #[derive(Deserialize)]
        struct Granted {
            access_token: SecretText,
        }
        let url = format!("{}/token", self.url);
        let request = |client: &reqwest::Client| {
            let (id, secret) = (&credentials.client_id, credentials.secret.expose());
            client.post(&url).form(&[("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)])
        };
        let response = self.http.send(request).await.map_err(|error| Error::Authority(Some(error)))?;
        if response.status == 401 {
            return Err(Error::Credentials);
        }
        serde_json::from_slice(&response.body).map(|Granted { access_token }| access_token).map_err(|_| Error::Authority(None))
    }

    /// The verification keys: `GET /.well-known/jwks.json`.
    pub(super) async fn verification_keys(&self) -> Result<KeySet, Error> {
        let url = format!("{}/.well-known/jwks.json", self.url);
        let response = self.http.send(|client| client.get(&url)).await.map_err(|error| Error::Authority(Some(error)))?;
        let jwks = str::from_utf8(&response.body).map_err(|_| Error::Authority(None))?;
        KeySet::from_json(jwks).map_err(|_| Error::Authority(None))
    }

    /// Reports one minute's usage: `POST /v1/metrics`.
    pub(super) async fn report_usage(&self, access_token: &SecretText, report: &Value) -> Result<(), Error> {
        let url = format!("{}/v1/metrics", self.url);
        let request = |client: &reqwest::Client| client.post(&url).bearer_auth(access_token.expose()).json(report);
        let response = self.http.send(request).await.map_err(|error| Error::Authority(Some(error)))?;
        if response.status.is_success() { Ok(()) } else { Err(error_response(&response)) }
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, credentials: &Credentials) -> Result<T, Error> {
        let url = format!("{}{path}", self.url);
        let body = json!({"client_id": credentials.client_id, "client_secret": credentials.secret.expose()});
        let response = self.http.send(|client| client.post(&url).json(&body)).await.map_err(|error| Error::Authority(Some(error)))?;
        if response.status.is_success() {
            return serde_json::from_slice(&response.body).map_err(|_| Error::Authority(None));
        }
        Err(error_response(&response))
    }
}

fn error_response(response: &Response) -> Error {
    match serde_json::from_slice::<ErrorBody>(&response.body) {
        Ok(body) => Error::ErrorResponse { status: response.status.as_u16(), body },
        Err(_) => Error::Authority(None),
    }
}
