//! `rampway translate`: its arguments, and how they become a translation.

use std::{
    num::NonZero,
    path::{Path, PathBuf},
};

use clap::{Args, CommandFactory, error::ErrorKind};

use shared::identity::Domain;

use super::{Rampway, connect::Connect};
use crate::translate::{self, Column, Options};

const AFTER_HELP: &str = "\
Examples:
  rampway translate audience.csv --column rampid --to 1006
  rampway translate audience.tsv --delimiter '\\t' --column rampid --to 1006 --output partner.tsv
  rampway translate ids.txt --no-header --column 1 --to 1006
  rampway translate a.csv --column id --to 1006 --url https://api.example/Prod --client-id acme --client-secret-file secret
  rampway translate a.csv --column id --to 1006 --via endpoint --env-file translate.env --client-id acme --client-secret-file secret

What comes out:
  Every row and column as it was, byte for byte, and two columns more: COLUMN_TARGET holds the translated id, error_code \
says why there is none (the README lists the codes). A blank id passes with both empty. An empty line is a row in a file \
of one column; in a file of several it stays an empty line. The output takes its name only when it is complete.

Exit codes:
  0  the file is translated; ids that could not be are in the summary
  1  there is no output: the file, the server or this machine stood in the way
  2  the command line makes no sense";

/// Translate a file of RampIDs into another domain
///
/// Sends the ids of one column through the translation API, several requests at a time, and writes the file again with the result in
/// a column of its own. Memory stays constant whatever the size of the file. Tokens are refreshed and busy servers asked again
/// without your doing.
#[derive(Clone, Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Translate {
    /// The file to translate
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The column that holds the ids: its name, or with --no-header its number, from 1
    #[arg(long)]
    pub column: String,
    /// The domain to translate into: four letters or digits
    #[arg(long, value_name = "DOMAIN")]
    pub to: Domain,
    /// The file to write [default: FILE with the domain before its extension, such as audience.1006.csv]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// What separates the columns; \t is a tab
    #[arg(long, value_name = "CHAR", default_value = ",", value_parser = delimiter)]
    pub delimiter: u8,
    /// The first row is not a header
    #[arg(long)]
    pub no_header: bool,
    /// Show neither a progress bar nor a summary
    #[arg(long, short)]
    pub quiet: bool,
    /// Whom to ask, and as whom.
    #[command(flatten)]
    pub connect: Connect,
    /// How many requests may be under way at once
    #[arg(long, value_name = "N", default_value = "4", value_parser = in_flight, help_heading = "Tuning")]
    pub in_flight: NonZero<usize>,
    /// What a request may weigh at most, escaped as API Gateway hands it to a function, which takes 6 MB
    #[arg(long, value_name = "BYTES", default_value_t = translate::REQUEST_BYTES, value_parser = request_bytes, help_heading = "Tuning")]
    pub request_bytes: usize,
}

/// Why a translation did not succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file was not translated.
    #[error(transparent)]
    Translate(#[from] translate::Error),
}

/// Translates the file and prints the summary.
pub(super) async fn run(arguments: Translate) -> Result<(), super::Error> {
    let options = arguments.options().unwrap_or_else(|error| error.exit());
    let client = arguments.connect.client().await?;
    let summary = tokio::select! {
        // First, so that Ctrl-C is heard before there is a file to leave behind.
        biased;
        _ = tokio::signal::ctrl_c() => return Err(super::Error::Stopped),
        summary = translate::translate(client, &options) => summary.map_err(Error::from)?,
    };
    if !arguments.quiet {
        // Standard output is left to data.
        eprint!("{summary}");
    }
    Ok(())
}

impl Translate {
    /// Reads together what depends on each other.
    fn options(&self) -> Result<Options, clap::Error> {
        let column = if self.no_header {
            Column::Numbered(self.column.parse().map_err(|_| {
                let message = format!("with --no-header, --column is a number from 1, not `{}`", self.column);
                Rampway::command().error(ErrorKind::ValueValidation, message)
            })?)
        } else {
            Column::Named(self.column.clone())
        };
        Ok(Options {
            input: self.file.clone(),
            output: self.output.clone().unwrap_or_else(|| beside(&self.file, self.to)),
            column,
            target: self.to,
            delimiter: self.delimiter,
            in_flight: self.in_flight,
            request_bytes: self.request_bytes,
            progress: !self.quiet,
        })
    }
}

/// `audience.csv` becomes `audience.1006.csv`.
fn beside(file: &Path, target: Domain) -> PathBuf {
    let extension = file.extension().unwrap_or("csv".as_ref());
    file.with_extension(target.as_str()).with_added_extension(extension)
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
    bounded(text, 1, 64).map(|number| NonZero::new(number).expect("the bound is 1"))
}

fn request_bytes(text: &str) -> Result<usize, String> {
    bounded(text, 4096, 6_000_000)
}

fn bounded(text: &str, least: usize, most: usize) -> Result<usize, String> {
    text.parse().ok().filter(|number| (least..=most).contains(number)).ok_or(format!("a number from {least} to {most}"))
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
        for (input, output) in [("a/b.csv", "a/b.1006.csv"), ("b.c.tsv", "b.c.1006.tsv"), ("ids", "ids.1006.csv")] {
            assert_eq!(beside(Path::new(input), "1006".parse().unwrap()), Path::new(output));
        }
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
    fn what_makes_no_sense_is_refused_before_anything_is_done() {
        for line in ["--to 106", "--to 10é", "--to 1006 --delimiter -", "--to 1006 --delimiter ab", "--to 1006 --in-flight 0"] {
            assert!(options(&format!("x f.csv --column id {line}")).is_err(), "{line}");
        }
        assert_eq!(options(r"x f.csv --column id --to 1006 --delimiter \t").unwrap().delimiter, b'\t');
    }
}
