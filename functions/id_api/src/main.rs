//! The ID API: access tokens, domains, verification keys, and usage reports.

use cloud::{
    gateway::Error,
    identity::{self, authority::IdApi},
    setting::Environment,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::process();
    let api = IdApi::from_env(&environment).await?;
    identity::api(&environment).serve(&environment, async |request| api.request(request).await).await
}
