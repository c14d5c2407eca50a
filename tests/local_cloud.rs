//! The local cloud that the tests call: template.yaml, started with state of its own on a free
//! port.

use std::collections::BTreeMap;

use cloud::{setting::Environment, vault::Vault};
use local::{LocalCloud, Options, State};
use rampway::serve::{self, Seed};
use reqwest::Client;

/// Starts the template with parameters and a number of transcoder instances. There is a seed if the
/// authority is part of the deployment.
pub async fn start(parameters: BTreeMap<String, String>, instances: usize) -> (LocalCloud, Option<Seed>) {
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml").into();
    let options = Options { template, parameters, port: 0, instances, state: State::Ephemeral, quiet: true, ..Options::default() };
    serve::start(options).await.expect("the local cloud starts")
}

/// An HTTP client that uses no proxy: everything it calls is on this machine.
pub fn http_client() -> Client {
    Client::builder().no_proxy().build().expect("a client")
}

/// The vault that the functions of a local cloud use.
pub async fn vault(cloud: &LocalCloud) -> Vault {
    Vault::connect(&Environment::with_defaults(cloud.environment().clone())).await.expect("the vault is reachable")
}
