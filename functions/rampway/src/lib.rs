//! The `rampway` command as a library: what each subcommand does, for the command line and for the tests.

pub mod admin;
pub mod cli;
pub mod client;
pub mod translate;
