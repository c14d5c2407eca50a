//! Child processes: started with an environment of their own, their lines passed on, and never left behind.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    path::Path,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rustix::process::{Pid, Signal};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    task::JoinHandle,
};

use crate::setting;

/// How many of a process's last lines are kept, to explain its end.
const LAST_WORDS: usize = 12;

/// How many lines of all processes are kept, for whoever asks what was logged.
const KEPT: usize = 10_000;

/// Where what processes write goes: to this process's standard error if it is shown, behind the name of who wrote it, and for a
/// while into memory.
#[derive(Clone, Debug)]
pub(super) struct Logs {
    shown: bool,
    kept: LastWords,
}

impl Logs {
    pub(super) fn new(shown: bool) -> Self {
        Self { shown, kept: LastWords::new(KEPT) }
    }

    /// Passes a line on.
    pub(super) fn line(&self, name: &str, line: &str) {
        let line = format!("{name} | {line}");
        if self.shown {
            eprintln!("{line}");
        }
        self.kept.add(line);
    }

    /// The last lines, oldest first.
    pub(super) fn text(&self) -> String {
        self.kept.text()
    }
}

/// The last lines of a process.
#[derive(Clone, Debug)]
pub(super) struct LastWords {
    most: usize,
    lines: Arc<Mutex<VecDeque<String>>>,
}

impl Default for LastWords {
    fn default() -> Self {
        Self::new(LAST_WORDS)
    }
}

/// A child process; dropped, it is killed.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    last_words: LastWords,
    readers: Vec<JoinHandle<()>>,
}

impl Process {
    /// Starts a program with this environment, and of ours only what any program needs.
    pub(super) fn start(
        name: &str,
        program: &Path,
        arguments: &[&str],
        environment: &BTreeMap<String, String>,
        logs: &Logs,
    ) -> io::Result<Self> {
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(setting::inherited())
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C in a terminal reaches the whole group: the suite stops its processes itself, in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let last_words = LastWords::default();
        let mut readers = Vec::new();
        if let Some(output) = child.stdout.take() {
            readers.push(tokio::spawn(pass_on(output, name.to_owned(), logs.clone(), last_words.clone())));
        }
        if let Some(output) = child.stderr.take() {
            readers.push(tokio::spawn(pass_on(output, name.to_owned(), logs.clone(), last_words.clone())));
        }
        Ok(Self { child, last_words, readers })
    }

    pub(super) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    pub(super) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    pub(super) async fn kill(&mut self) {
        // It fails for a process that has ended, which is what is wanted.
        let _ = self.child.kill().await;
    }

    /// Asks the process to end, and makes it end when patience is over.
    pub(super) async fn terminate(&mut self, patience: Duration) {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(id) = id {
            // As long as it has not been waited for, the id is this process's.
            let _ = rustix::process::kill_process(id, Signal::TERM);
            if tokio::time::timeout(patience, self.child.wait()).await.is_ok() {
                return;
            }
        }
        self.kill().await;
    }

    /// What it writes last, for whoever wants to know later.
    pub(super) fn last_words(&self) -> LastWords {
        self.last_words.clone()
    }

    /// Waits until all that an ended process has written is passed on.
    pub(super) async fn drain(&mut self) {
        for reader in self.readers.drain(..) {
            // A pipe outlives the process if another has inherited it.
            let _ = tokio::time::timeout(Duration::from_millis(100), reader).await;
        }
    }
}

impl LastWords {
    fn new(most: usize) -> Self {
        Self { most, lines: Arc::default() }
    }

    pub(super) fn add(&self, line: String) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == self.most {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    pub(super) fn text(&self) -> String {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

async fn pass_on(output: impl AsyncRead + Unpin, name: String, logs: Logs, last_words: LastWords) {
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    while matches!(output.read_until(b'\n', &mut line).await, Ok(1..)) {
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        line.clear();
        logs.line(&name, &text);
        last_words.add(text);
    }
}
