//! One process of a function, with a Runtime API of its own, as on Lambda.

use std::{
    io,
    net::Ipv4Addr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::body::Bytes;
use tokio::net::TcpListener;

use super::{
    Launch, Reply,
    runtime_api::{self, Event, Mailbox, Outcome},
};
use crate::{environment, process::Process, server::Server};

/// A process and its Runtime API; dropped, both are gone.
#[derive(Debug)]
pub(super) struct Sandbox {
    process: Process,
    mailbox: Arc<Mailbox>,
    timeout: Duration,
    _runtime_api: Server,
}

/// How an event ended.
#[derive(Debug)]
pub(super) enum End {
    /// The function replied.
    Replied(Reply),
    /// The process could not begin, and said why.
    InitFailed(Bytes),
    /// The process ended before it took the event.
    NeverTaken(String),
    /// The process ended while it had the event.
    Exited(String),
    /// The time was over.
    TimedOut,
}

impl Sandbox {
    pub(super) fn start(launch: &Launch, number: usize) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let mailbox = Arc::new(Mailbox::new(launch.arn.clone()));
        let runtime_api = Server::start(TcpListener::from_std(listener)?, runtime_api::router(Arc::clone(&mailbox)))?;
        let mut environment = launch.environment.clone();
        let stream = format!("[$LATEST]{number:032x}");
        environment.extend(environment::lambda(&launch.function, runtime_api.address(), &stream));
        let process = Process::start(launch.function.binary(), &launch.program, &[], &environment, &launch.logs)?;
        Ok(Self { process, mailbox, timeout: launch.function.timeout, _runtime_api: runtime_api })
    }

    pub(super) fn is_running(&mut self) -> bool {
        self.process.is_running()
    }

    /// Hands an event over and waits for its end.
    pub(super) async fn run(&mut self, request_id: &str, payload: Bytes) -> End {
        let deadline = SystemTime::now() + self.timeout;
        let outcome = self.mailbox.put(Event { request_id: request_id.to_owned(), payload, deadline });
        tokio::select! {
            // A process may answer and end: the answer counts.
            biased;
            Ok(outcome) = outcome => match outcome {
                Outcome::Answered(payload) => End::Replied(Reply::answered(payload)),
                Outcome::Failed(payload) => End::Replied(Reply::failed(payload)),
                Outcome::InitFailed(payload) => End::InitFailed(payload),
            },
            status = self.process.wait() => {
                let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
                if self.mailbox.take_back() { End::NeverTaken(how) } else { End::Exited(how) }
            }
            () = tokio::time::sleep(self.timeout) => {
                self.process.kill().await;
                End::TimedOut
            }
        }
    }

    pub(super) async fn terminate(&mut self, patience: Duration) {
        self.process.terminate(patience).await;
    }
}
