//! An execution environment: one process of a function and its Runtime API.

use std::{
    io,
    net::Ipv4Addr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::body::Bytes;
use tokio::net::TcpListener;

use super::{
    function_spec::FunctionSpec,
    output::InvokeOutput,
    runtime_api::{self, Invocation, InvocationResult, InvocationSlot},
};
use crate::{environment, process::Process, server::Server};

/// A process and its Runtime API. Dropped, both stop.
#[derive(Debug)]
pub(super) struct Sandbox {
    process: Process,
    slot: Arc<InvocationSlot>,
    timeout: Duration,
    _runtime_api: Server,
}

/// How an invocation ended.
#[derive(Debug)]
pub(super) enum InvocationEnd {
    /// The function posted a response or an error.
    Completed(InvokeOutput),
    /// The process reported an initialization error, which is the payload.
    InitFailed(Bytes),
    /// The process exited before it fetched the event, with this status.
    NotFetched(String),
    /// The process exited while it handled the event, with this status.
    Exited(String),
    /// The function's timeout expired.
    TimedOut,
}

impl Sandbox {
    pub(super) fn start(spec: &FunctionSpec, number: usize) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let slot = Arc::new(InvocationSlot::new(spec.arn.clone()));
        let runtime_api = Server::start(TcpListener::from_std(listener)?, runtime_api::router(Arc::clone(&slot)));
        let runtime_api = runtime_api.map_err(io::Error::other)?;
        let mut environment = spec.environment.clone();
        let stream = format!("[$LATEST]{number:032x}");
        environment.extend(environment::lambda(&spec.function, runtime_api.address(), &stream));
        let process = Process::start(spec.function.binary(), &spec.program, &[], &environment, &spec.logs)?;
        Ok(Self { process, slot, timeout: spec.function.timeout, _runtime_api: runtime_api })
    }

    pub(super) fn is_running(&mut self) -> bool {
        self.process.is_running()
    }

    /// Passes an event to the process and waits for the result.
    pub(super) async fn run(&mut self, request_id: &str, payload: Bytes) -> InvocationEnd {
        let deadline = SystemTime::now() + self.timeout;
        let result = self.slot.put(Invocation { request_id: request_id.to_owned(), payload, deadline });
        tokio::select! {
            // A process may exit right after its response, which still counts.
            biased;
            Ok(result) = result => match result {
                InvocationResult::Response(payload) => InvocationEnd::Completed(InvokeOutput::response(payload)),
                InvocationResult::Error(payload) => InvocationEnd::Completed(InvokeOutput::function_error(payload)),
                InvocationResult::InitError(payload) => InvocationEnd::InitFailed(payload),
            },
            status = self.process.wait() => {
                let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
                if self.slot.withdraw() { InvocationEnd::NotFetched(status) } else { InvocationEnd::Exited(status) }
            }
            () = tokio::time::sleep(self.timeout) => {
                self.process.kill().await;
                InvocationEnd::TimedOut
            }
        }
    }

    pub(super) async fn terminate(&mut self, timeout: Duration) {
        self.process.terminate(timeout).await;
    }
}
