//! The command line: what can be asked for, and how it is answered.
//!
//! Each subcommand's arguments are a type here; what it does is a module of its own.

pub mod admin;
pub mod demo;
pub mod mint;
pub mod serve;
mod setting;
pub mod translate;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

/// RampID translation in your own cloud, or on your desk.
#[derive(Debug, Parser)]
#[command(name = "rampway", version, about, long_about = LONG_ABOUT, after_help = AFTER_HELP, propagate_version = true)]
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

`rampway help COMMAND` explains each command with examples.";

#[derive(Debug, Subcommand)]
enum Command {
    Translate(translate::Translate),
}

/// Where the suite that runs here keeps its state.
#[derive(Clone, Debug, Args)]
pub struct State {
    /// The folder in which a suite on this machine keeps its state
    #[arg(long, value_name = "FOLDER", default_value = ".rampway")]
    pub state: PathBuf,
}

/// Which tables and keys to administer.
#[derive(Clone, Debug, Args)]
pub struct Environment {
    /// A file of NAME=VALUE lines that names the tables and the master key; variables that are set win over it
    ///
    /// `rampway serve` writes one for the suite on this machine. On AWS the stack's output `AdminEnvironment` prints the same
    /// lines.
    #[arg(long, value_name = "FILE", default_value = ".rampway/env", global = true)]
    pub env_file: PathBuf,
}

/// Runs the command that the command line asks for.
#[must_use]
pub fn main() -> ExitCode {
    let result = match Rampway::parse().command {
        Command::Translate(arguments) => translate::run(arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rampway: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    /// Every command, those included that are not dispatched above.
    #[derive(Parser)]
    enum All {
        Admin(admin::Admin),
        Demo(demo::Demo),
        Mint(mint::Mint),
        Serve(serve::Serve),
        Translate(translate::Translate),
    }

    #[test]
    fn the_command_line_is_consistent() {
        Rampway::command().debug_assert();
        All::command().debug_assert();
    }

    #[test]
    fn every_example_in_the_help_can_be_parsed() {
        let mut examples = 0;
        for command in All::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            for line in help.lines().filter_map(|line| line.trim_start().strip_prefix("rampway ")) {
                let words = line.split_whitespace().map(|word| word.trim_matches('\''));
                All::try_parse_from(std::iter::once("rampway").chain(words)).unwrap_or_else(|error| panic!("{line}: {error}"));
                examples += 1;
            }
        }
        assert!(examples >= 12);
    }
}
