//! `rampway serve`.

use std::{num::NonZero, path::PathBuf};

use clap::Args;
use local::Options;

use super::{Error, State, print};
use crate::serve;

const AFTER_HELP: &str = "\
Examples:
  rampway serve
  rampway serve --port 8080 --instances 3
  rampway serve --ephemeral
  rampway serve --parameter UploadOrigins=http://localhost:5173

While it runs, another terminal can use it without further ado:
  rampway translate audience.csv --column rampid --to 1006
  rampway admin domains list";

/// Run both sides on this machine: a cloud on your desk
///
/// Reads the template, creates its tables in an embedded database, starts the function binaries as Lambda would, and puts an
/// isolated translator behind them. A bucket and a stand-in for Brightcove take what browsers upload. The API is under
/// http://127.0.0.1:PORT/Prod. Demo credentials are printed as ready-to-paste curl lines. Ctrl-C ends it.
#[derive(Clone, Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Serve {
    /// The port of the API on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 3000)]
    pub port: u16,
    /// How many translator processes to run, as a SageMaker endpoint has instances
    #[arg(long, value_name = "N", default_value_t = NonZero::<usize>::MIN)]
    pub instances: NonZero<usize>,
    /// Keep nothing: start empty, and forget everything at the end
    #[arg(long, conflicts_with = "state")]
    pub ephemeral: bool,
    /// Where the state is kept.
    #[command(flatten)]
    pub state: State,
    /// The template that says which functions, routes and tables there are
    #[arg(long, value_name = "FILE", default_value = "template.yaml")]
    pub template: PathBuf,
    /// A parameter of the template, as `sam deploy` takes it; may be repeated
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    pub parameters: Vec<(String, String)>,
}

fn parameter(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("a parameter is of the form NAME=VALUE")?;
    Ok((name.into(), value.into()))
}

/// Serves until Ctrl-C, or until it is asked to end.
pub(super) async fn run(arguments: Serve) -> Result<(), Error> {
    let Serve { port, instances, ephemeral, state, template, parameters } = arguments;
    let parameters = parameters.into_iter().collect();
    let state = if ephemeral { local::State::Ephemeral } else { local::State::Directory(state.state) };
    let options = Options { template, parameters, port, instances: instances.get(), state, ..Options::default() };
    let (cloud, seed) = serve::start(options).await?;
    print(&format!("{}\n", serve::banner(&cloud, seed.as_ref())))?;
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        stopped = tokio::signal::ctrl_c() => stopped?,
        _ = terminate.recv() => {}
    }
    eprintln!("Stopping.");
    cloud.stop().await;
    Ok(())
}
