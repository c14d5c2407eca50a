//! What the processes say, each line with the name of who says it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::Child,
};

/// How many lines are remembered.
const REMEMBERED: usize = 10_000;

/// Where the processes' lines go: to standard error if they are shown, and into a memory of the last ones.
#[derive(Clone, Debug)]
pub struct Log {
    shown: bool,
    last: Arc<Mutex<VecDeque<String>>>,
}

impl Log {
    /// A log that is shown or not.
    pub fn new(shown: bool) -> Self {
        Self { shown, last: Arc::default() }
    }

    /// Writes a line.
    pub fn line(&self, who: &str, line: &str) {
        let line = format!("{who:>20} | {line}");
        if self.shown {
            eprintln!("{line}");
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.len() == REMEMBERED {
            last.pop_front();
        }
        last.push_back(line);
    }

    /// The last lines, oldest first.
    pub fn last(&self) -> Vec<String> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Follows what a process writes.
    pub fn follow(&self, who: &str, child: &mut Child) {
        if let Some(out) = child.stdout.take() {
            self.read(who, out);
        }
        if let Some(err) = child.stderr.take() {
            self.read(who, err);
        }
    }

    fn read(&self, who: &str, from: impl AsyncRead + Send + Unpin + 'static) {
        let (who, log) = (who.to_owned(), self.clone());
        tokio::spawn(async move {
            let mut lines = BufReader::new(from).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                log.line(&who, &line);
            }
        });
    }
}
