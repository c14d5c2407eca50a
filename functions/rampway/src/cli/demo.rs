//! `rampway demo`.

use std::{num::NonZero, path::PathBuf};

use clap::Args;

use super::{Error, print};

const AFTER_HELP: &str = "\
Examples:
  rampway demo
  rampway demo --instances 3";

/// See it work: everything started, an audience minted and translated, and what to try next
///
/// Starts both sides on this machine with ephemeral state, mints the 10,000 rows of examples/audience.csv with some bad ids among
/// them, translates them through the API, writes the result beside them, and shows the first rows and a summary.
#[derive(Clone, Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Demo {
    /// How many translator processes to run
    #[arg(long, value_name = "N", default_value_t = NonZero::<usize>::MIN)]
    pub instances: NonZero<usize>,
    /// The template that says which functions, routes and tables there are
    #[arg(long, value_name = "FILE", default_value = "template.yaml")]
    pub template: PathBuf,
}

/// Shows it, and prints what came of it.
pub(super) async fn run(arguments: Demo) -> Result<(), Error> {
    let shown = tokio::select! {
        shown = crate::demo::run(arguments.template, arguments.instances, "examples".as_ref()) => shown?,
        _ = tokio::signal::ctrl_c() => return Err(Error::Stopped),
    };
    print(&shown.show()?)?;
    Ok(())
}
