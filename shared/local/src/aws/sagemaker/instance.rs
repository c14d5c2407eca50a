//! An instance: a container's process, which is restarted without keys whenever it exits.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    io,
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::{Notify, watch};

use crate::{
    error::Error,
    logs::{LogTail, Logs},
    process::Process,
};

/// How long `/ping` may take.
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// The interval of pings until a container is in service.
const STARTING_PING_INTERVAL: Duration = Duration::from_millis(20);

/// The interval of pings while a container is in service.
const SERVING_PING_INTERVAL: Duration = Duration::from_millis(500);

/// The minimum time between two starts of a container.
const MIN_UPTIME: Duration = Duration::from_secs(1);

/// How long a container may take to exit after SIGTERM. SageMaker allows 30 s.
const CONTAINER_EXIT_TIMEOUT: Duration = Duration::from_secs(5);

/// After so many starts without service an instance has failed.
const MAX_START_ATTEMPTS: u64 = 3;

/// The state of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Instance {
    /// Its number, from 0.
    pub number: usize,
    /// Its endpoint.
    pub endpoint: String,
    /// Its production variant.
    pub variant: String,
    /// The id of its process, while one runs.
    pub process: Option<u32>,
    /// Whether its last `/ping` returned 200, so that it gets requests.
    pub in_service: bool,
    /// How many processes were started for it.
    pub starts: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Status {
    process: Option<u32>,
    port: u16,
    in_service: bool,
    starts: u64,
}

/// What a container's process is started with.
#[derive(Debug)]
pub(super) struct ContainerSpec {
    pub(super) program: PathBuf,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) logs: Logs,
}

/// Starts an instance's processes, pings them and knows their state.
#[derive(Debug)]
pub(super) struct InstanceSupervisor {
    number: usize,
    pub(super) endpoint: String,
    pub(super) variant: String,
    status: watch::Sender<Status>,
    kill_signal: Notify,
    log_tail: Mutex<LogTail>,
}

impl InstanceSupervisor {
    pub(super) fn new(number: usize, endpoint: String, variant: String) -> Self {
        Self { number, endpoint, variant, status: watch::Sender::default(), kill_signal: Notify::new(), log_tail: Mutex::default() }
    }

    pub(super) fn describe(&self) -> Instance {
        let Status { process, in_service, starts, .. } = *self.status.borrow();
        Instance { number: self.number, endpoint: self.endpoint.clone(), variant: self.variant.clone(), process, in_service, starts }
    }

    /// The port for requests, while the instance is in service.
    pub(super) fn port(&self) -> Option<u16> {
        let status = *self.status.borrow();
        status.in_service.then_some(status.port)
    }

    /// Takes the process of this port out of service until its next ping succeeds.
    pub(super) fn suspend(&self, port: u16) {
        self.status.send_if_modified(|status| status.port == port && std::mem::take(&mut status.in_service));
    }

    /// Waits until the instance is in service. Fails after `timeout`, or after
    /// [`MAX_START_ATTEMPTS`].
    pub(super) async fn wait_in_service(&self, timeout: Duration) -> Result<(), Error> {
        let mut status = self.status.subscribe();
        let settled = status.wait_for(|status| status.in_service || (status.starts >= MAX_START_ATTEMPTS && status.process.is_none()));
        match tokio::time::timeout(timeout, settled).await {
            Ok(Ok(status)) if status.in_service => Ok(()),
            _ => {
                let log = self.log_tail.lock().unwrap_or_else(PoisonError::into_inner).text();
                Err(Error::NotInService { instance: self.number, log })
            }
        }
    }

    /// Kills the process and waits until it has exited.
    pub(super) async fn kill(&self) {
        let mut status = self.status.subscribe();
        let starts = status.borrow().starts;
        if status.borrow().process.is_some() {
            self.kill_signal.notify_one();
            // It cannot fail: `self` owns the sender.
            let _ = status.wait_for(|status| status.process.is_none() || status.starts > starts).await;
        }
    }

    /// Starts a process, and another whenever one exits, until `stopping` is true.
    pub(super) async fn supervise(&self, container: &ContainerSpec, client: &reqwest::Client, mut stopping: watch::Receiver<bool>) {
        let name = format!("transcoder {}", self.number);
        loop {
            let started = Instant::now();
            let reason = match self.start(&name, container) {
                Ok((process, port)) => self.run(process, port, client, &mut stopping).await,
                Err(error) => {
                    self.status.send_modify(|status| status.starts += 1);
                    let reason = format!("{} cannot be started: {error}", container.program.display());
                    self.log_tail.lock().unwrap_or_else(PoisonError::into_inner).push(reason.clone());
                    reason
                }
            };
            self.status.send_modify(|status| {
                status.in_service = false;
                status.process = None;
            });
            if *stopping.borrow() {
                return;
            }
            let line = format!("the container exited ({reason}); a new one starts without keys");
            container.logs.line(&name, &line);
            let delay = MIN_UPTIME.saturating_sub(started.elapsed());
            let _ = tokio::time::timeout(delay, stopped(&mut stopping)).await;
        }
    }

    /// Lets a process serve until it exits or is stopped. Returns the reason.
    async fn run(&self, mut process: Process, port: u16, client: &reqwest::Client, stopping: &mut watch::Receiver<bool>) -> String {
        let reason = tokio::select! {
            status = process.wait() => match status {
                Ok(status) => status.to_string(),
                Err(error) => error.to_string(),
            },
            () = self.kill_signal.notified() => "killed".to_owned(),
            () = stopped(stopping) => "stopped".to_owned(),
            never = self.ping(client, port) => match never {},
        };
        self.status.send_modify(|status| status.in_service = false);
        if *stopping.borrow() {
            process.terminate(CONTAINER_EXIT_TIMEOUT).await;
        } else {
            process.kill().await;
        }
        process.flush_output().await;
        reason
    }

    fn start(&self, name: &str, container: &ContainerSpec) -> io::Result<(Process, u16)> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut environment = container.environment.clone();
        environment.insert("SAGEMAKER_BIND_TO_PORT".into(), port.to_string());
        let process = Process::start(name, &container.program, &["serve"], &environment, &container.logs)?;
        *self.log_tail.lock().unwrap_or_else(PoisonError::into_inner) = process.log_tail();
        self.status.send_modify(|status| {
            *status = Status { process: process.id(), port, in_service: false, starts: status.starts + 1 };
        });
        Ok((process, port))
    }

    /// Pings the container forever, which decides whether it is in service.
    async fn ping(&self, client: &reqwest::Client, port: u16) -> Infallible {
        let url = format!("http://127.0.0.1:{port}/ping");
        loop {
            let response = client.get(&url).timeout(PING_TIMEOUT).send().await;
            let serving = response.is_ok_and(|response| response.status() == reqwest::StatusCode::OK);
            self.status.send_if_modified(|status| std::mem::replace(&mut status.in_service, serving) != serving);
            tokio::time::sleep(if serving { SERVING_PING_INTERVAL } else { STARTING_PING_INTERVAL }).await;
        }
    }
}

/// Waits until `stopping` is true or its sender is dropped.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stopping| *stopping).await;
}
