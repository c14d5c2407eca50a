//! The client: tokens kept fresh, requests repeated while repeating helps, answers checked.
//!
//! There are two ways to the transcoder: through the customer's API, by client id and secret alone, and straight to the endpoint, by AWS
//! credentials as well, which saves two doors and half of each body.

mod answer;
mod api;
mod connection;
mod endpoint;
mod error;
mod health;
mod ids;
mod lines;
mod outcomes;
mod request;
mod retry;
mod token;

use std::sync::Arc;

use cloud::setting::Environment;

use api::Api;
pub use connection::{Connection, ConnectionError, Credentials, Given};
use endpoint::Endpoint;
pub use error::Error;
pub use health::{Health, Session, Variant};
use ids::Part;
pub use ids::{Ids, is_plain};
pub use outcomes::{Outcomes, Refusal};
pub use token::Token;

/// A client of one customer's transcoder.
#[derive(Debug)]
pub struct Client(Way);

/// The way to the transcoder.
#[derive(Debug)]
enum Way {
    Api(Box<Api>),
    Endpoint(Box<Endpoint>),
}

impl Client {
    /// Makes a client of the API at `base_url`, which ends in the stage: `https://….amazonaws.com/Prod`.
    pub fn new(base_url: &str, credentials: Credentials) -> Result<Self, Error> {
        Ok(Self(Way::Api(Box::new(Api::new(base_url, credentials)?))))
    }

    /// Makes a client of the endpoint that the environment names, without the API; only to initialise a transcoder that has no keys at all
    /// is the API at `base_url` asked first, so that its operator's daily work begins.
    pub async fn direct(environment: &Environment, credentials: Credentials, base_url: Option<&str>) -> Result<Self, Error> {
        let api = base_url.map(|url| Api::new(url, credentials.clone())).transpose()?;
        Ok(Self(Way::Endpoint(Box::new(Endpoint::connect(environment, credentials, api).await?))))
    }

    /// Initialises the customer's transcoder: fetches a sealed key packet and gives it to every variant.
    pub async fn init(&self) -> Result<(), Error> {
        match &self.0 {
            Way::Api(api) => api.init().await,
            Way::Endpoint(endpoint) => endpoint.init().await,
        }
    }

    /// The current smart token: the last one while it is valid for another minute, otherwise a new one.
    pub async fn token(&self) -> Result<Arc<Token>, Error> {
        match &self.0 {
            Way::Api(api) => api.token().await,
            Way::Endpoint(endpoint) => endpoint.token().await,
        }
    }

    /// The client's id.
    #[must_use]
    pub fn id(&self) -> &str {
        match &self.0 {
            Way::Api(api) => api.client_id(),
            Way::Endpoint(endpoint) => endpoint.client_id(),
        }
    }

    /// What the transcoder says of itself.
    pub async fn health(&self) -> Result<Health, Error> {
        match &self.0 {
            Way::Api(api) => api.health().await,
            Way::Endpoint(endpoint) => endpoint.health().await,
        }
    }

    /// Translates ids: one outcome an id, in order.
    ///
    /// A request that the server finds too large is halved until it fits.
    pub async fn translate(&self, ids: &Ids) -> Result<Outcomes, Error> {
        if ids.is_empty() { Ok(Outcomes::all_refused(0, "", "")) } else { self.translate_part(ids.all()).await }
    }

    async fn translate_part(&self, part: Part<'_>) -> Result<Outcomes, Error> {
        let answer = match &self.0 {
            Way::Api(api) => api.translate(part).await,
            Way::Endpoint(endpoint) => endpoint.translate(part).await,
        };
        match answer {
            Err(Error::TooLarge { .. }) if part.len() > 1 => {
                let (left, right) = part.halves();
                let mut outcomes = Box::pin(self.translate_part(left)).await?;
                outcomes.append(&Box::pin(self.translate_part(right)).await?);
                Ok(outcomes)
            }
            // The whole request asks for what no permission allows: the same is true of each of its ids.
            Err(Error::NotPermitted { code, message }) => Ok(Outcomes::all_refused(part.len(), &code, &message)),
            answer => answer,
        }
    }
}

#[cfg(test)]
mod tests;
