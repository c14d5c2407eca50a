//! Mints the smart token that a client needs for a translation.

use cloud::{
    gateway::Error,
    identity::{self, authority::Issuer},
    setting::Environment,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::process();
    let issuer = Issuer::from_env(&environment).await?;
    identity::api(&environment).serve(&environment, async |request| issuer.smart_token(request).await).await
}
