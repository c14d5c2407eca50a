//! Child processes: each has its own environment, its output goes to the logs, and none outlives
//! its parent.

use std::{
    collections::BTreeMap,
    io,
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    task::JoinHandle,
};

use crate::{
    logs::{LogTail, Logs},
    setting,
};

/// How long the last output of an ended process may take to arrive. A process that inherited the
/// pipe keeps it open.
const OUTPUT_TIMEOUT: Duration = Duration::from_millis(100);

/// A child process; dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    log_tail: LogTail,
    readers: Vec<JoinHandle<()>>,
}

impl Process {
    /// Starts a program with this environment and the variables that every program needs.
    pub(crate) fn start(
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
            // Ctrl-C in a terminal reaches the whole process group. The local cloud stops its
            // processes itself, in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let log_tail = LogTail::default();
        let mut readers = Vec::new();
        if let Some(output) = child.stdout.take() {
            readers.push(tokio::spawn(forward(output, name.to_owned(), logs.clone(), log_tail.clone())));
        }
        if let Some(output) = child.stderr.take() {
            readers.push(tokio::spawn(forward(output, name.to_owned(), logs.clone(), log_tail.clone())));
        }
        Ok(Self { child, log_tail, readers })
    }

    pub(crate) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Kills the process and waits for its exit.
    pub(crate) async fn kill(&mut self) {
        // It fails when the process has already exited.
        let _ = self.child.kill().await;
    }

    /// Sends SIGTERM, and kills the process when it has not exited after `timeout`.
    pub(crate) async fn terminate(&mut self, timeout: Duration) {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(id) = id {
            // The id is this process's until it has been waited for.
            let _ = rustix::process::kill_process(id, Signal::TERM);
            if tokio::time::timeout(timeout, self.child.wait()).await.is_ok() {
                return;
            }
        }
        self.kill().await;
    }

    /// The last lines of its output; they follow the process until its end.
    pub(crate) fn log_tail(&self) -> LogTail {
        self.log_tail.clone()
    }

    /// Waits until the output of an ended process is logged.
    pub(crate) async fn flush_output(&mut self) {
        for reader in self.readers.drain(..) {
            let _ = tokio::time::timeout(OUTPUT_TIMEOUT, reader).await;
        }
    }
}

async fn forward(output: impl AsyncRead + Unpin, name: String, logs: Logs, log_tail: LogTail) {
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    while matches!(output.read_until(b'\n', &mut line).await, Ok(1..)) {
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        line.clear();
        logs.line(&name, &text);
        log_tail.push(text);
    }
}
