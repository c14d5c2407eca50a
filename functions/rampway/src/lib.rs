//! The `rampway` command as a library, for its binary and for the tests.
//!
//! Each command is one module: its arguments, what it does, and its output. [`cli`] parses the
//! command line and runs the command.

pub mod admin;
pub mod args;
pub mod cli;
pub mod completions;
pub mod demo;
pub mod doctor;
mod environment_file;
pub mod error;
pub mod explain;
pub mod man;
pub mod mint;
pub mod openapi;
mod output;
pub mod serve;
mod setting;
pub mod template;
pub mod translate;
