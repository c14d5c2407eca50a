//! What `rampway serve` runs: the local cloud, with the first domains, keys and credentials in it.

mod banner;
mod seed;

use cloud::{setting::Environment, upload};
use local::{LocalCloud, Options};

pub use self::{
    banner::banner,
    seed::{CLIENT, FROM, Seed, TO},
};

/// The local cloud does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A part of it does not start.
    #[error(transparent)]
    Local(#[from] local::Error),
    /// The first domains, keys and credentials cannot be created.
    #[error("the demo's credentials cannot be created: {0}")]
    Seed(String),
}

/// Starts everything; it serves when this returns. The seed is there where the template has the authority's side.
pub async fn start(options: Options) -> Result<(LocalCloud, Option<Seed>), Error> {
    let provisioned = LocalCloud::provision(options).await?;
    let seed = seed::seed(&provisioned).await?;
    if let Some(brightcove) = provisioned.brightcove() {
        // As `rampway admin uploads connect` does.
        let environment = Environment::with_defaults(provisioned.environment().clone());
        let connected = upload::Account::connect(&environment, brightcove.account(), brightcove.client_id(), brightcove.client_secret());
        connected.await.map_err(|error| Error::Seed(error.to_string()))?;
    }
    Ok((provisioned.start().await?, seed))
}
