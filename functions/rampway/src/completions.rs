//! `rampway completions`: scripts that complete the command line in a shell.

use clap::{Args, Command};
use clap_complete::{Shell, generate};

use crate::{error::Error, output::print};

const AFTER_HELP: &str = "\
Examples:
  rampway completions bash > ~/.local/share/bash-completion/completions/rampway
  rampway completions zsh > ~/.zfunc/_rampway
  rampway completions fish > ~/.config/fish/completions/rampway.fish";

/// Print a completion script for a shell
#[derive(Clone, Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Completions {
    /// Shell to complete in
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Prints the completion script of `command`.
pub fn run(arguments: &Completions, mut command: Command) -> Result<(), Error> {
    let mut script = Vec::new();
    generate(arguments.shell, &mut command, "rampway", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(())
}
