//! Writes what is rendered, in order, and writes down what is finished.

use std::{
    io::{self, Write},
    time::{Duration, Instant},
};

use tokio::sync::mpsc::Receiver;

use super::{
    journal::{Done, Journal},
    output::Output,
    part::Place,
    render::{Piece, Rendered},
    report::File,
    tally::Tally,
};

/// How often what is finished is written down: no more than this much time is lost with a machine's power.
const EVERY: Duration = Duration::from_secs(5);

/// What comes to be written.
pub(super) enum Next {
    /// The next rows.
    Rows(Box<Rendered>),
    /// Those were all.
    End,
    /// Those that came are worthless.
    Discard,
}

/// What is written beside the output, and what of it all is finished.
pub(super) struct Ledger {
    pub(super) rejects: Option<Output>,
    pub(super) journal: Option<Journal>,
    pub(super) done: Done,
    last: Instant,
}

/// How writing ended.
#[derive(Debug)]
pub(super) enum Written {
    /// All is written, and has its name.
    Finished { output: File, rejects: Option<File>, tally: Box<Tally> },
    /// So many rows are written and kept for a later run, or none.
    Left(Option<u64>),
}

/// Why writing failed.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) cause: io::Error,
    pub(super) left: Option<u64>,
}

/// Writes rows as text until there are no more.
pub(super) fn text(mut output: Output, mut ledger: Ledger, head: [&[u8]; 2], mut rows: Receiver<Next>) -> Result<Written, Failed> {
    if ledger.done.place == Place::default() {
        let [head, rejects_head] = head;
        output.write_all(head).and_then(|()| ledger.reject(rejects_head)).map_err(|cause| Failed { cause, left: None })?;
    }
    loop {
        let written = match rows.blocking_recv() {
            Some(Next::Rows(rendered)) => text_rows(&mut output, &mut ledger, &rendered),
            Some(Next::End) => return ledger.finish(output),
            Some(Next::Discard) => {
                ledger.discard();
                return Ok(Written::Left(None));
            }
            None => return Ok(Written::Left(ledger.suspend(&mut output))),
        };
        if let Err(cause) = written {
            return Err(Failed { cause, left: ledger.suspend(&mut output) });
        }
    }
}

fn text_rows(output: &mut Output, ledger: &mut Ledger, rendered: &Rendered) -> io::Result<()> {
    if let Piece::Text(text) = &rendered.rows {
        output.write_all(text)?;
    }
    ledger.reject(&rendered.rejects)?;
    ledger.account(output.bytes(), &rendered.tally, rendered.after);
    if ledger.is_due() { ledger.checkpoint(output) } else { Ok(()) }
}

impl Ledger {
    pub(super) fn new(rejects: Option<Output>, journal: Option<Journal>, done: Done) -> Self {
        Self { rejects, journal, done, last: Instant::now() }
    }

    /// Writes bad rows.
    pub(super) fn reject(&mut self, rows: &[u8]) -> io::Result<()> {
        self.rejects.as_mut().map_or(Ok(()), |rejects| rejects.write_all(rows))
    }

    /// Counts rows that are written; the output has so many `bytes` now.
    pub(super) fn account(&mut self, bytes: u64, tally: &Tally, after: Place) {
        self.done.tally.merge(tally);
        self.done.place = after;
        self.done.output = bytes;
        self.done.rejects = self.rejects.as_ref().map_or(0, Output::bytes);
    }

    /// Whether it is time to write down what is finished.
    pub(super) fn is_due(&self) -> bool {
        self.journal.is_some() && self.last.elapsed() >= EVERY
    }

    /// Writes down what is finished.
    pub(super) fn checkpoint(&mut self, output: &Output) -> io::Result<()> {
        let Some(journal) = &self.journal else { return Ok(()) };
        output.sync()?;
        self.rejects.as_ref().map_or(Ok(()), Output::sync)?;
        journal.write(&self.done)?;
        self.last = Instant::now();
        Ok(())
    }

    /// Keeps what is finished for a later run, and says how many rows that is.
    pub(super) fn suspend(&mut self, output: &mut Output) -> Option<u64> {
        let rows = self.done.place.rows;
        let Some(journal) = self.journal.as_ref().filter(|_| rows > 0) else {
            self.discard();
            return None;
        };
        // On a full disk the journal may not find room: then what it said last is still true.
        let before = journal.read().map(|(done, _)| done.place.rows);
        let kept = self.checkpoint(output).map_or(before, |()| Some(rows));
        if kept.is_some() {
            output.keep();
            if let Some(rejects) = &mut self.rejects {
                rejects.keep();
            }
        }
        kept
    }

    /// Forgets the run: its drafts go with their outputs.
    pub(super) fn discard(&self) {
        if let Some(journal) = &self.journal {
            journal.remove();
        }
    }

    /// Gives the files their names.
    pub(super) fn finish(self, output: Output) -> Result<Written, Failed> {
        let Self { rejects, journal, done, .. } = self;
        let finish = || {
            let rejects = rejects.map(Output::finish).transpose()?;
            let output = output.finish()?;
            if let Some(journal) = journal {
                journal.remove();
            }
            Ok(Written::Finished { output, rejects, tally: Box::new(done.tally) })
        };
        finish().map_err(|cause| Failed { cause, left: None })
    }
}
