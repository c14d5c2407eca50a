//! Grants access tokens, tells of domains and verification keys, and takes usage reports.

use cloud::{
    gateway::{self, Error},
    identity::authority::IdApi,
    setting::Environment,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::process();
    let api = IdApi::from_env(&environment).await?;
    gateway::serve(&environment, async |request| api.request(request).await).await
}
