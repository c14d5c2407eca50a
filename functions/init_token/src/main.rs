//! Mints the init token that brings domain keys to a client's transcoder.

use cloud::{
    gateway::Error,
    identity::{self, authority::Initialiser},
    setting::Environment,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::process();
    let initialiser = Initialiser::from_env(&environment).await?;
    identity::api(&environment).serve(&environment, async |request| initialiser.init_token(request).await).await
}
