//! The proxy in front of the transcoder: initialises it, verifies tokens, counts usage, and sends keys
//! to instances without them.

use cloud::{
    gateway::Error,
    identity::{self, customer::Proxy},
    setting::Environment,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::process();
    let proxy = Proxy::from_env(&environment).await?;
    identity::api(&environment).run(&environment, async |event| proxy.event(event).await).await
}
