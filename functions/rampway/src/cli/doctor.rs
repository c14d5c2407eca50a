//! `rampway doctor`: its arguments.

use clap::Args;

use super::{Error, connect::Connect, print};
use crate::doctor::Examination;

const AFTER_HELP: &str = "\
Examples:
  rampway doctor
  rampway doctor --json
  rampway doctor --url https://api.example/Prod --client-id acme --client-secret-file secret
  rampway doctor --via endpoint --env-file translate.env --client-id acme --client-secret-file secret

Exit codes:
  0  everything is as it should be
  1  something is not; its line says what to do";

/// Check the connection: reachability, credentials, clock, permissions, and the transcoder's keys
///
/// Each line begins with ok, or with wrong and says what to do. Nothing is changed, and nothing is translated.
#[derive(Clone, Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Doctor {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Whom to ask, and as whom.
    #[command(flatten)]
    pub connect: Connect,
}

/// Looks at everything and prints what was found.
pub(super) async fn run(arguments: Doctor) -> Result<(), Error> {
    let found = match arguments.connect.client().await {
        Ok(client) => Examination::of(&client).await,
        Err(error) => Examination::impossible(&error),
    };
    if arguments.json {
        print(&format!("{:#}\n", found.to_json()))?;
    } else {
        print(&found.to_string())?;
    }
    match found.wrongs() {
        0 => Ok(()),
        wrongs => Err(Error::Unwell(wrongs)),
    }
}
