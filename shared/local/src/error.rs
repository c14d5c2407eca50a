//! Why a suite does not start, or does not do what it is asked.

use std::{io, path::PathBuf};

/// A suite does not start, or does not do what it is asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The template is not understood.
    #[error(transparent)]
    Template(#[from] sam::Error),
    /// Somebody else listens there.
    #[error("port {0} is taken: stop the program that listens there, or choose another port with --port")]
    PortTaken(u16),
    /// A port cannot be listened on for another reason.
    #[error("nothing can listen on 127.0.0.1:{port}: {source}")]
    Listen {
        /// The port; 0 means any.
        port: u16,
        /// Why not.
        source: io::Error,
    },
    /// Another suite has the state directory.
    #[error("another `rampway serve` keeps its state in {}: stop it, or use --ephemeral", .0.display())]
    StateInUse(PathBuf),
    /// The state directory cannot be used.
    #[error("the state in {} cannot be used ({problem}): delete the folder to begin anew, or use --ephemeral", path.display())]
    State {
        /// The directory.
        path: PathBuf,
        /// What is the matter.
        problem: String,
    },
    /// A function's binary is missing.
    #[error(
        "the program {name} is not in {}; put all function binaries beside `rampway`, or pass their directory as --binaries (build them \
         in a checkout with `cargo build --release --workspace --bins`)",
        directory.display()
    )]
    NoBinary {
        /// The binary.
        name: String,
        /// Where it was looked for.
        directory: PathBuf,
    },
    /// Cargo did not build the functions.
    #[error("the functions cannot be built: {0}")]
    Build(String),
    /// The embedded database refuses a table.
    #[error("the table {table} cannot be made: {problem}")]
    Table {
        /// The table.
        table: String,
        /// What the engine says.
        problem: String,
    },
    /// Two routes of the template are one.
    #[error("the template has two functions for {method} {path}")]
    SameRoute {
        /// The method.
        method: String,
        /// The path.
        path: String,
    },
    /// The APIs of the template cannot share one address.
    #[error("the template's APIs have different stages ({0}): one address cannot serve both")]
    Stages(String),
    /// A transcoder does not come into service.
    #[error("transcoder {instance} does not come into service{}", last_words(.words))]
    NotInService {
        /// Which one, from 0.
        instance: usize,
        /// What it wrote last.
        words: String,
    },
    /// There is no such transcoder.
    #[error("there is no transcoder {0}")]
    NoInstance(usize),
    /// There is no such function.
    #[error("there is no function {0}")]
    NoFunction(String),
    /// A function failed.
    #[error("{function} failed: {answer}")]
    Function {
        /// The function.
        function: String,
        /// The error it reported, or that its process's end makes.
        answer: String,
    },
    /// Randomness, a client, or another thing that this process needs of its machine.
    #[error("this machine does not provide {0}")]
    Machine(String),
}

fn last_words(words: &str) -> String {
    if words.is_empty() { ", and says nothing".to_owned() } else { format!("; its last words:\n{words}") }
}
