//! `rampway translate`: its arguments, and how they become a translation.

use std::{
    num::NonZero,
    path::{Path, PathBuf},
};

use clap::{
    ArgGroup, Args, CommandFactory,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
    error::ErrorKind,
};
use cloud::{object::Store, setting::Environment};
use shared::identity::Domain;
use tokio::signal::unix::{SignalKind, signal};

use super::{
    Rampway,
    connect::{Connect, Via},
};
use files::{Column, Compression, Format, Location, Options, Report, Target};

/// The least that a request may be allowed to weigh.
const MIN_REQUEST_BYTES: usize = 4096;
/// What a request through the API may be allowed to weigh, as the event that a function gets.
const MAX_REQUEST_BYTES: usize = 6_000_000;
/// The same straight to the endpoint, whose own limit is then reached by the longest ids.
const MAX_DIRECT_BYTES: usize = 12_000_000;

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

What comes out:
  Every row and column as it was, byte for byte where the format stays, and two columns more: COLUMN_TARGET (with \
--to-column: COLUMN_translated) holds the translated id, error_code says why there is none (the README lists the codes). A \
blank id passes with both empty. An empty line is a row in a file of one column; in a file of several it stays an empty \
line. The output takes its name only when it is complete; OUTPUT.report.json beside it says what was done.

Formats:
  The extensions say them: csv, tsv, jsonl, parquet, and behind those of text gz or zst; what separates the columns and the \
compression of an input are found out or said by flags. CSV has text alone: from it and from JSON lines, Parquet gets \
columns of text. JSON lines become columns by the members of the first object.

Exit codes:
  0  the file is translated; ids that could not be are in the summary and the report
  1  there is no output: the file, the server or this machine stood in the way; where rows are done, --resume goes on
  2  the command line makes no sense
  3  the file is translated, and more ids were refused than --max-error-rate allows";

/// Translate a file of RampIDs into another domain
///
/// Sends the ids of one column through the translation API, several requests at a time, and writes the file again with the result in
/// a column of its own. Memory stays constant whatever the size of the file. Tokens are refreshed and busy servers asked again
/// without your doing.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
#[command(after_help = AFTER_HELP, group = ArgGroup::new("into").required(true))]
pub struct Translate {
    /// The file to translate, an object (`s3://bucket/key`), or - for standard input
    #[arg(value_name = "FILE")]
    pub file: Location,
    /// The column that holds the ids: its name, or with --no-header its number, from 1
    #[arg(long)]
    pub column: String,
    /// The domain to translate into: four letters or digits
    #[arg(long, value_name = "DOMAIN", group = "into")]
    pub to: Option<Domain>,
    /// The column that holds the domain to translate each row's id into: its name, or with --no-header its number
    #[arg(long, value_name = "COLUMN", group = "into")]
    pub to_column: Option<String>,
    /// The file to write, an object (`s3://bucket/key`), or - for standard output [default: FILE with the domain before its extension, such as audience.1006.csv]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<Location>,
    /// A file for the rows whose ids were refused, with the reasons; they stay in the output too
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
    /// The share of the ids that may be refused, from 0 to 1: past it the exit code is 3
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub max_error_rate: Option<f64>,
    /// Go on where an earlier run was stopped
    #[arg(long)]
    pub resume: bool,
    /// Look at the first rows, the columns and the permissions, and write nothing
    #[arg(long, conflicts_with_all = ["resume", "max_error_rate"])]
    pub dry_run: bool,
    /// Print the report as JSON on standard output
    #[arg(long)]
    pub json: bool,
    /// Show neither a progress bar nor a summary
    #[arg(long, short)]
    pub quiet: bool,
    /// The input's format [default: what its extension says, or csv]
    #[arg(long, value_name = "FORMAT", value_parser = format(), help_heading = "Format")]
    pub input_format: Option<Format>,
    /// The output's format [default: what its extension says, or the input's]
    #[arg(long, value_name = "FORMAT", value_parser = format(), help_heading = "Format")]
    pub output_format: Option<Format>,
    /// The output's compression [default: what its extension says]
    #[arg(long, value_name = "COMPRESSION", value_parser = compression(), help_heading = "Format")]
    pub output_compression: Option<Compression>,
    /// What separates the columns; \t is a tab [default: a comma, in tsv a tab]
    #[arg(long, value_name = "CHAR", value_parser = delimiter, help_heading = "Format")]
    pub delimiter: Option<u8>,
    /// The first row is not a header
    #[arg(long, help_heading = "Format")]
    pub no_header: bool,
    /// Whom to ask, and as whom.
    #[command(flatten)]
    pub connect: Connect,
    /// How many requests may be under way at once
    #[arg(long, value_name = "N", default_value = "4", value_parser = in_flight, help_heading = "Tuning")]
    pub in_flight: NonZero<usize>,
    /// What a request may weigh at most, escaped as API Gateway hands it to a function, which takes 6 MB; the lines that go straight to the
    /// endpoint have a quarter of it [default: 5000000, with --via endpoint 8000000]
    #[arg(long, value_name = "BYTES", help_heading = "Tuning")]
    pub request_bytes: Option<usize>,
}

/// Why a translation did not succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file was not translated.
    #[error(transparent)]
    Translate(#[from] files::Error),
}

/// Translates the file and prints the summary.
pub(super) async fn run(arguments: Translate) -> Result<(), super::Error> {
    let mut options = arguments.options().unwrap_or_else(|error| error.exit());
    if matches!((&options.input, &options.output), (Location::Object(_), _) | (_, Location::Object(_))) {
        options.store = Some(Store::connect(&Environment::process()).await);
    }
    let client = arguments.connect.client().await?;
    if arguments.dry_run {
        let dry_run = files::dry_run(client, &options).await.map_err(Error::from)?;
        super::print(&if arguments.json { dry_run.to_json() } else { dry_run.to_string() })?;
        return Ok(());
    }
    let report = files::translate(client, &options, stopped()?).await.map_err(Error::from)?;
    if !arguments.quiet {
        // Standard output is left to data.
        eprint!("{report}");
    }
    if arguments.json {
        super::print(&report.to_json())?;
    }
    allowed(&report, arguments.max_error_rate)
}

/// Waits for Ctrl-C, or for this machine to end the program.
fn stopped() -> std::io::Result<impl Future<Output = ()>> {
    let [mut interrupt, mut terminate] = [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?];
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

fn allowed(report: &Report, most: Option<f64>) -> Result<(), super::Error> {
    match most {
        Some(most) if report.error_rate() > most => {
            let refused = report.refused().values().sum();
            Err(super::Error::TooManyRefused { refused, ids: report.translated() + refused, most })
        }
        _ => Ok(()),
    }
}

impl Translate {
    /// Reads together what depends on each other.
    fn options(&self) -> Result<Options, clap::Error> {
        let makes_no_sense = |message: String| Rampway::command().error(ErrorKind::ValueValidation, message);
        let column = |flag: &str, text: &str| -> Result<Column, clap::Error> {
            if !self.no_header {
                return Ok(Column::Named(text.into()));
            }
            let number = text.parse().map_err(|_| makes_no_sense(format!("with --no-header, {flag} is a number from 1, not `{text}`")))?;
            Ok(Column::Numbered(number))
        };
        let target = match (self.to, &self.to_column) {
            (Some(domain), _) => Target::Domain(domain),
            (None, Some(text)) => Target::Column(column("--to-column", text)?),
            (None, None) => return Err(makes_no_sense("give --to or --to-column".into())),
        };
        let column = column("--column", &self.column)?;
        let (usual, most) = match self.connect.via {
            Via::Api => (files::DEFAULT_API_REQUEST_BYTES, MAX_REQUEST_BYTES),
            Via::Endpoint => (files::DEFAULT_ENDPOINT_REQUEST_BYTES, MAX_DIRECT_BYTES),
        };
        let request_bytes = self.request_bytes.unwrap_or(usual);
        if !(MIN_REQUEST_BYTES..=most).contains(&request_bytes) {
            return Err(makes_no_sense(format!(
                "this way to the transcoder, --request-bytes is a number from {MIN_REQUEST_BYTES} to {most}"
            )));
        }
        let output = self.output.clone().unwrap_or_else(|| self.beside(&target));
        let options = Options {
            input: self.file.clone(),
            output,
            rejects: self.rejects.clone(),
            input_format: self.input_format,
            output_format: self.output_format,
            compression: self.output_compression,
            column,
            target,
            delimiter: self.delimiter,
            in_flight: self.in_flight,
            max_request_bytes: request_bytes,
            progress: !self.quiet,
            resume: self.resume,
            store: None,
        };
        if self.json && options.output == Location::Stdio && !self.dry_run {
            return Err(makes_no_sense("--json prints on standard output, which has the rows already: give --output".into()));
        }
        if let Some(object) = self.rejects.as_ref().filter(|path| path.starts_with("s3:")) {
            return Err(makes_no_sense(format!("--rejects is a file on this machine, not `{}`", object.display())));
        }
        if self.no_header && !matches!(options.input_format(), Format::Csv | Format::Tsv) {
            return Err(makes_no_sense("--no-header is for separated values: other formats name their columns".into()));
        }
        Ok(options)
    }

    /// `audience.csv` becomes `audience.1006.csv`, and standard input standard output.
    fn beside(&self, target: &Target) -> Location {
        let Some(file) = self.file.name() else { return Location::Stdio };
        let middle = match target {
            Target::Domain(domain) => domain.to_string(),
            Target::Column(_) => "translated".into(),
        };
        let packed = Compression::of(file) != Compression::None;
        let (stem, packing) = if packed { (file.with_extension(""), file.extension()) } else { (file.to_owned(), None) };
        let extension = match self.output_format {
            Some(format) => Path::new(format.extension()).as_os_str(),
            None => stem.extension().unwrap_or("csv".as_ref()),
        };
        let name = stem.with_extension(middle).with_added_extension(extension);
        // Parquet compresses its own pages.
        let packing = packing.filter(|_| self.output_format != Some(Format::Parquet) && self.output_compression.is_none());
        let name = packing.map_or(name.clone(), |packing| name.with_added_extension(packing));
        match &self.file {
            Location::Object(address) => Location::Object(address.with_key(&name.to_string_lossy())),
            _ => Location::Local(name),
        }
    }
}

fn format() -> impl TypedValueParser<Value = Format> {
    one_of(Format::ALL.map(|format| {
        let help = match format {
            Format::Csv => "Values separated by commas, or by --delimiter",
            Format::Tsv => "Values separated by tabs",
            Format::JsonLines => "A JSON object a line",
            Format::Parquet => "Apache Parquet",
        };
        (format, format.extension(), help)
    }))
}

fn compression() -> impl TypedValueParser<Value = Compression> {
    one_of(Compression::ALL.map(|compression| {
        let help = match compression {
            Compression::None => "No compression",
            Compression::Gzip => "gzip",
            Compression::Zstd => "Zstandard",
        };
        (compression, compression.name(), help)
    }))
}

/// A parser of values by their names, each with a line of help.
fn one_of<T: Clone + Send + Sync + 'static, const N: usize>(
    values: [(T, &'static str, &'static str); N],
) -> impl TypedValueParser<Value = T> {
    let names = values.clone().map(|(_, name, help)| PossibleValue::new(name).help(help));
    let value = move |name: String| values.iter().find(|(_, known, _)| *known == name).map(|(value, ..)| value.clone());
    PossibleValuesParser::new(names).try_map(move |name| value(name).ok_or("this is no possible value"))
}

/// Reads a separator: one that ids and quotes leave free.
fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        br"\t" => Ok(b'\t'),
        &[byte] if !byte.is_ascii_alphanumeric() && !b"\"-_\r\n".contains(&byte) => Ok(byte),
        [_] => Err("ids, quotes and line ends need this character themselves".into()),
        _ => Err(r"a separator is one ASCII character, or \t for a tab".into()),
    }
}

fn in_flight(text: &str) -> Result<NonZero<usize>, String> {
    text.parse().ok().filter(|number: &NonZero<usize>| number.get() <= 64).ok_or("a number from 1 to 64".into())
}

fn share(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or("a number from 0 to 1, such as 0.01".into())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        translate: Translate,
    }

    fn options(line: &str) -> Result<Options, clap::Error> {
        Line::try_parse_from(line.split(' '))?.translate.options()
    }

    #[test]
    fn the_output_is_named_after_the_input_and_the_target() {
        for (line, output) in [
            ("a/b.csv --to 1006", "a/b.1006.csv"),
            ("b.c.tsv --to-column p", "b.c.translated.tsv"),
            ("ids --to 1006", "ids.1006.csv"),
            ("b.csv.gz --to 1006", "b.1006.csv.gz"),
            ("b.csv.gz --to 1006 --output-format parquet", "b.1006.parquet"),
            ("b.parquet --to 1006 --output-format jsonl", "b.1006.jsonl"),
        ] {
            assert_eq!(options(&format!("x --column id {line}")).unwrap().output, Location::Local(output.into()), "{line}");
        }
        assert_eq!(options("x - --column id --to 1006").unwrap().output, Location::Stdio);
    }

    #[test]
    fn without_a_header_the_column_is_a_number() {
        assert_eq!(options("x f.csv --column 2 --to 1006").unwrap().column, Column::Named("2".into()));
        let numbered = options("x f.csv --column 2 --to 1006 --no-header").unwrap().column;
        assert_eq!(numbered, Column::Numbered(NonZero::new(2).unwrap()));
        for column in ["0", "id"] {
            assert!(options(&format!("x f.csv --column {column} --to 1006 --no-header")).is_err());
        }
    }

    #[test]
    fn a_request_weighs_as_much_as_its_way_takes() {
        for (line, bytes) in [
            ("", files::DEFAULT_API_REQUEST_BYTES),
            ("--via endpoint", files::DEFAULT_ENDPOINT_REQUEST_BYTES),
            ("--request-bytes 6000000", 6_000_000),
            ("--request-bytes 12000000 --via endpoint", 12_000_000),
        ] {
            assert_eq!(options(format!("x f.csv --column id --to 1006 {line}").trim_end()).unwrap().max_request_bytes, bytes, "{line}");
        }
        let help = Line::command().render_long_help().to_string();
        assert!(
            [files::DEFAULT_API_REQUEST_BYTES, files::DEFAULT_ENDPOINT_REQUEST_BYTES].iter().all(|bytes| help.contains(&bytes.to_string())),
            "{help}"
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused_before_anything_is_done() {
        for line in [
            "--to 106",
            "--to 10é",
            "--to 1006 --to-column p",
            "--to 1006 --delimiter -",
            "--to 1006 --delimiter ab",
            "--to 1006 --in-flight 0",
            "--to 1006 --in-flight 65",
            "--to 1006 --request-bytes 4095",
            "--to 1006 --request-bytes 7000000",
            "--to 1006 --request-bytes 13000000 --via endpoint",
            "--to 1006 --max-error-rate 2",
            "--to 1006 --output - --json",
            "--to 1006 --output s3://bucket",
            "--to 1006 --input-format jsonl --no-header",
        ] {
            assert!(options(&format!("x f.csv --column id {line}")).is_err(), "{line}");
        }
        assert_eq!(options(r"x f.csv --column id --to 1006 --delimiter \t").unwrap().delimiter, Some(b'\t'));
    }
}
