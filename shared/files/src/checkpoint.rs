//! Records what is finished while a run writes, and completes, suspends or discards the run.

use std::{
    io::{self, Write},
    time::{Duration, Instant},
};

use crate::{
    file_digest::FileDigest,
    journal::{Checkpoint, Journal},
    output::Output,
    position::Position,
    stats::Stats,
};

/// The time between checkpoints: a power failure loses no more of a run.
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(5);

/// The state of a run beside its output.
pub(crate) struct Checkpointer {
    pub(crate) rejects: Option<Output>,
    /// `None` if the run cannot be resumed.
    pub(crate) journal: Option<Journal>,
    /// What is finished, of which the journal holds an earlier state.
    pub(crate) checkpoint: Checkpoint,
    last_written: Instant,
}

/// How writing ended without a write error.
#[derive(Debug)]
pub(crate) enum WriteOutcome {
    /// The output is complete.
    Finished(Finished),
    /// The run was stopped, with this number of rows to resume after.
    Suspended(Option<u64>),
}

/// A complete output.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) output: FileDigest,
    pub(crate) rejects: Option<FileDigest>,
    pub(crate) stats: Box<Stats>,
}

/// A write failed.
#[derive(Debug)]
pub(crate) struct WriteError {
    pub(crate) cause: io::Error,
    /// The number of rows that a later run can resume after.
    pub(crate) kept_rows: Option<u64>,
}

impl Checkpointer {
    pub(crate) fn new(rejects: Option<Output>, journal: Option<Journal>, checkpoint: Checkpoint) -> Self {
        Self { rejects, journal, checkpoint, last_written: Instant::now() }
    }

    /// Writes refused rows to the rejects file, if there is one.
    pub(crate) fn reject(&mut self, rows: &[u8]) -> io::Result<()> {
        self.rejects.as_mut().map_or(Ok(()), |rejects| rejects.write_all(rows))
    }

    /// Counts rows that are written. The output has `output_bytes` after them.
    pub(crate) fn advance(&mut self, output_bytes: u64, stats: &Stats, after: Position) {
        self.checkpoint.stats.merge(stats);
        self.checkpoint.position = after;
        self.checkpoint.output_bytes = output_bytes;
        self.checkpoint.rejects_bytes = self.rejects.as_ref().map_or(0, Output::bytes);
    }

    /// Whether the next checkpoint is due.
    pub(crate) fn is_due(&self) -> bool {
        self.journal.is_some() && self.last_written.elapsed() >= CHECKPOINT_INTERVAL
    }

    /// Flushes the outputs to the disk and writes the checkpoint to the journal.
    pub(crate) fn write(&mut self, output: &Output) -> io::Result<()> {
        let Some(journal) = &self.journal else { return Ok(()) };
        output.sync()?;
        self.rejects.as_ref().map_or(Ok(()), Output::sync)?;
        journal.write(&self.checkpoint)?;
        self.last_written = Instant::now();
        Ok(())
    }

    /// Keeps the drafts for a later run and returns the number of rows that it can resume after.
    pub(crate) fn suspend(&mut self, output: &mut Output) -> Option<u64> {
        let rows = self.checkpoint.position.rows;
        let Some(journal) = self.journal.as_ref().filter(|_| rows > 0) else {
            self.discard();
            return None;
        };
        // On a full disk the journal cannot be replaced, and its last checkpoint remains valid.
        let journaled = journal.read().map(|(checkpoint, _)| checkpoint.position.rows);
        let kept = self.write(output).map_or(journaled, |()| Some(rows));
        if kept.is_some() {
            output.keep();
            if let Some(rejects) = &mut self.rejects {
                rejects.keep();
            }
        }
        kept
    }

    /// Removes the journal. The drafts are removed when the outputs are dropped.
    pub(crate) fn discard(&self) {
        if let Some(journal) = &self.journal {
            journal.remove();
        }
    }

    /// Completes the rejects file and the output, and removes the journal.
    pub(crate) fn finish(self, output: Output) -> Result<WriteOutcome, WriteError> {
        let Self { rejects, journal, checkpoint, .. } = self;
        let finish = || {
            let rejects = rejects.map(Output::finish).transpose()?;
            let output = output.finish()?;
            if let Some(journal) = journal {
                journal.remove();
            }
            Ok(WriteOutcome::Finished(Finished { output, rejects, stats: Box::new(checkpoint.stats) }))
        };
        finish().map_err(|cause| WriteError { cause, kept_rows: None })
    }
}
