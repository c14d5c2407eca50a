//! `rampway admin uploads`.

use std::io::{self, BufRead};

use clap::Subcommand;
use cloud::{
    clock::now,
    setting::Environment,
    upload::{self, Account, Reaper, Report, setting::Table},
};
use shared::secret::SecretText;

use crate::{
    error::Error,
    output::{relative_time, table},
};

const AFTER_HELP: &str = "\
Examples:
  rampway admin uploads connect --account 1234567890001 --client-id 5f0e5a52   # secret on standard input
  rampway admin uploads list
  rampway admin uploads reap --dry-run
  rampway admin uploads reap";

/// The commands on uploads.
#[derive(Clone, Debug, Subcommand)]
#[command(after_help = AFTER_HELP)]
pub enum Uploads {
    /// Store the API credentials of a Brightcove account; the client secret is the first line of
    /// standard input
    ///
    /// The credentials need the operations video-cloud/video (create, read, delete) and
    /// video-cloud/upload-urls/read. The secret is stored encrypted. Stored credentials of the
    /// account are replaced.
    Connect {
        /// Id of the account
        #[arg(long, value_name = "ID")]
        account: String,
        /// Client id of the API credentials
        #[arg(long, value_name = "ID")]
        client_id: String,
    },
    /// List the uploads and their states
    List,
    /// Delete the videos of uploads that were not finished, as the schedule does every 15 minutes
    Reap {
        /// Only print what would be done
        #[arg(long)]
        dry_run: bool,
    },
}

/// Executes the command. A secret is the first line of `input`.
pub(super) async fn run(command: &Uploads, environment: &Environment, input: &mut (impl BufRead + ?Sized)) -> Result<String, Error> {
    // If no environment file was found, this table is the first that is missing. Its own error says
    // what to do about that.
    Table::Uploads.name(environment)?;
    match command {
        Uploads::Connect { account, client_id } => {
            Account::connect(environment, account, client_id, &read_secret(input)?).await?;
            Ok(format!("account {account} is connected, as client {client_id}\n"))
        }
        Uploads::List => list(environment).await,
        Uploads::Reap { dry_run } => Ok(summary(&Reaper::from_env(environment).await?.run(*dry_run).await?)),
    }
}

fn read_secret(input: &mut (impl BufRead + ?Sized)) -> Result<SecretText, Error> {
    let mut line = String::new();
    input.read_line(&mut line).map_err(Error::Secret)?;
    let secret = line.trim();
    if secret.is_empty() { Err(Error::Secret(io::ErrorKind::UnexpectedEof.into())) } else { Ok(SecretText::new(secret.to_owned())) }
}

async fn list(environment: &Environment) -> Result<String, Error> {
    let mut records = upload::Uploads::from_env(environment).await?.list().await?;
    records.sort_by_key(|record| record.created_at);
    let mut rows = vec![["video", "state", "created", "credentials end", "name"].map(String::from)];
    for record in records {
        let [created, end] = [record.created_at, record.expires_at].map(|second| relative_time(second, now()));
        // The name comes from a browser: it must not control the terminal.
        let name = record.name.chars().filter(|letter| !letter.is_control()).collect();
        rows.push([record.video.to_string(), record.progress.state.name().into(), created, end, name]);
    }
    Ok(table(&rows))
}

fn summary(report: &Report) -> String {
    let Report { dry_run, reaped, closed, kept, interrupted } = report;
    let [deleted, ended] = if *dry_run { ["would be deleted", "would be closed"] } else { ["deleted", "closed"] };
    let lines = [(deleted, reaped), (ended, closed), ("kept by Brightcove", kept)];
    let lines = lines.iter().flat_map(|(action, videos)| videos.iter().map(move |video| format!("{video}  {action}\n")));
    let mut text: String = lines.collect();
    if text.is_empty() {
        text.push_str("no upload has expired unfinished\n");
    }
    if *interrupted {
        text.push_str("Brightcove is busy; the remaining uploads are left for the next run\n");
    }
    text
}
