//! `rampway explain`: its arguments.

use std::io;

use clap::Args;
use serde_json::json;
use shared::identity::Domain;

use super::{Error, connect::Connect, print};
use crate::explain::{self, Permissions};
use client::ConnectionError;

const AFTER_HELP: &str = "\
Examples:
  rampway explain XY1005wXyWPB1SgpMUKIpzA0I3UaLEz-2lg0wFAr1PWK7FMhs
  rampway explain XY1005wXyWPB1SgpMUKIpzA0I3UaLEz-2lg0wFAr1PWK7FMhs --to 1009
  rampway explain - --offline
  rampway explain --json XY1005wXyWPB1SgpMUKIpzA0I3UaLEz-2lg0wFAr1PWK7FMhs

It takes no key, so it cannot tell whom an id means, nor whether it is genuine. Where ids may go is told for the client whose \
credentials are given, or for the suite that runs here; without either only the form is explained.";

/// Explain ids: their kind and domain, what is wrong with them and where, and which way they may go
#[derive(Clone, Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Explain {
    /// The ids; - reads them from standard input, one a line
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<String>,
    /// A domain to tell of, besides those that the client has to do with; may be repeated
    #[arg(long, value_name = "DOMAIN")]
    pub to: Vec<Domain>,
    /// Ask nobody: explain the form alone
    #[arg(long)]
    pub offline: bool,
    /// Print JSON: what was found out of the client, and an entry for each id
    #[arg(long)]
    pub json: bool,
    /// Whom to ask, and as whom.
    #[command(flatten)]
    pub connect: Connect,
}

/// Explains the ids and prints what there is to say.
pub(super) async fn run(arguments: Explain) -> Result<(), Error> {
    let Explain { mut ids, to, offline, json, connect } = arguments;
    if ids == ["-"] {
        ids = io::read_to_string(io::stdin())?.lines().map(|line| line.trim_end_matches('\r').to_owned()).collect();
    }
    let (permissions, unknown) = if offline { (None, None) } else { ask(connect).await };
    let explanations = ids.iter().map(|id| explain::explain(id, permissions.as_ref(), &to));
    if json {
        let explanations: Vec<_> = explanations.map(|explanation| explanation.to_json()).collect();
        let all = json!({"permissions_known": permissions.is_some(), "message": unknown, "ids": explanations});
        return Ok(print(&format!("{all:#}\n"))?);
    }
    let texts: Vec<_> = explanations.map(|explanation| explanation.to_string()).collect();
    print(&texts.join("\n"))?;
    if let Some(unknown) = unknown {
        eprintln!("\nWhere they may go is not known: {unknown}.");
    }
    Ok(())
}

/// What the client may do, or why that is not known. That is no failure: the form is explained all the same.
async fn ask(connect: Connect) -> (Option<Permissions>, Option<String>) {
    let asked = async {
        let client = connect.client().await.map_err(|error| match error {
            super::connect::Error::Connection(ConnectionError::NotConfigured) => "no client is given, and no suite runs here".into(),
            error => error.to_string(),
        })?;
        Permissions::ask(&client).await.map_err(|error| error.to_string())
    };
    match asked.await {
        Ok(permissions) => (Some(permissions), None),
        Err(said) => (None, Some(said)),
    }
}
