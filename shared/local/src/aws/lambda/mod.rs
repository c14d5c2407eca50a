//! Lambda's part: functions as processes that take one event at a time, more of them under load, started anew when they end.

mod invoke_api;
mod pool;
mod runtime_api;
mod sandbox;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{Router, body::Bytes};
use serde_json::json;
use tokio::{sync::oneshot, task::JoinSet};

use self::pool::Pool;
use crate::process::Logs;
use sam::Function;

/// The largest event of a synchronous invocation, in bytes.
pub(crate) const MAX_EVENT: usize = 6 * 1024 * 1024;

/// The largest answer, in bytes: Lambda allows this much more.
const MAX_ANSWER: usize = MAX_EVENT + 100;

/// What the function's processes are started with.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    pub(crate) function: Function,
    pub(crate) program: std::path::PathBuf,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) arn: String,
    pub(crate) logs: Logs,
}

/// All functions.
#[derive(Debug)]
pub(crate) struct Lambda {
    pools: BTreeMap<String, Arc<Pool>>,
    /// A caller who goes away does not end what it called.
    running: Mutex<JoinSet<()>>,
}

/// What came of an invocation.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) payload: Bytes,
    /// Whether it is an error: reported by the function, or made of its process's end.
    pub(crate) failed: bool,
}

impl Reply {
    fn answered(payload: Bytes) -> Self {
        Self { payload, failed: false }
    }

    fn failed(payload: Bytes) -> Self {
        Self { payload, failed: true }
    }

    /// An error that Lambda itself reports.
    fn error(kind: &str, request_id: &str, message: &str) -> Self {
        let message = format!("RequestId: {request_id} Error: {message}");
        Self::failed(json!({"errorType": kind, "errorMessage": message}).to_string().into())
    }
}

impl Lambda {
    /// Each function may have up to `bound` processes.
    pub(crate) fn new(launches: Vec<Launch>, bound: usize) -> Self {
        let pools = launches.into_iter().map(|launch| (launch.function.id.clone(), Arc::new(Pool::new(launch, bound))));
        Self { pools: pools.collect(), running: Mutex::default() }
    }

    /// Invokes a function; `None` when there is none of that name.
    pub(crate) async fn invoke(&self, name: &str, request_id: &str, payload: Bytes) -> Option<Reply> {
        let pool = Arc::clone(self.pools.get(name)?);
        let (sender, receiver) = oneshot::channel();
        let id = request_id.to_owned();
        {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            while running.try_join_next().is_some() {}
            running.spawn(async move { drop(sender.send(pool.invoke(&id, payload).await)) });
        }
        let stopped = || Reply::error("Runtime.ExitError", request_id, "the suite is stopping");
        Some(receiver.await.unwrap_or_else(|_| stopped()))
    }

    /// `POST /2015-03-31/functions/{name}/invocations`.
    pub(crate) fn invoke_api(self: &Arc<Self>) -> Router {
        invoke_api::router(Arc::clone(self))
    }

    fn has(&self, name: &str) -> bool {
        self.pools.contains_key(name)
    }

    /// Stops every process that waits; what runs was waited for before.
    pub(crate) async fn stop(&self) {
        let mut running = std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
        running.shutdown().await;
        let mut stopping = JoinSet::new();
        for pool in self.pools.values() {
            let pool = Arc::clone(pool);
            stopping.spawn(async move { pool.stop().await });
        }
        stopping.join_all().await;
    }

    /// Kills every process.
    pub(crate) fn kill(&self) {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
        self.pools.values().for_each(|pool| pool.kill());
    }
}
