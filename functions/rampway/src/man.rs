//! `rampway man`: manual pages.

use clap::{Args, Command};
use clap_mangen::Man as Page;

use crate::{error::Error, output::print};

const AFTER_HELP: &str = "\
Examples:
  rampway man > ~/.local/share/man/man1/rampway.1
  rampway man translate | man -l -
  rampway man admin domains | man -l -";

/// Print a manual page in roff format
#[derive(Clone, Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Man {
    /// Command to describe, such as `admin domains` [default: rampway itself]
    #[arg(value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// Prints the manual page of `root`, or of one of its subcommands.
pub fn run(arguments: &Man, mut root: Command) -> Result<(), Error> {
    // Names the subcommands by their full path, such as rampway-admin-domains.
    root.build();
    let mut command = &root;
    for name in &arguments.command {
        command = command
            .find_subcommand(name)
            .ok_or_else(|| Error::Usage { command: "man", message: format!("there is no command `{}`", arguments.command.join(" ")) })?;
    }
    let mut page = Vec::new();
    Page::new(command.clone()).render(&mut page)?;
    print(&String::from_utf8_lossy(&page))?;
    Ok(())
}
