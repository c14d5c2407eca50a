//! `rampway serve`: the local cloud, with the first domains, keys and credentials in it.

mod banner;
mod seed;

use clap::Args;
use cloud::{setting::Environment, upload};
use local::{LocalCloud, Options};

pub use self::{
    banner::banner,
    seed::{CLIENT, FROM, Seed, TO},
};
use crate::{
    args::{LocalCloudArgs, StateArgs, parameter},
    error::Error,
    openapi::{self, OPENAPI_PATH},
    output::print,
};

const AFTER_HELP: &str = "\
Examples:
  rampway serve
  rampway serve --port 8080 --instances 3
  rampway serve --ephemeral
  rampway serve --parameter UploadOrigins=http://localhost:5173

While it runs, the other commands find it:
  rampway translate audience.csv --column rampid --to 1006
  rampway admin domains list";

/// Run the authority, a customer and uploads on this machine: the local cloud
///
/// Reads the SAM template, creates its tables in an embedded DynamoDB, runs the function binaries
/// as Lambda does, and starts transcoders behind a local SageMaker endpoint. A local S3 bucket and
/// a Brightcove simulator accept uploads from browsers. The API is served at
/// http://127.0.0.1:PORT/Prod. Prints curl commands with the credentials of a demo client. Ctrl-C
/// stops it.
#[derive(Clone, Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Serve {
    /// Port of the API on 127.0.0.1; 0 selects a free one
    #[arg(long, default_value_t = 3000)]
    pub port: u16,
    /// Keep no state: start with empty tables, and delete everything at the end
    #[arg(long, conflicts_with = "state")]
    pub ephemeral: bool,
    /// Where the state is kept.
    #[command(flatten)]
    pub state: StateArgs,
    /// What the local cloud runs.
    #[command(flatten)]
    pub local: LocalCloudArgs,
    /// Parameter of the template, as for `sam deploy`; can be repeated
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    pub parameters: Vec<(String, String)>,
}

/// Serves until Ctrl-C or SIGTERM.
pub async fn run(arguments: Serve) -> Result<(), Error> {
    let Serve { port, ephemeral, state, local, parameters } = arguments;
    let state = if ephemeral { local::State::Ephemeral } else { local::State::Directory(state.state) };
    let options = Options { port, state, parameters: parameters.into_iter().collect(), ..local.options() };
    let (cloud, seed) = start(options).await?;
    print(&format!("{}\n", banner(&cloud, seed.as_ref())))?;
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        stopped = tokio::signal::ctrl_c() => stopped?,
        _ = terminate.recv() => {}
    }
    eprintln!("Stopping.");
    cloud.stop().await;
    Ok(())
}

/// Starts a local cloud, which serves when this returns. The seed is `None` if the template lacks
/// the authority.
pub async fn start(options: Options) -> Result<(LocalCloud, Option<Seed>), Error> {
    let mut provisioned = LocalCloud::provision(options).await?;
    let description = openapi::document(provisioned.stack(), provisioned.api());
    provisioned.add_document(OPENAPI_PATH, description.to_string());
    let seed = seed::seed(&provisioned).await?;
    if let Some(brightcove) = provisioned.brightcove() {
        // As `rampway admin uploads connect` does.
        let environment = Environment::with_defaults(provisioned.environment().clone());
        let connected = upload::Account::connect(&environment, brightcove.account(), brightcove.client_id(), brightcove.client_secret());
        connected.await.map_err(|error| Error::Seed(error.to_string()))?;
    }
    Ok((provisioned.start().await?, seed))
}
