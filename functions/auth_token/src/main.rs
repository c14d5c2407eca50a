//! Mints the smart token that opens the transcoder.

use cloud::{
    gateway::{self, Error},
    identity::authority::Issuer,
    setting::Environment,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::process();
    let issuer = Issuer::from_env(&environment).await?;
    gateway::serve(&environment, async |request| issuer.smart_token(request).await).await
}
