//! The log lines of the processes.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

/// How many lines of each process are kept, to explain its exit.
const LINES_PER_PROCESS: usize = 12;

/// How many lines of all processes together are kept.
const LINES_OF_ALL: usize = 10_000;

/// The log of all processes: to standard error unless it is quiet, each line behind the name of its
/// process, and the last lines in memory.
#[derive(Clone, Debug)]
pub(crate) struct Logs {
    is_quiet: bool,
    tail: LogTail,
}

impl Logs {
    pub(crate) fn new(is_quiet: bool) -> Self {
        Self { is_quiet, tail: LogTail::new(LINES_OF_ALL) }
    }

    /// Logs a line of a process or service.
    pub(crate) fn line(&self, name: &str, line: &str) {
        let line = format!("{name} | {line}");
        if !self.is_quiet {
            eprintln!("{line}");
        }
        self.tail.push(line);
    }

    /// The last lines, oldest first.
    pub(crate) fn text(&self) -> String {
        self.tail.text()
    }
}

/// The last lines of a log. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct LogTail {
    max_lines: usize,
    lines: Arc<Mutex<VecDeque<String>>>,
}

impl Default for LogTail {
    /// The tail of one process.
    fn default() -> Self {
        Self::new(LINES_PER_PROCESS)
    }
}

impl LogTail {
    fn new(max_lines: usize) -> Self {
        Self { max_lines, lines: Arc::default() }
    }

    /// Adds a line; the oldest makes way for it.
    pub(crate) fn push(&self, line: String) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == self.max_lines {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// The lines, oldest first.
    pub(crate) fn text(&self) -> String {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}
