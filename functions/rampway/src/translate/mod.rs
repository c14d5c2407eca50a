//! `rampway translate`: translates a file.

mod values;

use std::{
    io,
    num::NonZero,
    path::{Path, PathBuf},
};

use clap::{ArgGroup, Args};
use cloud::{object::Store, setting::Environment};
use files::{Column, Compression, Format, Location, Options, Report, Target};
use shared::identity::Domain;
use tokio::signal::unix::{SignalKind, signal};

use self::values::{compression, delimiter, format, in_flight, share};
use crate::{
    args::{ClientArgs, Via},
    error::Error,
    output::print,
};

/// The smallest value of --request-bytes.
const MIN_REQUEST_BYTES: usize = 4096;
/// The largest value of --request-bytes through the API: the limit of a Lambda event.
const MAX_API_REQUEST_BYTES: usize = 6_000_000;
/// The largest value of --request-bytes to the endpoint. With the longest ids it corresponds to the
/// endpoint's own limit.
const MAX_ENDPOINT_REQUEST_BYTES: usize = 12_000_000;

const AFTER_HELP: &str = "\
Examples:
  rampway translate audience.csv --column rampid --to 1006
  rampway translate audience.tsv --column rampid --to-column partner --output partners.tsv
  rampway translate audience.parquet --column rampid --to 1006 --rejects bad.csv --max-error-rate 0.01
  rampway translate audience.csv.gz --column rampid --to 1006 --output audience.1006.parquet
  rampway translate s3://bucket/audience.csv.gz --column rampid --to 1006 --output s3://bucket/audience.1006.parquet
  rampway translate - --input-format jsonl --column rampid --to 1006
  rampway translate audience.csv --column rampid --to 1006 --resume
  rampway translate audience.csv --column rampid --to 1006 --dry-run
  rampway translate ids.txt --no-header --column 1 --to 1006 --delimiter ';'
  rampway translate a.csv --column id --to 1006 --url https://api.example/Prod --client-id acme --client-secret-file secret
  rampway translate a.csv --column id --to 1006 --via endpoint --env-file translate.env --client-id acme --client-secret-file secret

Output:
  Every row and column of the input, byte for byte if the format stays the same, and two more columns. COLUMN_TARGET (with \
--to-column: COLUMN_translated) holds the translated id, and error_code the reason if there is none; the manual lists the codes. \
Both are empty for a blank id. In a file of one column an empty line is a row; in other files it stays an empty line. The output \
is renamed to its final name when it is complete. OUTPUT.report.json beside it holds the report.

Formats:
  Determined by the extension: csv, tsv, jsonl or parquet; text may be compressed, as gz or zst. The compression of an input is \
detected. CSV and JSON lines become Parquet columns of strings. JSON lines become the columns that the first object names.

Exit codes:
  0  The file is translated. The summary and the report count the ids that were refused.
  1  There is no output: reading, translating or writing failed. If rows are done, --resume continues.
  2  The arguments are invalid.
  3  The file is translated, but more ids were refused than --max-error-rate allows.";

/// Translate a file of RampIDs into another domain
///
/// Sends the ids of one column through the translation API, several requests at a time, and writes
/// the file again with the results in columns of their own. Memory is constant for any size of the
/// file. Tokens are refreshed, and requests to a busy server are retried.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[command(after_help = AFTER_HELP, group = ArgGroup::new("into").required(true))]
pub struct Translate {
    /// File to translate, S3 object (`s3://bucket/key`), or - for standard input
    #[arg(value_name = "FILE")]
    pub file: Location,
    /// Column of the ids: its name, or with --no-header its number, from 1
    #[arg(long)]
    pub column: String,
    /// Domain to translate into: four letters or digits
    #[arg(long, value_name = "DOMAIN", group = "into")]
    pub to: Option<Domain>,
    /// Column of the domain to translate each row's id into: its name, or with --no-header its
    /// number
    #[arg(long, value_name = "COLUMN", group = "into")]
    pub to_column: Option<String>,
    /// File to write, S3 object (`s3://bucket/key`), or - for standard output [default: FILE with
    /// the domain before its extension, such as audience.1006.csv]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<Location>,
    /// File for a copy of the rows whose ids are refused, with the reasons
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
    /// Share of the ids that may be refused, from 0 to 1; above it, the exit code is 3
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub max_error_rate: Option<f64>,
    /// Continue an interrupted run
    #[arg(long)]
    pub resume: bool,
    /// Check the first rows, the columns and the permissions, and write nothing
    #[arg(long, conflicts_with_all = ["resume", "max_error_rate"])]
    pub dry_run: bool,
    /// Print the report as JSON on standard output
    #[arg(long)]
    pub json: bool,
    /// Show no progress bar and no summary
    #[arg(long, short)]
    pub quiet: bool,
    /// Format of the input [default: by its extension, or csv]
    #[arg(long, value_name = "FORMAT", value_parser = format(), help_heading = "Format")]
    pub input_format: Option<Format>,
    /// Format of the output [default: by its extension, or the input's]
    #[arg(long, value_name = "FORMAT", value_parser = format(), help_heading = "Format")]
    pub output_format: Option<Format>,
    /// Compression of the output [default: by its extension]
    #[arg(long, value_name = "COMPRESSION", value_parser = compression(), help_heading = "Format")]
    pub output_compression: Option<Compression>,
    /// Delimiter of the columns; \t for a tab [default: a comma, or a tab in tsv]
    #[arg(long, value_name = "CHAR", value_parser = delimiter, help_heading = "Format")]
    pub delimiter: Option<u8>,
    /// The first row is not a header
    #[arg(long, help_heading = "Format")]
    pub no_header: bool,
    /// The server to call.
    #[command(flatten)]
    pub connection: ClientArgs,
    /// Maximum number of concurrent requests
    #[arg(long, value_name = "N", default_value = "4", value_parser = in_flight, help_heading = "Tuning")]
    pub in_flight: NonZero<usize>,
    /// Maximum size of one request in bytes, counted as a JSON-escaped Lambda event [default:
    /// 5000000; 8000000 with --via endpoint]
    #[arg(long, value_name = "BYTES", help_heading = "Tuning")]
    pub request_bytes: Option<usize>,
}

/// Translates the file and prints the summary.
pub async fn run(arguments: Translate) -> Result<(), Error> {
    let mut options = arguments.options()?;
    if matches!((&options.input, &options.output), (Location::Object(_), _) | (_, Location::Object(_))) {
        options.store = Some(Store::connect(&Environment::process()).await);
    }
    let client = arguments.connection.client().await?;
    if arguments.dry_run {
        let result = files::dry_run(client, &options).await?;
        print(&if arguments.json { result.to_json() } else { result.to_string() })?;
        return Ok(());
    }
    let report = files::translate(client, &options, stop_signal()?).await?;
    if !arguments.quiet {
        // Standard output is for data.
        eprint!("{report}");
    }
    if arguments.json {
        print(&report.to_json())?;
    }
    check_error_rate(&report, arguments.max_error_rate)
}

/// Completes at Ctrl-C or SIGTERM.
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let [mut interrupt, mut terminate] = [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?];
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

fn check_error_rate(report: &Report, max: Option<f64>) -> Result<(), Error> {
    match max {
        Some(max) if report.error_rate() > max => {
            let refused = report.refused().values().sum();
            Err(Error::TooManyRefused { refused, ids: report.translated() + refused, max })
        }
        _ => Ok(()),
    }
}

impl Translate {
    /// Resolves the arguments that depend on each other.
    fn options(&self) -> Result<Options, Error> {
        let target = match (self.to, &self.to_column) {
            (Some(domain), _) => Target::Domain(domain),
            (None, Some(text)) => Target::Column(self.column("--to-column", text)?),
            (None, None) => return Err(usage("pass --to or --to-column")),
        };
        let options = Options {
            input: self.file.clone(),
            output: self.output.clone().unwrap_or_else(|| self.default_output(&target)),
            rejects: self.rejects.clone(),
            input_format: self.input_format,
            output_format: self.output_format,
            compression: self.output_compression,
            column: self.column("--column", &self.column)?,
            target,
            delimiter: self.delimiter,
            in_flight: self.in_flight,
            max_request_bytes: self.max_request_bytes()?,
            progress: !self.quiet,
            resume: self.resume,
            store: None,
        };
        if self.json && options.output == Location::Stdio && !self.dry_run {
            return Err(usage("--json prints on standard output, which already has the rows; pass --output"));
        }
        if let Some(object) = self.rejects.as_ref().filter(|path| path.starts_with("s3:")) {
            return Err(usage(format!("--rejects must be a local file, not `{}`", object.display())));
        }
        if self.no_header && !matches!(options.input_format(), Format::Csv | Format::Tsv) {
            return Err(usage("--no-header requires delimited text; other formats name their columns"));
        }
        Ok(options)
    }

    fn column(&self, flag: &str, text: &str) -> Result<Column, Error> {
        if !self.no_header {
            return Ok(Column::Named(text.into()));
        }
        let number = text.parse().map_err(|_| usage(format!("with --no-header, pass {flag} as a number from 1, not `{text}`")))?;
        Ok(Column::Numbered(number))
    }

    fn max_request_bytes(&self) -> Result<usize, Error> {
        let (default, max) = match self.connection.via {
            Via::Api => (files::DEFAULT_API_REQUEST_BYTES, MAX_API_REQUEST_BYTES),
            Via::Endpoint => (files::DEFAULT_ENDPOINT_REQUEST_BYTES, MAX_ENDPOINT_REQUEST_BYTES),
        };
        let bytes = self.request_bytes.unwrap_or(default);
        if (MIN_REQUEST_BYTES..=max).contains(&bytes) {
            Ok(bytes)
        } else {
            Err(usage(format!("for this transport, pass --request-bytes as a number from {MIN_REQUEST_BYTES} to {max}")))
        }
    }

    /// The output of `audience.csv` is `audience.1006.csv`, and that of standard input is standard
    /// output.
    fn default_output(&self, target: &Target) -> Location {
        let Some(file) = self.file.name() else { return Location::Stdio };
        let infix = match target {
            Target::Domain(domain) => domain.to_string(),
            Target::Column(_) => "translated".into(),
        };
        let is_compressed = Compression::of(file) != Compression::None;
        let (stem, suffix) = if is_compressed { (file.with_extension(""), file.extension()) } else { (file.to_owned(), None) };
        let extension = match self.output_format {
            Some(format) => Path::new(format.extension()).as_os_str(),
            None => stem.extension().unwrap_or("csv".as_ref()),
        };
        let name = stem.with_extension(infix).with_added_extension(extension);
        // Parquet files compress their own pages.
        let suffix = suffix.filter(|_| self.output_format != Some(Format::Parquet) && self.output_compression.is_none());
        let name = suffix.map_or(name.clone(), |suffix| name.with_added_extension(suffix));
        match &self.file {
            Location::Object(address) => Location::Object(address.with_key(&name.to_string_lossy())),
            _ => Location::Local(name),
        }
    }
}

fn usage(message: impl Into<String>) -> Error {
    Error::Usage { command: "translate", message: message.into() }
}

#[cfg(test)]
mod tests;
