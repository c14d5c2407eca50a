//! Why a local cloud does not start, or cannot do what it is asked.

use std::{io, path::PathBuf};

/// A local cloud does not start, or cannot do what it is asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The template cannot be read or resolved.
    #[error(transparent)]
    Template(#[from] sam::Error),
    /// Another program listens on the port.
    #[error("port {0} is taken; stop the program that listens on it, or choose another port with --port")]
    PortTaken(u16),
    /// A port cannot be listened on for another reason.
    #[error("cannot listen on 127.0.0.1:{port}: {source}")]
    Listen {
        /// The port; 0 is any free port.
        port: u16,
        /// The cause.
        source: io::Error,
    },
    /// Another local cloud has locked the state directory.
    #[error("another `rampway serve` uses the state in {}; stop it, or use --ephemeral", .0.display())]
    StateInUse(PathBuf),
    /// The state directory cannot be used.
    #[error("the state in {} cannot be used ({problem}); delete the folder to start empty, or use --ephemeral", path.display())]
    State {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A function's binary is missing.
    #[error(
        "the binary {name} is not in {}; put all function binaries beside `rampway`, or pass their directory as --binaries (build them \
         in a checkout with `cargo build --release --workspace --bins`)",
        directory.display()
    )]
    NoBinary {
        /// The binary.
        name: String,
        /// The folder that should have it.
        directory: PathBuf,
    },
    /// Cargo did not build the functions.
    #[error("the functions cannot be built: {0}")]
    Build(String),
    /// The embedded database rejects a table.
    #[error("the table {table} cannot be created: {problem}")]
    Table {
        /// The table.
        table: String,
        /// The engine's message.
        problem: String,
    },
    /// Two functions have the same route.
    #[error("the template has two functions for {method} {path}")]
    SameRoute {
        /// The method.
        method: String,
        /// The path.
        path: String,
    },
    /// The APIs have different stages, so one base URL cannot serve them.
    #[error("the template's APIs have different stages ({0}); give them one stage")]
    Stages(String),
    /// An instance does not come into service.
    #[error("transcoder {instance} does not come into service{}", log_tail(.log))]
    NotInService {
        /// Its number, from 0.
        instance: usize,
        /// The last lines that it logged.
        log: String,
    },
    /// There is no instance of this number.
    #[error("there is no transcoder {0}")]
    NoInstance(usize),
    /// There is no function of this logical id.
    #[error("there is no function {0}")]
    NoFunction(String),
    /// A function failed.
    #[error("{function} failed: {payload}")]
    Function {
        /// The function.
        function: String,
        /// The error that it reported, or the one of its process's exit.
        payload: String,
    },
    /// This machine lacks something that this process needs, such as randomness.
    #[error("this machine does not provide {0}")]
    Machine(String),
}

impl Error {
    /// A socket on a free port cannot be opened or queried.
    pub(crate) const fn socket(source: io::Error) -> Self {
        Self::Listen { port: 0, source }
    }
}

fn log_tail(log: &str) -> String {
    if log.is_empty() { ", and logs nothing".to_owned() } else { format!("; it logged:\n{log}") }
}
