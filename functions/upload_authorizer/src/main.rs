//! Authorizes callers to create uploads.

use cloud::{
    gateway::{self, Error},
    setting::Environment,
    upload::Authorizer,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::process();
    let authorizer = Authorizer::from_env(&environment)?;
    gateway::authorize(&environment, async |request| Ok(authorizer.request(&request))).await
}
