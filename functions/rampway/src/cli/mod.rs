//! The command line: what can be asked for, and how it is answered.
//!
//! Each subcommand's arguments are a type here; what it does is a module of its own.

pub mod admin;
pub mod connect;
pub mod demo;
pub mod doctor;
mod environment_file;
pub mod explain;
pub mod mint;
pub mod serve;
pub mod translate;

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};

/// RampID translation in your own cloud, or on your desk.
#[derive(Debug, Parser)]
#[command(name = "rampway", version, long_about = LONG_ABOUT, after_help = AFTER_HELP)]
pub struct Rampway {
    #[command(subcommand)]
    command: Command,
}

const LONG_ABOUT: &str = "\
RampID translation in your own cloud, or on your desk.

Two companies know the same person under two different RampIDs, each in its own domain. Rampway translates ids from one \
domain into another: functions on AWS Lambda, an isolated translator on SageMaker, and this command to run all of it here, \
to translate files, and to administer both sides.";

const AFTER_HELP: &str = "\
Exit codes:
  0  done
  1  the data, the server or this machine stood in the way; a sentence on standard error says how
  2  the command line makes no sense; nothing was done
  3  a file is translated, and more of its ids were refused than was allowed

`rampway help COMMAND` explains each command with examples.";

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Demo),
    Serve(serve::Serve),
    Translate(translate::Translate),
    Explain(explain::Explain),
    Doctor(doctor::Doctor),
    Mint(mint::Mint),
    Admin(admin::Admin),
}

/// The folder in which a suite on this machine keeps its state, unless told otherwise.
const STATE: &str = ".rampway";

/// Where the suite that runs here keeps its state.
#[derive(Clone, Debug, Args)]
pub struct State {
    /// The folder in which a suite on this machine keeps its state
    #[arg(long, value_name = "FOLDER", default_value = STATE, help_heading = "State")]
    pub state: PathBuf,
}

/// Which tables and keys to administer.
#[derive(Clone, Debug, Args)]
pub struct Environment {
    /// A file of NAME=VALUE lines that names the tables and the master key [default: .rampway/env, if it is there]
    ///
    /// `rampway serve` writes one for the suite on this machine; on AWS the stack's output `AdminEnvironment` prints the same lines.
    /// Variables that are set win over it.
    #[arg(long, value_name = "FILE", global = true)]
    pub env_file: Option<PathBuf>,
}

/// Why a command did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There was no demonstration.
    #[error(transparent)]
    Demo(#[from] crate::demo::Error),
    /// The suite did not start.
    #[error(transparent)]
    Serve(#[from] crate::serve::Error),
    /// No file was translated.
    #[error(transparent)]
    Translate(#[from] translate::Error),
    /// An order of administration was not carried out.
    #[error(transparent)]
    Admin(#[from] crate::admin::Error),
    /// The environment file cannot be used.
    #[error(transparent)]
    Environment(#[from] environment_file::Error),
    /// There is nobody to ask.
    #[error(transparent)]
    Connect(#[from] connect::Error),
    /// The doctor found something.
    #[error("{0} of these checks ended badly: their lines say what to do")]
    Unwell(usize),
    /// Standard input or output failed.
    #[error("standard input or output failed ({0})")]
    Stream(#[from] io::Error),
    /// The program cannot start its threads.
    #[error("this machine gives the program no threads ({0})")]
    Threads(io::Error),
    /// The user ended it.
    #[error("stopped by Ctrl-C; nothing was written")]
    Stopped,
    /// The file is translated, and too many of its ids are not.
    #[error("{refused} of {ids} ids were refused, and --max-error-rate {most} allows fewer: the output is complete, the report says why")]
    TooManyRefused {
        /// How many ids were refused.
        refused: u64,
        /// Of how many.
        ids: u64,
        /// The share that may be.
        most: f64,
    },
}

/// Runs the command that the command line asks for.
#[must_use]
pub fn main() -> ExitCode {
    match run(Rampway::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads our output has read enough.
        Err(Error::Stream(cause)) if cause.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rampway: {error}");
            if matches!(error, Error::TooManyRefused { .. }) { ExitCode::from(3) } else { ExitCode::FAILURE }
        }
    }
}

fn run(command: Command) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Error::Threads)?;
    runtime.block_on(async {
        match command {
            Command::Demo(arguments) => demo::run(arguments).await,
            Command::Serve(arguments) => serve::run(arguments).await,
            Command::Translate(arguments) => translate::run(arguments).await,
            Command::Explain(arguments) => explain::run(arguments).await,
            Command::Doctor(arguments) => doctor::run(arguments).await,
            Command::Mint(arguments) => mint::run(arguments).await,
            Command::Admin(arguments) => admin::run(arguments).await,
        }
    })
}

/// Writes a result to standard output.
fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Rampway::command().debug_assert();
    }

    /// Parses the lines of a text that call the command, by name or through cargo, and counts them.
    fn examples(text: &str) -> usize {
        let lines = text.lines().filter_map(|line| {
            let line = line.trim_start();
            line.strip_prefix("rampway ").or_else(|| line.strip_prefix("cargo run --release -- "))
        });
        lines
            .inspect(|line| {
                // A comment and a redirection are the shell's.
                let command = [" #", " <", " >"].into_iter().fold(*line, |line, end| line.split(end).next().unwrap_or_default());
                let words = command.split_whitespace().map(|word| word.trim_matches('\''));
                Rampway::try_parse_from(std::iter::once("rampway").chain(words)).unwrap_or_else(|error| panic!("{line}: {error}"));
            })
            .count()
    }

    /// Follows the calls of the command in a text's inline code to their subcommand, and counts them.
    fn mentions(text: &str) -> usize {
        let spans = text.split('`').skip(1).step_by(2).filter_map(|span| span.strip_prefix("rampway "));
        spans
            .inspect(|span| {
                let mut command = Rampway::command();
                for word in span.split_whitespace() {
                    if let Some(flag) = word.strip_prefix("--") {
                        let known = command.get_arguments().any(|argument| argument.get_long() == Some(flag));
                        assert!(known || flag == "version", "`rampway {span}`: there is no --{flag}");
                    } else if command.has_subcommands() && word != "help" {
                        command = command.find_subcommand(word).unwrap_or_else(|| panic!("`rampway {span}`: there is no {word}")).clone();
                    }
                }
            })
            .count()
    }

    /// Finds the flags in a text's inline code among those of all commands.
    fn flags(text: &str) {
        let mut commands = vec![Rampway::command()];
        let mut known = BTreeSet::new();
        while let Some(command) = commands.pop() {
            known.extend(command.get_arguments().filter_map(|argument| argument.get_long().map(str::to_owned)));
            commands.extend(command.get_subcommands().cloned());
        }
        for flag in text.split('`').skip(1).step_by(2).filter_map(|span| span.strip_prefix("--")) {
            let name = flag.split([' ', '=']).next().unwrap_or_default();
            assert!(known.contains(name), "no command has --{name}");
        }
    }

    /// README, contributing guide and manual, with their paths.
    fn documents() -> Vec<(PathBuf, String)> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let manual = [root.join("shared/src/manual"), root.join("shared/src/manual/decisions")];
        let pages = manual.iter().flat_map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
        let pages = pages.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
        let documents = [root.join("README.md"), root.join(".github/CONTRIBUTING.md")].into_iter().chain(pages);
        documents.map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
    }

    #[test]
    fn every_example_in_the_help_can_be_parsed() {
        let mut found = 0;
        let mut commands: Vec<_> = Rampway::command().get_subcommands().cloned().collect();
        while let Some(command) = commands.pop() {
            commands.extend(command.get_subcommands().cloned());
            found += examples(&command.get_after_help().map(ToString::to_string).unwrap_or_default());
        }
        assert!(found >= 25);
    }

    #[test]
    fn every_example_in_the_documents_can_be_parsed() {
        let (mut found, mut mentioned) = (0, 0);
        for (path, text) in documents() {
            let examples = examples(&text);
            assert!(examples >= 2 || !path.ends_with("README.md"), "the README has only {examples} examples");
            found += examples;
            mentioned += mentions(&text);
            flags(&text);
        }
        assert!(found >= 30 && mentioned >= 10, "{found} examples, {mentioned} mentions");
    }
}
