//! The processes of one function.

use std::{
    mem,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::body::Bytes;
use tokio::{sync::Semaphore, task::JoinSet};

use super::{
    function_spec::FunctionSpec,
    output::InvokeOutput,
    sandbox::{InvocationEnd, Sandbox},
};

/// How long an idle process may take to exit after SIGTERM.
const IDLE_EXIT_TIMEOUT: Duration = Duration::from_secs(2);

/// The processes of one function: each handles one event at a time.
#[derive(Debug)]
pub(super) struct Pool {
    spec: FunctionSpec,
    /// One permit for each process that may run. An event without a permit waits.
    permits: Semaphore,
    /// The processes without an event, the one used last at the end.
    idle: Mutex<Vec<Sandbox>>,
    /// How many processes were started.
    starts: AtomicUsize,
}

impl Pool {
    pub(super) fn new(spec: FunctionSpec, max_processes: usize) -> Self {
        Self { spec, permits: Semaphore::new(max_processes.max(1)), idle: Mutex::default(), starts: AtomicUsize::new(0) }
    }

    pub(super) async fn invoke(&self, request_id: &str, payload: Bytes) -> InvokeOutput {
        let Ok(_permit) = self.permits.acquire().await else {
            return InvokeOutput::stopping(request_id);
        };
        loop {
            let warm = self.take_warm();
            let was_warm = warm.is_some();
            let mut sandbox = match warm.map_or_else(|| self.start(), Ok) {
                Ok(sandbox) => sandbox,
                Err(error) => return InvokeOutput::lambda_error("Runtime.InvalidEntrypoint", request_id, &error),
            };
            match sandbox.run(request_id, payload.clone()).await {
                InvocationEnd::Completed(output) => {
                    self.idle().push(sandbox);
                    return output;
                }
                // The process exited while it was idle: another process takes the event.
                InvocationEnd::NotFetched(_) if was_warm => {}
                InvocationEnd::NotFetched(status) | InvocationEnd::Exited(status) => {
                    self.spec.logs.line(&self.spec.function.id, &format!("the process exited: {status}"));
                    let error = format!("Runtime exited with error: {status}");
                    return InvokeOutput::lambda_error("Runtime.ExitError", request_id, &error);
                }
                InvocationEnd::InitFailed(payload) => return InvokeOutput::function_error(payload),
                InvocationEnd::TimedOut => {
                    let error = format!("Task timed out after {:.2} seconds", self.spec.function.timeout.as_secs_f64());
                    self.spec.logs.line(&self.spec.function.id, &error);
                    return InvokeOutput::lambda_error("Sandbox.Timedout", request_id, &error);
                }
            }
        }
    }

    fn take_warm(&self) -> Option<Sandbox> {
        let mut idle = self.idle();
        while let Some(mut sandbox) = idle.pop() {
            if sandbox.is_running() {
                return Some(sandbox);
            }
        }
        None
    }

    fn start(&self) -> Result<Sandbox, String> {
        let number = self.starts.fetch_add(1, Ordering::Relaxed);
        Sandbox::start(&self.spec, number).map_err(|error| {
            let program = self.spec.program.display();
            format!("{program} cannot be started: {error}")
        })
    }

    pub(super) async fn stop(&self) {
        self.permits.close();
        let mut stopping = JoinSet::new();
        for mut sandbox in mem::take(&mut *self.idle()) {
            stopping.spawn(async move { sandbox.terminate(IDLE_EXIT_TIMEOUT).await });
        }
        stopping.join_all().await;
    }

    pub(super) fn kill(&self) {
        self.permits.close();
        self.idle().clear();
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Sandbox>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
