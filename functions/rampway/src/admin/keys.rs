//! `rampway admin keys`.

use clap::Subcommand;
use cloud::{clock::now, setting::Environment};

use super::authority::{HOUR, connect, validity};
use crate::{error::Error, output::table};

const AFTER_HELP: &str = "\
Examples:
  rampway admin keys create
  rampway admin keys create --after 24
  rampway admin keys list";

/// The commands on signing keys.
#[derive(Clone, Debug, Subcommand)]
#[command(after_help = AFTER_HELP)]
pub enum Keys {
    /// Create a signing key; it is published immediately
    Create {
        /// Delay in hours after which the key signs, so that all transcoders have loaded it; the
        /// first key signs immediately
        #[arg(long, value_name = "HOURS", default_value_t = 25)]
        after: u32,
    },
    /// List the ids of the signing keys
    List,
    /// Retire a signing key: tokens under it are refused immediately
    Retire {
        /// Id of the key
        key: String,
    },
}

pub(super) async fn run(command: &Keys, environment: &Environment) -> Result<String, Error> {
    let admin = connect(environment).await?;
    Ok(match command {
        Keys::Create { after } => {
            let key = admin.create_signing_key(now() + u64::from(*after) * HOUR).await?;
            format!("signing key {key} is created\n")
        }
        Keys::List => {
            let mut rows = vec![["key", "state"].map(String::from)];
            rows.extend(admin.signing_keys().await?.iter().map(|key| [key.kid.clone(), validity(key, now())]));
            table(&rows)
        }
        Keys::Retire { key } => {
            admin.retire_signing_key(key).await?;
            format!("signing key {key} is retired\n")
        }
    })
}
