//! One instance: a container's process that is started anew, without keys, whenever it ends.

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::{Notify, watch};

use crate::{
    Error,
    process::{LastWords, Logs, Process},
};

/// How long a ping may take.
const PING: Duration = Duration::from_secs(2);

/// How often a container is pinged: while it starts, and while it serves.
const PACE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));

/// A container that ends sooner than this after its start is not started again at once.
const SOUND: Duration = Duration::from_secs(1);

/// How long a container has to finish its requests. SageMaker gives it 30 s.
const PATIENCE: Duration = Duration::from_secs(5);

/// After so many starts without service there is no hope.
const ATTEMPTS: u64 = 3;

/// An instance, as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Instance {
    /// Its number, from 0.
    pub number: usize,
    /// The endpoint it is behind.
    pub endpoint: String,
    /// The variant it belongs to.
    pub variant: String,
    /// Its process, while there is one.
    pub process: Option<u32>,
    /// Whether its `/ping` answers 200, so that it gets requests.
    pub in_service: bool,
    /// How often a process was started for it.
    pub starts: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Status {
    process: Option<u32>,
    port: u16,
    in_service: bool,
    starts: u64,
}

#[derive(Debug)]
pub(super) struct Launch {
    pub(super) program: PathBuf,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) logs: Logs,
}

/// An instance and what is known of it.
#[derive(Debug)]
pub(super) struct Supervised {
    number: usize,
    pub(super) endpoint: String,
    pub(super) variant: String,
    status: watch::Sender<Status>,
    killing: Notify,
    last_words: Mutex<LastWords>,
}

impl Supervised {
    pub(super) fn new(number: usize, endpoint: String, variant: String) -> Self {
        Self { number, endpoint, variant, status: watch::Sender::default(), killing: Notify::new(), last_words: Mutex::default() }
    }

    pub(super) fn describe(&self) -> Instance {
        let Status { process, in_service, starts, .. } = *self.status.borrow();
        Instance { number: self.number, endpoint: self.endpoint.clone(), variant: self.variant.clone(), process, in_service, starts }
    }

    /// The port to send requests to, while it is in service.
    pub(super) fn port(&self) -> Option<u16> {
        let status = *self.status.borrow();
        status.in_service.then_some(status.port)
    }

    /// Takes it out of service until its next ping is answered.
    pub(super) fn doubt(&self, port: u16) {
        self.status.send_if_modified(|status| status.port == port && std::mem::take(&mut status.in_service));
    }

    /// Waits until it is in service, unless there is no hope.
    pub(super) async fn in_service(&self, patience: Duration) -> Result<(), Error> {
        let mut status = self.status.subscribe();
        let settled = status.wait_for(|status| status.in_service || (status.starts >= ATTEMPTS && status.process.is_none()));
        match tokio::time::timeout(patience, settled).await {
            Ok(Ok(status)) if status.in_service => Ok(()),
            _ => {
                let words = self.last_words.lock().unwrap_or_else(PoisonError::into_inner).text();
                Err(Error::NotInService { instance: self.number, words })
            }
        }
    }

    /// Kills its process and waits until it is gone.
    pub(super) async fn kill(&self) {
        let mut status = self.status.subscribe();
        let starts = status.borrow().starts;
        if status.borrow().process.is_some() {
            self.killing.notify_one();
            // The sender is ours, so that this ends by the status alone.
            let _ = status.wait_for(|status| status.process.is_none() || status.starts > starts).await;
        }
    }

    /// Starts the process again and again, until told to stop.
    pub(super) async fn keep_alive(&self, launch: &Launch, client: &reqwest::Client, mut stopping: watch::Receiver<bool>) {
        let name = format!("transcoder {}", self.number);
        loop {
            let started = Instant::now();
            let how = match self.start(&name, launch) {
                Ok((process, port)) => self.live(process, port, client, &mut stopping).await,
                Err(error) => {
                    self.status.send_modify(|status| status.starts += 1);
                    let how = format!("{} cannot be started: {error}", launch.program.display());
                    self.last_words.lock().unwrap_or_else(PoisonError::into_inner).add(how.clone());
                    how
                }
            };
            self.status.send_modify(|status| {
                status.in_service = false;
                status.process = None;
            });
            if *stopping.borrow() {
                return;
            }
            let line = format!("the container ended ({how}): another takes its place, without keys");
            launch.logs.line(&name, &line);
            let rest = SOUND.saturating_sub(started.elapsed());
            let _ = tokio::time::timeout(rest, told(&mut stopping)).await;
        }
    }

    /// Lets a process serve until it ends; says how it did.
    async fn live(&self, mut process: Process, port: u16, client: &reqwest::Client, stopping: &mut watch::Receiver<bool>) -> String {
        let how = tokio::select! {
            status = process.wait() => match status {
                Ok(status) => status.to_string(),
                Err(error) => error.to_string(),
            },
            () = self.killing.notified() => "killed".to_owned(),
            () = told(stopping) => "stopped".to_owned(),
            () = self.watch(client, port) => "not watched".to_owned(),
        };
        self.status.send_modify(|status| status.in_service = false);
        if *stopping.borrow() {
            process.terminate(PATIENCE).await;
        } else {
            process.kill().await;
        }
        process.drain().await;
        how
    }

    fn start(&self, name: &str, launch: &Launch) -> io::Result<(Process, u16)> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut environment = launch.environment.clone();
        environment.insert("SAGEMAKER_BIND_TO_PORT".into(), port.to_string());
        let process = Process::start(name, &launch.program, &["serve"], &environment, &launch.logs)?;
        *self.last_words.lock().unwrap_or_else(PoisonError::into_inner) = process.last_words();
        self.status.send_modify(|status| {
            *status = Status { process: process.id(), port, in_service: false, starts: status.starts + 1 };
        });
        Ok((process, port))
    }

    /// Pings the container for ever.
    async fn watch(&self, client: &reqwest::Client, port: u16) {
        let url = format!("http://127.0.0.1:{port}/ping");
        loop {
            let answer = client.get(&url).timeout(PING).send().await;
            let serving = answer.is_ok_and(|answer| answer.status() == reqwest::StatusCode::OK);
            self.status.send_if_modified(|status| std::mem::replace(&mut status.in_service, serving) != serving);
            tokio::time::sleep(if serving { PACE.1 } else { PACE.0 }).await;
        }
    }
}

/// Waits until told to stop; whoever tells may be gone, which says the same.
async fn told(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stopping| *stopping).await;
}
