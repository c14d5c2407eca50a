//! `rampway doctor`: checks the connection to the transcoder.

mod diagnosis;

use clap::Args;

pub use self::diagnosis::{Check, Diagnosis};
use crate::{args::ClientArgs, error::Error, output::print};

const AFTER_HELP: &str = "\
Examples:
  rampway doctor
  rampway doctor --json
  rampway doctor --url https://api.example/Prod --client-id acme --client-secret-file secret
  rampway doctor --via endpoint --env-file translate.env --client-id acme --client-secret-file secret

Exit codes:
  0  All checks passed.
  1  A check failed. Its line says what to do.";

/// Check the connection: reachability, credentials, clock, permissions, and the transcoder's keys
///
/// Each line starts with `ok`, or with `failed` and says what to do. Nothing is changed or
/// translated.
#[derive(Clone, Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Doctor {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// The server to call.
    #[command(flatten)]
    pub connection: ClientArgs,
}

/// Checks the connection and prints the results.
pub async fn run(arguments: Doctor) -> Result<(), Error> {
    let diagnosis = match arguments.connection.client().await {
        Ok(client) => Diagnosis::of(&client).await,
        Err(error) => Diagnosis::unreachable(&error),
    };
    if arguments.json {
        print(&format!("{:#}\n", diagnosis.to_json()))?;
    } else {
        print(&diagnosis.to_string())?;
    }
    match diagnosis.failures() {
        0 => Ok(()),
        failures => Err(Error::ChecksFailed(failures)),
    }
}
