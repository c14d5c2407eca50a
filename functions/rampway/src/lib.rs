//! The `rampway` command as a library: what each subcommand does, for the command line and for the tests.

pub mod admin;
pub mod cli;
pub mod client;
pub mod demo;
pub mod doctor;
pub mod explain;
pub mod serve;
pub mod setting;
pub mod template;
pub mod translate;
