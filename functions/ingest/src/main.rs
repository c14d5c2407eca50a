//! Lets Brightcove ingest an uploaded file, receives its callbacks, and reports the status.

use cloud::{
    gateway::Error,
    setting::Environment,
    upload::{self, Ingester},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::process();
    let ingester = Ingester::from_env(&environment).await?;
    upload::api(&environment).serve(&environment, async |request| ingester.request(request).await).await
}
