//! Lambda: the Runtime API, and behind it the deployed binaries as processes.
//!
//! As on Lambda a process takes one request at a time; more are started under load, up to a bound, and stay warm. A crash fails the one request
//! that the process had.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    pin::Pin,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tokio::{
    process::{Child, Command},
    sync::{Mutex, mpsc, oneshot},
};

use super::{Error, log::Log, net};
use crate::template::{self, ACCOUNT, REGION};

/// The longest event or answer of a synchronous invocation, in bytes.
pub const MAX_PAYLOAD: usize = 6 * 1024 * 1024;

/// How an invocation ended.
#[derive(Debug)]
pub enum Outcome {
    /// The function's answer.
    Answered(Bytes),
    /// The function's own error.
    Failed(Bytes),
    /// The process died, or never asked for work.
    Crashed,
    /// The function took longer than its time-out.
    TimedOut,
}

/// Every function of the template.
pub struct Lambda {
    functions: BTreeMap<String, Arc<Function>>,
}

struct Function {
    spec: template::Function,
    binary: PathBuf,
    environment: Vec<(String, String)>,
    runtime_api: String,
    most: usize,
    log: Log,
    send: mpsc::UnboundedSender<Invocation>,
    queue: Mutex<mpsc::UnboundedReceiver<Invocation>>,
    waiting: AtomicUsize,
    idle: AtomicUsize,
    next_process: AtomicU64,
    processes: Mutex<HashMap<u64, Process>>,
}

/// One process of a function.
#[derive(Default)]
struct Process {
    /// Whether it has asked for work.
    began: bool,
    busy: Option<(String, oneshot::Sender<Outcome>)>,
    kill: Option<oneshot::Sender<()>>,
}

struct Invocation {
    id: String,
    event: Bytes,
    deadline: SystemTime,
    reply: oneshot::Sender<Outcome>,
}

impl Lambda {
    /// Serves the Runtime API for some functions, whose binaries lie in `binaries`. No process is started before it has work.
    pub async fn start(
        functions: Vec<template::Function>,
        binaries: &std::path::Path,
        sdk: &[(String, String)],
        most: usize,
        log: Log,
    ) -> Result<Self, Error> {
        let listener = net::listen(0).await?;
        let address = net::address(&listener);
        let functions: BTreeMap<_, _> = functions
            .into_iter()
            .map(|spec| {
                let (send, queue) = mpsc::unbounded_channel();
                let function = Function {
                    binary: binaries.join(&spec.binary),
                    environment: environment(&spec, sdk),
                    runtime_api: format!("{address}/{}", spec.id),
                    most,
                    log: log.clone(),
                    send,
                    queue: Mutex::new(queue),
                    waiting: AtomicUsize::default(),
                    idle: AtomicUsize::default(),
                    next_process: AtomicU64::default(),
                    processes: Mutex::default(),
                    spec,
                };
                (function.spec.id.clone(), Arc::new(function))
            })
            .collect();
        let routes = Router::new()
            .route("/{function}/{process}/2018-06-01/runtime/invocation/next", get(next))
            .route("/{function}/{process}/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/{function}/{process}/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/{function}/{process}/2018-06-01/runtime/init/error", post(init_error))
            .layer(DefaultBodyLimit::max(MAX_PAYLOAD + 4096))
            .with_state(Arc::new(functions.clone()));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { functions })
    }

    /// Invokes a function, and waits for its end; `None` when there is no such function.
    pub async fn invoke(&self, function: &str, event: Bytes) -> Option<Outcome> {
        Some(self.functions.get(function)?.invoke(event).await)
    }

    /// Ends every process.
    pub async fn stop(&self) {
        for function in self.functions.values() {
            function.processes.lock().await.clear();
        }
    }
}

impl Function {
    async fn invoke(self: &Arc<Self>, event: Bytes) -> Outcome {
        let timeout = Duration::from_secs(self.spec.timeout);
        let (reply, answer) = oneshot::channel();
        let id = request_id();
        let invocation = Invocation { id: id.clone(), event, deadline: SystemTime::now() + timeout, reply };
        let waiting = self.waiting.fetch_add(1, Ordering::SeqCst) + 1;
        let _ = self.send.send(invocation);
        if waiting > self.idle.load(Ordering::SeqCst) {
            self.start_process().await;
        }
        if let Ok(outcome) = tokio::time::timeout(timeout, answer).await { outcome.unwrap_or(Outcome::Crashed) } else {
            self.kill(&id).await;
            Outcome::TimedOut
        }
    }

    /// Starts a process, unless there are as many as there may be.
    async fn start_process(self: &Arc<Self>) {
        let mut processes = self.processes.lock().await;
        if processes.len() >= self.most {
            return;
        }
        let number = self.next_process.fetch_add(1, Ordering::SeqCst);
        let child = Command::new(&self.binary)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("AWS_LAMBDA_RUNTIME_API", format!("{}/{number}", self.runtime_api))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        match child {
            Ok(mut child) => {
                self.log.follow(&self.spec.id, &mut child);
                let (kill, killed) = oneshot::channel();
                processes.insert(number, Process { kill: Some(kill), ..Process::default() });
                tokio::spawn(self.clone().watched(number, child, killed));
            }
            Err(cause) => {
                drop(processes);
                self.log.line(&self.spec.id, &format!("{} does not start: {cause}", self.binary.display()));
                self.fail_one().await;
            }
        }
    }

    /// Named for the compiler: a process's end may start another, whose end is watched.
    fn watched(self: Arc<Self>, number: u64, child: Child, killed: oneshot::Receiver<()>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(self.watch(number, child, killed))
    }

    /// Waits for a process's end, and fails what it had.
    async fn watch(self: Arc<Self>, number: u64, mut child: Child, killed: oneshot::Receiver<()>) {
        let status = tokio::select! {
            status = child.wait() => status.ok(),
            // Either asked to, or the process is forgotten because the suite stops.
            _ = killed => { let _ = child.kill().await; None }
        };
        let Some(process) = self.processes.lock().await.remove(&number) else { return };
        if let Some(status) = status {
            self.log.line(&self.spec.id, &format!("process {number} ended: {status}"));
        }
        match process.busy {
            Some((_, reply)) => drop(reply.send(Outcome::Crashed)),
            // It never asked for work: another start would end the same way, so what waits must not wait for ever.
            None if !process.began => self.fail_one().await,
            None => {}
        }
        if self.waiting.load(Ordering::SeqCst) > self.idle.load(Ordering::SeqCst) {
            self.start_process().await;
        }
    }

    async fn fail_one(&self) {
        if let Ok(invocation) = self.queue.lock().await.try_recv() {
            self.waiting.fetch_sub(1, Ordering::SeqCst);
            let _ = invocation.reply.send(Outcome::Crashed);
        }
    }

    /// Kills the process that has an invocation.
    async fn kill(&self, id: &str) {
        let mut processes = self.processes.lock().await;
        let process = processes.values_mut().find(|process| process.busy.as_ref().is_some_and(|(busy, _)| busy == id));
        if let Some(kill) = process.and_then(|process| process.kill.take()) {
            let _ = kill.send(());
        }
    }

    async fn finish(&self, number: u64, id: &str, outcome: Outcome) -> StatusCode {
        let mut processes = self.processes.lock().await;
        match processes.get_mut(&number).and_then(|process| process.busy.take_if(|(busy, _)| busy == id)) {
            Some((_, reply)) => {
                let _ = reply.send(outcome);
                StatusCode::ACCEPTED
            }
            None => StatusCode::BAD_REQUEST,
        }
    }
}

type Functions = State<Arc<BTreeMap<String, Arc<Function>>>>;

async fn next(State(functions): Functions, Path((function, process)): Path<(String, u64)>) -> Response {
    let Some(function) = functions.get(&function) else { return StatusCode::NOT_FOUND.into_response() };
    match function.processes.lock().await.get_mut(&process) {
        Some(process) => process.began = true,
        None => return StatusCode::NOT_FOUND.into_response(),
    }
    let invocation = loop {
        // A process that dies while it waits drops this future: it is then idle no more.
        let idle = Idle::new(function);
        let received = function.queue.lock().await.recv().await;
        drop(idle);
        let Some(invocation) = received else { return StatusCode::GONE.into_response() };
        function.waiting.fetch_sub(1, Ordering::SeqCst);
        // Whoever asked may have gone: a time-out in the queue.
        if !invocation.reply.is_closed() {
            break invocation;
        }
    };
    let deadline = invocation.deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis().to_string();
    let headers = [
        ("Lambda-Runtime-Aws-Request-Id", invocation.id.clone()),
        ("Lambda-Runtime-Deadline-Ms", deadline),
        ("Lambda-Runtime-Invoked-Function-Arn", format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{}", function.spec.id)),
        ("Lambda-Runtime-Trace-Id", format!("Root=1-{}", invocation.id)),
        ("Content-Type", "application/json".into()),
    ];
    let mut processes = function.processes.lock().await;
    let Some(process) = processes.get_mut(&process) else {
        let _ = invocation.reply.send(Outcome::Crashed);
        return StatusCode::NOT_FOUND.into_response();
    };
    process.busy = Some((invocation.id, invocation.reply));
    (headers.map(|(name, value)| (name, value)), invocation.event).into_response()
}

/// Counts a process as idle while it waits for work.
struct Idle<'a>(&'a Function);

impl<'a> Idle<'a> {
    fn new(function: &'a Function) -> Self {
        function.idle.fetch_add(1, Ordering::SeqCst);
        Self(function)
    }
}

impl Drop for Idle<'_> {
    fn drop(&mut self) {
        self.0.idle.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn response(State(functions): Functions, Path((function, process, id)): Path<(String, u64, String)>, body: Bytes) -> StatusCode {
    let Some(function) = functions.get(&function) else { return StatusCode::NOT_FOUND };
    function.finish(process, &id, Outcome::Answered(body)).await
}

async fn error(State(functions): Functions, Path((function, process, id)): Path<(String, u64, String)>, body: Bytes) -> StatusCode {
    let Some(function) = functions.get(&function) else { return StatusCode::NOT_FOUND };
    function.log.line(&function.spec.id, &String::from_utf8_lossy(&body));
    function.finish(process, &id, Outcome::Failed(body)).await
}

async fn init_error(State(functions): Functions, Path((function, _)): Path<(String, u64)>, _: HeaderMap, body: Bytes) -> StatusCode {
    let Some(function) = functions.get(&function) else { return StatusCode::NOT_FOUND };
    function.log.line(&function.spec.id, &String::from_utf8_lossy(&body));
    StatusCode::ACCEPTED
}

/// What Lambda sets, what the template sets, and where the engines of this desk are.
fn environment(spec: &template::Function, sdk: &[(String, String)]) -> Vec<(String, String)> {
    let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut all = vec![
        own("AWS_LAMBDA_FUNCTION_NAME", &spec.id),
        own("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        own("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &spec.memory.to_string()),
        own("AWS_LAMBDA_LOG_GROUP_NAME", &format!("/aws/lambda/{}", spec.id)),
        own("AWS_LAMBDA_LOG_STREAM_NAME", "desk"),
        own("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023"),
        own("_HANDLER", "bootstrap"),
    ];
    all.extend(sdk.iter().cloned());
    all.extend(spec.environment.clone());
    all
}

/// A request's id, in the form of a UUID.
pub fn request_id() -> String {
    use shared::{crypto::system_rng, encoding::hex, secret::Secret};
    let text = hex(Secret::<16>::generate(&mut system_rng()).expose());
    [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-")
}
