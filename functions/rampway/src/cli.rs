//! The command line: parses it, and runs the command.

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand, error::ErrorKind};

use crate::{
    admin::{self, Admin},
    completions::{self, Completions},
    demo::{self, Demo},
    doctor::{self, Doctor},
    error::Error,
    explain::{self, Explain},
    man::{self, Man},
    mint::{self, Mint},
    openapi::{self, OpenApi},
    serve::{self, Serve},
    translate::{self, Translate},
};

const LONG_ABOUT: &str = "\
Translate RampIDs and sign uploads to Brightcove, on AWS or on this machine.

The same person has a different RampID in each company's domain. Rampway translates ids from one domain into another: with \
functions on AWS Lambda, and an isolated transcoder on SageMaker. This command runs all of it on one machine, translates files, \
and administers both sides.";

const AFTER_HELP: &str = "\
Exit codes:
  0  Done.
  1  The data, the server or this machine caused an error. Standard error says which.
  2  The arguments are invalid. Nothing was done.
  3  A file is translated, but more of its ids were refused than allowed.

`rampway help COMMAND` explains a command with examples.";

/// Translate RampIDs and sign uploads to Brightcove, on AWS or on this machine
#[derive(Debug, Parser)]
#[command(name = "rampway", version, long_about = LONG_ABOUT, after_help = AFTER_HELP)]
pub struct Rampway {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(Demo),
    Serve(Serve),
    Translate(Translate),
    Explain(Explain),
    Doctor(Doctor),
    Mint(Mint),
    #[command(name = "openapi")]
    OpenApi(OpenApi),
    Admin(Admin),
    Completions(Completions),
    Man(Man),
}

/// Parses the command line and runs its command. Nothing is started before it is parsed.
#[must_use]
pub fn main() -> ExitCode {
    match run(Rampway::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            match &error {
                Error::Usage { command, message } => print_usage_error(command, message),
                error => eprintln!("rampway: {error}"),
            }
            error.exit_code()
        }
    }
}

fn run(command: Command) -> Result<(), Error> {
    match command {
        Command::Demo(arguments) => block_on(demo::run(arguments)),
        Command::Serve(arguments) => block_on(serve::run(arguments)),
        Command::Translate(arguments) => block_on(translate::run(arguments)),
        Command::Explain(arguments) => block_on(explain::run(arguments)),
        Command::Doctor(arguments) => block_on(doctor::run(arguments)),
        Command::Mint(arguments) => block_on(mint::run(arguments)),
        Command::OpenApi(arguments) => openapi::run(arguments),
        Command::Admin(arguments) => block_on(admin::run(arguments)),
        Command::Completions(arguments) => completions::run(&arguments, Rampway::command()),
        Command::Man(arguments) => man::run(&arguments, Rampway::command()),
    }
}

fn block_on(command: impl Future<Output = Result<(), Error>>) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Error::Runtime)?;
    runtime.block_on(command)
}

/// Prints an error of a command's arguments with its usage, as the parser does.
fn print_usage_error(command: &str, message: &str) {
    let mut rampway = Rampway::command();
    rampway.build();
    let command = rampway.find_subcommand_mut(command).expect("the name is that of a command");
    // If standard error is closed, the exit code remains.
    let _ = command.error(ErrorKind::ValueValidation, message).print();
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeSet,
        fs,
        path::{Path, PathBuf},
    };

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Rampway::command().debug_assert();
    }

    /// Parses the lines of a text that run the command, by name or through cargo, and counts them.
    fn examples(text: &str) -> usize {
        let lines = text.lines().filter_map(|line| {
            let line = line.trim_start();
            line.strip_prefix("rampway ").or_else(|| line.strip_prefix("cargo run --release -- "))
        });
        lines
            .inspect(|line| {
                // A comment, a redirection and a pipe are the shell's.
                let command = [" #", " <", " >", " |"].iter().fold(*line, |line, end| line.split_once(end).map_or(line, |(line, _)| line));
                let words = command.split_whitespace().map(|word| word.trim_matches('\''));
                Rampway::try_parse_from(std::iter::once("rampway").chain(words)).unwrap_or_else(|error| panic!("{line}: {error}"));
            })
            .count()
    }

    /// Looks up the commands and flags that a text's inline code names, and counts the spans.
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

    /// Looks up the flags in a text's inline code among those of all commands.
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
