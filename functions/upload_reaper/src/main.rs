//! Deletes videos whose upload was not completed.

use cloud::{
    gateway::Error,
    setting::Environment,
    upload::{self, Reaper},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::process();
    let reaper = Reaper::from_env(&environment).await?;
    upload::api(&environment).run(&environment, async |event| reaper.event(event).await).await
}
