//! Creates a video at Brightcove, and returns the location for its file.

use cloud::{
    gateway::Error,
    setting::Environment,
    upload::{self, Creator},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::process();
    let creator = Creator::from_env(&environment).await?;
    upload::api(&environment).serve(&environment, async |request| creator.request(request).await).await
}
