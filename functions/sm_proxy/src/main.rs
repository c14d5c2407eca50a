//! Stands before the transcoder: initialises it, verifies tokens, counts, and heals instances without keys.

use cloud::{
    gateway::{self, Error},
    identity::customer::Proxy,
    setting::Environment,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::process();
    let proxy = Proxy::from_env(&environment).await?;
    gateway::run(&environment, async |event| proxy.event(event).await).await
}
