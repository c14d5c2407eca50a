//! The demonstration: an audience minted here and now, translated through the running cloud.

use std::{
    fmt::Write as _,
    fs, io,
    num::NonZero,
    path::{Path, PathBuf},
};

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

use crate::serve::{self, FROM, Seed, TO};

/// How many rows the audience has.
pub const ROWS: u32 = 10_000;
/// Rows that are shown.
const SHOWN: usize = 6;

/// Why there was no demonstration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The suite did not start.
    #[error(transparent)]
    Serve(#[from] serve::Error),
    /// There is nobody to ask for tokens.
    #[error("the template has no authority's side: there is nobody to ask for tokens")]
    NoAuthority,
    /// The ids were not minted.
    #[error(transparent)]
    Admin(#[from] admin::Error),
    /// The client was not initialised.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// The file was not translated.
    #[error(transparent)]
    Translate(#[from] files::Error),
    /// A file.
    #[error("{} cannot be used ({cause})", file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// What is wrong with it.
        cause: io::Error,
    },
}

/// What was done.
#[derive(Debug)]
pub struct Demonstration {
    /// The file that was translated.
    pub audience: PathBuf,
    /// Its translation.
    pub translated: PathBuf,
    /// What became of its ids.
    pub summary: Report,
}

/// Starts a suite with nothing kept, mints the audience into `folder`, and translates it.
pub async fn run(template: PathBuf, instances: NonZero<usize>, folder: &Path) -> Result<Demonstration, Error> {
    say("Starting both sides on this machine, with nothing kept.");
    let options = Options { template, port: 0, instances: instances.get(), state: State::Ephemeral, quiet: true, ..Options::default() };
    let (cloud, seed) = serve::start(options).await?;
    let shown = with(&cloud, seed.as_ref(), folder).await;
    cloud.stop().await;
    shown
}

async fn with(cloud: &LocalCloud, seed: Option<&Seed>, folder: &Path) -> Result<Demonstration, Error> {
    let audience = folder.join("audience.csv");
    let translated = folder.join(format!("audience.{}.csv", TO[0]));
    say(&format!("Minting {ROWS} rows under the keys of this run into {}.", audience.display()));
    let admin = Admin::from_env(&Environment::with_defaults(cloud.environment().clone())).await?;
    let text = mint(&admin).await?;
    let file = |cause| Error::File { file: audience.clone(), cause };
    fs::create_dir_all(folder).and_then(|()| fs::write(&audience, text)).map_err(file)?;

    say(&format!("Translating them at {}: gateway, proxy, endpoint, transcoder, and back.", cloud.api()));
    let credentials = &seed.ok_or(Error::NoAuthority)?.credentials;
    let client = Client::new(cloud.api(), credentials.clone())?;
    client.init().await?;
    let options = files::Options {
        input: Location::Local(audience.clone()),
        output: Location::Local(translated.clone()),
        rejects: None,
        input_format: None,
        output_format: None,
        compression: None,
        column: Column::Named("rampid".into()),
        target: Target::Domain(domain(TO[0])),
        delimiter: None,
        in_flight: NonZero::<usize>::MIN.saturating_add(1),
        // Small enough that there are several requests.
        max_request_bytes: DEFAULT_API_REQUEST_BYTES / 50,
        progress: true,
        resume: false,
        store: None,
    };
    let summary = files::translate(client, &options, std::future::pending()).await?;
    Ok(Demonstration { audience, translated, summary })
}

/// Ten thousand rows: people, households, devices; every hundredth row has something wrong with it.
async fn mint(admin: &Admin) -> Result<String, Error> {
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
            // Cut off, altered, a partner's, and none at all.
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

/// One character changed, and still the form of an id.
fn altered(id: &Id) -> String {
    let text = id.to_string();
    let other = if text.as_bytes()[20] == b'A' { "B" } else { "A" };
    format!("{}{other}{}", &text[..20], &text[21..])
}

fn domain(text: &str) -> Domain {
    text.parse().expect("the seed's domains are domains")
}

fn say(line: &str) {
    eprintln!("{line}");
}

impl Demonstration {
    /// The first rows, the summary, and what to try next.
    pub fn show(&self) -> Result<String, Error> {
        let text = fs::read_to_string(&self.translated).map_err(|cause| Error::File { file: self.translated.clone(), cause })?;
        let mut shown = format!("\nThe first rows of {}:\n\n", self.translated.display());
        for line in text.lines().take(SHOWN + 1) {
            let _ = writeln!(shown, "  {line}");
        }
        let _ = write!(
            shown,
            "\n{}\nWhat to try next:\n  \
             cargo run --release -- serve                        # the same, to stay; it prints curl lines\n  \
             cargo run --release -- translate FILE.csv --column rampid --to {}\n  \
             cargo run --release -- help                         # everything else\n\
             The audience is this run's: its keys are gone. For `serve`, mint ids with `rampway mint`.\n",
            self.summary, TO[0],
        );
        Ok(shown)
    }
}
