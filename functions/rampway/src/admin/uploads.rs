//! What `rampway admin uploads` does.

use std::io::{self, BufRead};

use cloud::{
    clock::now,
    setting::Environment,
    upload::{Account, Reaper, Report, setting::Table},
};
use shared::secret::SecretText;

use super::{Error, table, when};
use crate::cli::admin::Uploads;

/// Carries out an order; a secret is the first line of `input`.
pub(super) async fn run(order: &Uploads, environment: &Environment, input: &mut (impl BufRead + ?Sized)) -> Result<String, Error> {
    // The first question that a newcomer's mistake fails at, asked first for its own sentence.
    Table::Uploads.name(environment)?;
    match order {
        Uploads::Connect { account, client_id } => {
            Account::connect(environment, account, client_id, &secret(input)?).await?;
            Ok(format!("account {account} is connected, as client {client_id}\n"))
        }
        Uploads::List => list(environment).await,
        Uploads::Reap { dry_run } => Ok(told(&Reaper::from_env(environment).await?.run(*dry_run).await?)),
    }
}

fn secret(input: &mut (impl BufRead + ?Sized)) -> Result<SecretText, Error> {
    let mut line = String::new();
    input.read_line(&mut line).map_err(Error::Secret)?;
    let secret = line.trim();
    if secret.is_empty() { Err(Error::Secret(io::ErrorKind::UnexpectedEof.into())) } else { Ok(SecretText::new(secret.to_owned())) }
}

async fn list(environment: &Environment) -> Result<String, Error> {
    let mut records = cloud::upload::Uploads::from_env(environment).await?.list().await?;
    records.sort_by_key(|record| record.created_at);
    let mut rows = vec![["video", "state", "created", "credentials end", "name"].map(String::from)];
    for record in records {
        let [created, end] = [record.created_at, record.expires_at].map(|second| when(second, now()));
        // A visitor named the file: what steers a terminal is not for one.
        let name = record.name.chars().filter(|letter| !letter.is_control()).collect();
        rows.push([record.video.to_string(), record.progress.state.name().into(), created, end, name]);
    }
    Ok(table(&rows))
}

fn told(report: &Report) -> String {
    let Report { dry_run, reaped, closed, kept, interrupted } = report;
    let [removed, ended] = if *dry_run { ["would be removed", "would be closed"] } else { ["removed", "closed"] };
    let lines = [(removed, reaped), (ended, closed), ("kept by Brightcove", kept)];
    let lines = lines.iter().flat_map(|(what, videos)| videos.iter().map(move |video| format!("{video}  {what}\n")));
    let mut text: String = lines.collect();
    if text.is_empty() {
        text.push_str("no upload is over and unfinished\n");
    }
    if *interrupted {
        text.push_str("Brightcove is busy: the rest is for later\n");
    }
    text
}
