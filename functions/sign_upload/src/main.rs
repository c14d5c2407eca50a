//! Signs the requests to S3 that an upload needs, and no others; returns the time.

use cloud::{
    gateway::Error,
    setting::Environment,
    upload::{self, Signer},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::process();
    let signer = Signer::from_env(&environment).await?;
    upload::api(&environment).serve(&environment, async |request| signer.request(request).await).await
}
