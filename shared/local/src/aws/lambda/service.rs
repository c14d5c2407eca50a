//! All functions of a stack.

use std::{
    collections::BTreeMap,
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use axum::body::Bytes;
use tokio::{sync::oneshot, task::JoinSet};

use super::{function_spec::FunctionSpec, output::InvokeOutput, pool::Pool};

/// All functions of a stack, by logical id.
#[derive(Debug)]
pub(crate) struct Lambda {
    pools: BTreeMap<String, Arc<Pool>>,
    /// The open invocations. One continues when its caller disconnects.
    invocations: Mutex<JoinSet<()>>,
}

impl Lambda {
    /// Each function may have up to `max_processes` processes.
    pub(crate) fn new(functions: Vec<FunctionSpec>, max_processes: usize) -> Self {
        let pools = functions.into_iter().map(|spec| (spec.function.id.clone(), Arc::new(Pool::new(spec, max_processes))));
        Self { pools: pools.collect(), invocations: Mutex::default() }
    }

    /// Invokes a function; `None` when there is none of that name.
    pub(crate) async fn invoke(&self, name: &str, request_id: &str, payload: Bytes) -> Option<InvokeOutput> {
        let pool = Arc::clone(self.pools.get(name)?);
        let (sender, receiver) = oneshot::channel();
        let id = request_id.to_owned();
        {
            let mut invocations = self.invocations.lock().unwrap_or_else(PoisonError::into_inner);
            while invocations.try_join_next().is_some() {}
            invocations.spawn(async move { drop(sender.send(pool.invoke(&id, payload).await)) });
        }
        Some(receiver.await.unwrap_or_else(|_| InvokeOutput::stopping(request_id)))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.pools.contains_key(name)
    }

    /// Aborts the open invocations and terminates every process.
    pub(crate) async fn stop(&self) {
        let mut invocations = mem::take(&mut *self.invocations.lock().unwrap_or_else(PoisonError::into_inner));
        invocations.shutdown().await;
        let mut stopping = JoinSet::new();
        for pool in self.pools.values() {
            let pool = Arc::clone(pool);
            stopping.spawn(async move { pool.stop().await });
        }
        stopping.join_all().await;
    }

    /// Kills every process.
    pub(crate) fn kill(&self) {
        self.invocations.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
        self.pools.values().for_each(|pool| pool.kill());
    }
}
