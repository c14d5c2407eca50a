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
    Launch, Reply,
    sandbox::{End, Sandbox},
};

/// How long a process that waits for events has to end.
const PATIENCE: Duration = Duration::from_secs(2);

/// The processes of one function: each takes one event at a time.
#[derive(Debug)]
pub(super) struct Pool {
    launch: Launch,
    /// Events beyond the bound wait for a process.
    free: Semaphore,
    /// Those that wait, the one used last at the end.
    idle: Mutex<Vec<Sandbox>>,
    started: AtomicUsize,
}

impl Pool {
    pub(super) fn new(launch: Launch, bound: usize) -> Self {
        Self { launch, free: Semaphore::new(bound.max(1)), idle: Mutex::default(), started: AtomicUsize::new(0) }
    }

    pub(super) async fn invoke(&self, request_id: &str, payload: Bytes) -> Reply {
        let Ok(_permit) = self.free.acquire().await else {
            return Reply::error("Runtime.ExitError", request_id, "the suite is stopping");
        };
        loop {
            let warm = self.warm();
            let was_warm = warm.is_some();
            let mut sandbox = match warm.map_or_else(|| self.start(), Ok) {
                Ok(sandbox) => sandbox,
                Err(error) => return Reply::error("Runtime.InvalidEntrypoint", request_id, &error),
            };
            match sandbox.run(request_id, payload.clone()).await {
                End::Replied(reply) => {
                    self.idle().push(sandbox);
                    return reply;
                }
                // It ended while it waited: the event was never seen, and is for another.
                End::NeverTaken(_) if was_warm => {}
                End::NeverTaken(how) | End::Exited(how) => {
                    self.launch.logs.line(&self.launch.function.id, &format!("the process ended: {how}"));
                    let error = format!("Runtime exited with error: {how}");
                    return Reply::error("Runtime.ExitError", request_id, &error);
                }
                End::InitFailed(payload) => return Reply::failed(payload),
                End::TimedOut => {
                    let error = format!("Task timed out after {:.2} seconds", self.launch.function.timeout.as_secs_f64());
                    self.launch.logs.line(&self.launch.function.id, &error);
                    return Reply::error("Sandbox.Timedout", request_id, &error);
                }
            }
        }
    }

    fn warm(&self) -> Option<Sandbox> {
        let mut idle = self.idle();
        while let Some(mut sandbox) = idle.pop() {
            if sandbox.is_running() {
                return Some(sandbox);
            }
        }
        None
    }

    fn start(&self) -> Result<Sandbox, String> {
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        Sandbox::start(&self.launch, number).map_err(|error| {
            let program = self.launch.program.display();
            format!("{program} cannot be started: {error}")
        })
    }

    pub(super) async fn stop(&self) {
        self.free.close();
        let mut stopping = JoinSet::new();
        for mut sandbox in mem::take(&mut *self.idle()) {
            stopping.spawn(async move { sandbox.terminate(PATIENCE).await });
        }
        stopping.join_all().await;
    }

    pub(super) fn kill(&self) {
        self.free.close();
        self.idle().clear();
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Sandbox>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
