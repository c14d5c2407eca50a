//! The `rampway` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    rampway::cli::main()
}
