//! `rampway demo`: an audience is minted and translated through a local cloud.

use std::{
    fmt::Write as _,
    fs, io,
    num::NonZero,
    path::{Path, PathBuf},
};

use clap::Args;
use client::Client;
use cloud::{
    identity::admin::{self, Admin},
    setting::Environment,
};
use files::{Column, DEFAULT_API_REQUEST_BYTES, Location, Report, Target};
use local::{LocalCloud, Options, State};
use shared::{
    crypto::sha256,
    identity::{Domain, Id, Kind},
};

use crate::{
    args::LocalCloudArgs,
    error::Error,
    output::print,
    serve::{self, FROM, Seed, TO},
    setting,
};

const AFTER_HELP: &str = "\
Examples:
  rampway demo
  rampway demo --instances 3";

/// The directory of the audience and its translation.
const DIRECTORY: &str = "examples";
/// The number of rows of the audience.
const ROWS: u32 = 10_000;
/// The number of translated rows that are printed.
const PRINTED_ROWS: usize = 6;

/// Run everything once: mint an audience, translate it, and print the result
///
/// Starts the authority and a customer on this machine with ephemeral state, mints the 10,000 rows
/// of examples/audience.csv with some invalid ids among them, translates them through the API into
/// a second file beside it, and prints the first rows, a summary, and what to try next.
#[derive(Clone, Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Demo {
    /// What the local cloud runs.
    #[command(flatten)]
    pub local: LocalCloudArgs,
}

/// Runs the demo and prints its result.
pub async fn run(arguments: Demo) -> Result<(), Error> {
    let result = tokio::select! {
        result = demonstrate(arguments.local, DIRECTORY.as_ref()) => result?,
        _ = tokio::signal::ctrl_c() => return Err(Error::Interrupted),
    };
    print(&result)?;
    Ok(())
}

/// Starts an ephemeral local cloud, mints the audience into `directory`, translates it, and returns
/// the text to print.
async fn demonstrate(arguments: LocalCloudArgs, directory: &Path) -> Result<String, Error> {
    log("Starting the authority and a customer on this machine, with ephemeral state.");
    let options = Options { port: 0, state: State::Ephemeral, quiet: true, ..arguments.options() };
    let (cloud, seed) = serve::start(options).await?;
    let result = translate(&cloud, seed.as_ref(), directory).await;
    cloud.stop().await;
    result
}

async fn translate(cloud: &LocalCloud, seed: Option<&Seed>, directory: &Path) -> Result<String, Error> {
    let audience = directory.join("audience.csv");
    let translated = directory.join(format!("audience.{}.csv", TO[0]));
    log(&format!("Minting {ROWS} rows under this run's keys into {}.", audience.display()));
    let admin = Admin::from_env(&Environment::with_defaults(cloud.environment().clone())).await?;
    let text = mint(&admin).await?;
    fs::create_dir_all(directory).and_then(|()| fs::write(&audience, text)).map_err(failed(&audience))?;

    log(&format!("Translating them at {}: API Gateway, proxy, endpoint, transcoder, and back.", cloud.api()));
    let credentials = &seed.ok_or(Error::NoAuthority)?.credentials;
    let client = Client::new(cloud.api(), credentials.clone())?;
    client.init().await?;
    let options = files::Options {
        input: Location::Local(audience),
        output: Location::Local(translated.clone()),
        rejects: None,
        input_format: None,
        output_format: None,
        compression: None,
        column: Column::Named("rampid".into()),
        target: Target::Domain(domain(TO[0])),
        delimiter: None,
        in_flight: NonZero::<usize>::MIN.saturating_add(1),
        // Small requests: the file is sent in more than one.
        max_request_bytes: DEFAULT_API_REQUEST_BYTES / 50,
        progress: true,
        resume: false,
        store: None,
    };
    let report = files::translate(client, &options, std::future::pending()).await?;
    summary(&translated, &report)
}

/// Returns the audience's rows. One row in a hundred has an invalid id.
async fn mint(admin: &Admin) -> Result<String, admin::Error> {
    let (from, foreign) = (domain(FROM), domain(TO[1]));
    let mint = admin.mint(&[from, foreign]).await?;
    let mut text = String::from("row,segment,rampid,spend\n");
    for row in 1..=ROWS {
        let payload = sha256(format!("person {row}").as_bytes());
        let kind = match row % 10 {
            0 | 1 => Kind::Derived,
            2 => Kind::Household,
            3 => Kind::Mobile,
            _ => Kind::Maintained,
        };
        let id = |domain| mint.id(kind, domain, &payload[..kind.payload_len()]);
        let id = match row % 600 {
            // Truncated, altered, of a foreign domain, and empty.
            100 => id(from)?.to_string()[..40].to_owned(),
            200 => altered(&id(from)?),
            300 => id(foreign)?.to_string(),
            400 => String::new(),
            _ => id(from)?.to_string(),
        };
        let _ = writeln!(text, "{row},\"segment {}, spring\",{id},{}.{:02}", row % 7, row % 211, row % 100);
    }
    Ok(text)
}

/// Replaces one character. The result still has the form of an id.
fn altered(id: &Id) -> String {
    let text = id.to_string();
    let other = if text.as_bytes()[20] == b'A' { "B" } else { "A" };
    format!("{}{other}{}", &text[..20], &text[21..])
}

fn domain(text: &str) -> Domain {
    text.parse().expect("the seed's domains are valid")
}

/// Prints a step to standard error.
fn log(step: &str) {
    eprintln!("{step}");
}

fn failed(file: &Path) -> impl FnOnce(io::Error) -> Error {
    let file = PathBuf::from(file);
    move |cause| Error::File { file, cause }
}

/// Returns the first rows, the report, and what to try next.
fn summary(translated: &Path, report: &Report) -> Result<String, Error> {
    let text = fs::read_to_string(translated).map_err(failed(translated))?;
    let mut summary = format!("\nFirst rows of {}:\n\n", translated.display());
    for line in text.lines().take(PRINTED_ROWS + 1) {
        let _ = writeln!(summary, "  {line}");
    }
    let rampway = if setting::is_run_by_cargo() { "cargo run --release --" } else { "rampway" };
    let _ = write!(
        summary,
        "\n{report}\nNext steps:\n  \
         {rampway} serve                     # keep the local cloud running; prints curl commands\n  \
         {rampway} translate FILE.csv --column rampid --to {}\n  \
         {rampway} help                      # list the other commands\n\
         The keys of this run are deleted. Mint ids for `serve` with `rampway mint`.\n",
        TO[0],
    );
    Ok(summary)
}
