//! The `rampway` command as a library: what each subcommand does, for the command line and for the tests.

pub mod admin;
pub mod cli;
pub mod demo;
pub mod doctor;
pub mod explain;
pub mod serve;
pub mod setting;
