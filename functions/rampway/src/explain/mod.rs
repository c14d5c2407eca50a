//! `rampway explain`: what ids are, what is wrong with them, and into which domains they can be
//! translated.
//!
//! It uses no key. Therefore it can neither decode an id nor verify that it is genuine.

mod explanation;
mod form;
mod permissions;

use std::io;

use clap::Args;
use client::ConnectionError;
use serde_json::json;
use shared::identity::Domain;

pub use self::{
    explanation::{Explanation, explain},
    form::{Defect, Form},
    permissions::{Destination, Permissions},
};
use crate::{args::ClientArgs, error::Error, output::print};

const AFTER_HELP: &str = "\
Examples:
  rampway explain XY1005wXyWPB1SgpMUKIpzA0I3UaLEz-2lg0wFAr1PWK7FMhs
  rampway explain XY1005wXyWPB1SgpMUKIpzA0I3UaLEz-2lg0wFAr1PWK7FMhs --to 1009
  rampway explain - --offline
  rampway explain --json XY1005wXyWPB1SgpMUKIpzA0I3UaLEz-2lg0wFAr1PWK7FMhs

No key is used: ids are neither decoded nor verified. The permissions are those of the client with the given credentials, by \
default the demo client of the running local cloud. Without either, only the form is explained.";

/// Explain ids: their kind and domain, the position of each defect, and the domains they can be
/// translated into
#[derive(Clone, Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Explain {
    /// Ids, or - to read one from each line of standard input
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<String>,
    /// Additional target domain, besides those of the client's permissions; can be repeated
    #[arg(long, value_name = "DOMAIN")]
    pub to: Vec<Domain>,
    /// Send no request: explain the form alone
    #[arg(long)]
    pub offline: bool,
    /// Print JSON: whether the permissions are known, and one object for each id
    #[arg(long)]
    pub json: bool,
    /// The server to call.
    #[command(flatten)]
    pub connection: ClientArgs,
}

/// Explains the ids and prints the explanations.
pub async fn run(arguments: Explain) -> Result<(), Error> {
    let Explain { mut ids, to, offline, json, connection } = arguments;
    if ids == ["-"] {
        ids = io::read_to_string(io::stdin())?.lines().map(|line| line.trim_end_matches('\r').to_owned()).collect();
    }
    let (permissions, error) = if offline { (None, None) } else { fetch_permissions(connection).await };
    let explanations = ids.iter().map(|id| explain(id, permissions.as_ref(), &to));
    if json {
        let explanations: Vec<_> = explanations.map(|explanation| explanation.to_json()).collect();
        let all = json!({"permissions_known": permissions.is_some(), "message": error, "ids": explanations});
        return Ok(print(&format!("{all:#}\n"))?);
    }
    let texts: Vec<_> = explanations.map(|explanation| explanation.to_string()).collect();
    print(&texts.join("\n"))?;
    if let Some(error) = error {
        eprintln!("\nThe permissions are not known: {error}.");
    }
    Ok(())
}

/// Returns the client's permissions, or why they are not known. The latter is not an error: the
/// form is explained in either case.
async fn fetch_permissions(connection: ClientArgs) -> (Option<Permissions>, Option<String>) {
    let fetch = async {
        let client = connection.client().await.map_err(|error| match error {
            Error::Connection(ConnectionError::NotConfigured) => "no client is given, and no local cloud is running".into(),
            error => error.to_string(),
        })?;
        Permissions::fetch(&client).await.map_err(|error| error.to_string())
    };
    match fetch.await {
        Ok(permissions) => (Some(permissions), None),
        Err(error) => (None, Some(error)),
    }
}
