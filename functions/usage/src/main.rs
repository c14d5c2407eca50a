//! Reports usage to the authority: each minute once, in spite of failures.

use cloud::{
    gateway::Error,
    identity::{self, usage::UsageReporter},
    setting::Environment,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::process();
    let reporter = UsageReporter::from_env(&environment).await?;
    identity::api(&environment).run(&environment, async |_| Ok(reporter.report().await?.into())).await
}
