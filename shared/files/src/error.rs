//! Errors of a run.

use std::{fmt, io, path::PathBuf};

use indicatif::HumanCount;

use crate::{input_error::InputError, location::Location};

/// Why a file was not translated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input cannot be read or is invalid.
    #[error("{file}: {cause}")]
    Input {
        /// The input.
        file: String,
        /// What is wrong with it.
        cause: InputError,
    },
    /// The output, the rejects file or the report cannot be written.
    #[error("{file} cannot be written ({cause}){resume}")]
    Output {
        /// The file.
        file: String,
        /// Why it cannot be written.
        cause: io::Error,
        /// What a later run can resume.
        resume: ResumeHint,
    },
    /// Two of the run's files are the same.
    #[error("{file} cannot be two files at once: give input, output, rejects and report different names", file = file.display())]
    SameFile {
        /// The file.
        file: PathBuf,
    },
    /// The server failed.
    #[error("{cause}; {output} was not written{resume}")]
    Server {
        /// The output.
        output: String,
        /// Why the ids could not be translated.
        cause: client::Error,
        /// What a later run can resume.
        resume: ResumeHint,
    },
    /// The caller stopped the run.
    #[error("stopped; {output} was not written{resume}")]
    Stopped {
        /// The output.
        output: String,
        /// What a later run can resume.
        resume: ResumeHint,
    },
    /// Starting over would discard the rows that an earlier run finished.
    #[error("an earlier run for {output} was stopped after {} rows: go on with --resume, or remove {} to start over", HumanCount(*rows), draft.display())]
    UnfinishedRun {
        /// The output.
        output: String,
        /// The number of rows that are finished.
        rows: u64,
        /// The draft that holds them.
        draft: PathBuf,
    },
    /// The earlier run had another input, other options or another version.
    #[error("--resume cannot go on for {output}: {difference} the run that was stopped; start over without --resume")]
    RunMismatch {
        /// The output.
        output: String,
        /// What differs from the earlier run, as the start of a sentence.
        difference: &'static str,
    },
    /// The input or the output is not a local file.
    #[error("--resume needs files on this machine: a standard stream cannot be read again, and an object exists only when it is complete")]
    ResumeUnsupported,
}

impl Error {
    pub(crate) fn input(input: &Location, cause: InputError) -> Self {
        Self::Input { file: input.to_string(), cause }
    }

    /// An output that cannot be written, before there are rows to resume.
    pub(crate) fn output(file: impl fmt::Display, cause: io::Error) -> Self {
        Self::Output { file: file.to_string(), cause, resume: ResumeHint(None) }
    }
}

/// The number of rows that a stopped run finished and kept, if a later run can resume after them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResumeHint(pub Option<u64>);

impl fmt::Display for ResumeHint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(rows) => write!(f, "; the first {} rows are done and kept: go on with --resume", HumanCount(rows)),
            None => Ok(()),
        }
    }
}
