//! `rampway admin`: the administration of the authority and of uploads.

pub(crate) mod authority;
pub mod clients;
pub mod domains;
pub mod keys;
pub mod permits;
pub mod transcoders;
pub mod uploads;

use std::io;

use clap::{Args, Subcommand};
use cloud::setting::Environment;

use self::{clients::Clients, domains::Domains, keys::Keys, permits::Permits, transcoders::Transcoders, uploads::Uploads};
use crate::{args::EnvironmentArgs, error::Error, output::print};

const AFTER_HELP: &str = "\
Two companies, from empty tables to the first translation:
  rampway admin keys create
  rampway admin clients create acme
  rampway admin clients create globex
  rampway admin domains create 1005 --owner acme
  rampway admin domains create 1006 --owner globex
  rampway admin transcoders create acme --model model
  rampway admin permits grant acme 1005 1006 --by acme
  rampway admin permits accept acme 1005 1006 --by globex --days 365
  rampway admin permits list acme

The same commands administer the local cloud of `rampway serve` and AWS; --env-file selects which.";

/// Administer domains, clients, permissions, keys and uploads, in the local cloud or on AWS
///
/// Reads and writes the tables directly. Secrets are stored encrypted or hashed. A client's secret
/// is shown once, when it is created.
#[derive(Clone, Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Admin {
    /// What to administer.
    #[command(subcommand)]
    pub subject: Subject,
    /// The tables and keys to administer.
    #[command(flatten)]
    pub environment: EnvironmentArgs,
}

/// What to administer.
#[derive(Clone, Debug, Subcommand)]
pub enum Subject {
    /// Domains: their owners, and the keys that encode their ids
    #[command(subcommand)]
    Domains(Domains),
    /// Clients: the callers of the API
    #[command(subcommand)]
    Clients(Clients),
    /// Permissions: the directions in which a client may translate, which both domains' owners must
    /// approve
    #[command(subcommand)]
    Permits(Permits),
    /// Transcoders: the public keys to which domain keys are encrypted
    #[command(subcommand)]
    Transcoders(Transcoders),
    /// Signing keys of the authority
    #[command(subcommand)]
    Keys(Keys),
    /// Uploads by browsers to Brightcove
    #[command(subcommand)]
    Uploads(Uploads),
}

/// Executes the command and prints its result.
pub async fn run(arguments: Admin) -> Result<(), Error> {
    let environment = arguments.environment.read()?;
    print(&execute(&arguments.subject, &environment).await?)?;
    Ok(())
}

/// Executes the command and returns the text to print.
pub(crate) async fn execute(subject: &Subject, environment: &Environment) -> Result<String, Error> {
    match subject {
        Subject::Domains(command) => domains::run(command, environment).await,
        Subject::Clients(command) => clients::run(command, environment).await,
        Subject::Permits(command) => permits::run(command, environment).await,
        Subject::Transcoders(command) => transcoders::run(command, environment).await,
        Subject::Keys(command) => keys::run(command, environment).await,
        Subject::Uploads(command) => uploads::run(command, environment, &mut io::stdin().lock()).await,
    }
}

#[cfg(test)]
mod tests;
