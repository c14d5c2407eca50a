//! The error of the command: what happened, and what to do about it.

use std::{io, path::PathBuf, process::ExitCode};

use client::ConnectionError;
use cloud::{identity::admin, setting, upload};
use shared::crypto::jwe::KeyRejected;

/// A command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The arguments of a command contradict each other. Nothing was done.
    #[error("{message}")]
    Usage {
        /// The command's name.
        command: &'static str,
        /// What is wrong with its arguments.
        message: String,
    },
    /// The local cloud does not start.
    #[error(transparent)]
    Local(#[from] local::Error),
    /// The template cannot be read.
    #[error(transparent)]
    Template(#[from] sam::Error),
    /// The first domains, keys and credentials of a local cloud cannot be created.
    #[error("the credentials of the demo client cannot be created: {0}")]
    Seed(String),
    /// The demo needs the authority, which the template lacks.
    #[error("the template has no authority that issues tokens; pass a template with one as --template")]
    NoAuthority,
    /// The authority's administration fails.
    #[error(transparent)]
    Admin(#[from] admin::Error),
    /// The administration of uploads fails.
    #[error(transparent)]
    Upload(#[from] upload::Error),
    /// A variable that names a table is missing or invalid.
    #[error("{0}; start a local cloud with `rampway serve`, or pass an environment file as --env-file")]
    Setting(#[from] setting::Error),
    /// There is no connection to use.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// A call of the API or the endpoint failed.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// A file was not translated.
    #[error(transparent)]
    Files(#[from] files::Error),
    /// No key pair was generated.
    #[error("the key pair cannot be generated: {0}")]
    KeyPair(#[from] KeyRejected),
    /// A file cannot be read or written.
    #[error("{} cannot be used ({cause})", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        cause: io::Error,
    },
    /// A line of an environment file is not a setting.
    #[error("{}: line {line} is not of the form NAME=VALUE", file.display())]
    EnvironmentLine {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// Standard input does not start with a secret.
    #[error("the secret cannot be read ({0}); pass it as the first line of standard input, as in `rampway admin uploads connect … < FILE`")]
    Secret(io::Error),
    /// A native id has the wrong form.
    #[error(
        "`{native}` is not a native id; pass {}",
        if *bytes == 16 { "a UUID, or 32 hexadecimal digits" } else { "64 hexadecimal digits" }
    )]
    InvalidNativeId {
        /// The text.
        native: String,
        /// The length of a native id of this kind, in bytes.
        bytes: usize,
    },
    /// Checks of the doctor failed.
    #[error("failed checks: {0}; their lines say what to do")]
    ChecksFailed(usize),
    /// A file is translated, but more ids were refused than allowed. The exit code is 3.
    #[error(
        "{refused} of {ids} ids were refused, more than --max-error-rate {max} allows; the output is complete, and the report says why"
    )]
    TooManyRefused {
        /// The number of refused ids.
        refused: u64,
        /// The number of all ids.
        ids: u64,
        /// The share that is allowed.
        max: f64,
    },
    /// Standard input or output fails.
    #[error("standard input or output failed ({0})")]
    Stream(#[from] io::Error),
    /// The asynchronous runtime does not start.
    #[error("the runtime's threads cannot be started ({0})")]
    Runtime(io::Error),
    /// Ctrl-C ended the command.
    #[error("interrupted; nothing was written")]
    Interrupted,
}

impl Error {
    /// Whether the reader of the output has closed it, which is not a failure: `rampway … | head`.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Stream(cause) if cause.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The exit code of the process.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage { .. } => ExitCode::from(2),
            Self::TooManyRefused { .. } => ExitCode::from(3),
            _ => ExitCode::FAILURE,
        }
    }
}
