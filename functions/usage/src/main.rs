//! Reports usage to the authority: each minute once, whatever fails.

use cloud::{
    gateway::{self, Error},
    identity::usage::Reporter,
    setting::Environment,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::process();
    let reporter = Reporter::from_env(&environment).await?;
    gateway::run(&environment, async |_| Ok(reporter.report().await?.into())).await
}
