//! The client, over either transport.

use std::sync::Arc;

use cloud::setting::Environment;

use crate::{
    api::Api,
    connection::Credentials,
    endpoint::Endpoint,
    error::Error,
    health::Health,
    ids::{IdSlice, Ids},
    outcomes::Outcomes,
    token::Token,
};

/// A client of one customer's transcoder.
#[derive(Debug)]
pub struct Client(pub(crate) Transport);

/// How requests reach the transcoder.
#[derive(Debug)]
pub(crate) enum Transport {
    Api(Box<Api>),
    Endpoint(Box<Endpoint>),
}

impl Client {
    /// Returns a client of the API at `base_url`, which ends in the stage:
    /// `https://….amazonaws.com/Prod`.
    ///
    /// # Errors
    ///
    /// [`Error::Address`] if `base_url` is not a URL, or would send the secret unencrypted.
    pub fn new(base_url: &str, credentials: Credentials) -> Result<Self, Error> {
        Ok(Self(Transport::Api(Box::new(Api::new(base_url, credentials)?))))
    }

    /// Returns a client of the SageMaker endpoint that `environment` names.
    ///
    /// It calls the API at `base_url` for one purpose: to initialise a transcoder without keys, so
    /// that the customer's daily initialisation and usage report start.
    ///
    /// # Errors
    ///
    /// [`Error::Environment`] if a variable is missing.
    pub async fn for_endpoint(environment: &Environment, credentials: Credentials, base_url: Option<&str>) -> Result<Self, Error> {
        let api = base_url.map(|url| Api::new(url, credentials.clone())).transpose()?;
        Ok(Self(Transport::Endpoint(Box::new(Endpoint::connect(environment, credentials, api).await?))))
    }

    /// Initialises the customer's transcoder: every variant receives a sealed key packet.
    pub async fn init(&self) -> Result<(), Error> {
        match &self.0 {
            Transport::Api(api) => api.init().await,
            Transport::Endpoint(endpoint) => endpoint.init().await,
        }
    }

    /// Returns the cached smart token if it is valid for another minute, otherwise a new one.
    pub async fn token(&self) -> Result<Arc<Token>, Error> {
        match &self.0 {
            Transport::Api(api) => api.token().await,
            Transport::Endpoint(endpoint) => endpoint.token().await,
        }
    }

    /// Returns the client's id.
    #[must_use]
    pub fn id(&self) -> &str {
        match &self.0 {
            Transport::Api(api) => api.client_id(),
            Transport::Endpoint(endpoint) => endpoint.client_id(),
        }
    }

    /// Returns the state that each variant of the endpoint reports.
    pub async fn health(&self) -> Result<Health, Error> {
        match &self.0 {
            Transport::Api(api) => api.health().await,
            Transport::Endpoint(endpoint) => endpoint.health().await,
        }
    }

    /// Translates ids and returns one outcome for each id, in order.
    ///
    /// A request that is too large for the server is split into halves until it fits.
    pub async fn translate(&self, ids: &Ids) -> Result<Outcomes, Error> {
        if ids.is_empty() { Ok(Outcomes::all_refused(0, "", "")) } else { self.translate_slice(ids.as_slice()).await }
    }

    async fn translate_slice(&self, ids: IdSlice<'_>) -> Result<Outcomes, Error> {
        let result = match &self.0 {
            Transport::Api(api) => api.translate(ids).await,
            Transport::Endpoint(endpoint) => endpoint.translate(ids).await,
        };
        match result {
            Err(Error::TooLarge { .. }) if ids.len() > 1 => {
                let (left, right) = ids.halves();
                let mut outcomes = Box::pin(self.translate_slice(left)).await?;
                outcomes.append(&Box::pin(self.translate_slice(right)).await?);
                Ok(outcomes)
            }
            // The server refuses the request as a whole if no id in it may be translated.
            Err(Error::NotPermitted { code, message }) => Ok(Outcomes::all_refused(ids.len(), &code, &message)),
            result => result,
        }
    }
}

#[cfg(test)]
mod tests;
