//! SageMaker: the runtime's endpoint, and behind it translator processes, as hosting keeps them.
//!
//! An instance is in rotation while its `/ping` answers 200; one that ends is started anew, without keys.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::json;
use tokio::process::{Child, Command};

use super::{Error, log::Log, net};

/// The longest body of the API model, in bytes.
const MAX_BODY: usize = 6_291_456;
/// How long a container may take, in seconds.
const LIMIT: u64 = 60;
const VARIANT: &str = "AllTraffic";
const ATTRIBUTES: &str = "x-amzn-sagemaker-custom-attributes";

/// The hosting of one endpoint.
pub struct Hosting {
    instances: Arc<Vec<Arc<Instance>>>,
    address: String,
}

struct Instance {
    number: usize,
    port: AtomicU32,
    pid: AtomicU32,
    ready: AtomicBool,
    stopping: AtomicBool,
}

/// How a container is started.
pub struct Container {
    /// The translator's binary.
    pub binary: PathBuf,
    /// Its environment.
    pub environment: BTreeMap<String, String>,
}

impl Hosting {
    /// Starts the instances and the runtime's endpoint, and waits until all are in rotation.
    pub async fn start(endpoint: &str, container: Container, count: usize, log: Log) -> Result<Self, Error> {
        let container = Arc::new(container);
        let instances: Vec<_> = (1..=count).map(|number| Arc::new(Instance::new(number))).collect();
        for instance in &instances {
            tokio::spawn(instance.clone().keep(container.clone(), log.clone()));
        }
        let listener = net::listen(0).await?;
        let address = net::address(&listener);
        let instances = Arc::new(instances);
        let state = Front {
            endpoint: endpoint.into(),
            instances: instances.clone(),
            turn: Arc::default(),
            client: reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(LIMIT)).build().map_err(|_| Error::Client)?,
        };
        let routes =
            Router::new().route("/endpoints/{name}/invocations", post(invoke)).layer(DefaultBodyLimit::max(MAX_BODY * 2)).with_state(state);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let hosting = Self { instances, address };
        hosting.in_service().await?;
        Ok(hosting)
    }

    /// The runtime's address.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// How many instances are in rotation.
    pub fn ready(&self) -> usize {
        self.instances.iter().filter(|instance| instance.ready.load(Ordering::SeqCst)).count()
    }

    /// Kills an instance, counted from 1, as a failing machine would; hosting starts it anew, without keys.
    pub fn kill(&self, number: usize) {
        if let Some(instance) = self.instances.get(number.wrapping_sub(1)) {
            instance.ready.store(false, Ordering::SeqCst);
            instance.signal(rustix::process::Signal::KILL);
        }
    }

    /// Stops every instance as hosting does: asked first, killed if it does not listen.
    pub async fn stop(&self) {
        for instance in self.instances.iter() {
            instance.stopping.store(true, Ordering::SeqCst);
            instance.signal(rustix::process::Signal::TERM);
        }
        for _ in 0..100 {
            if self.instances.iter().all(|instance| instance.pid.load(Ordering::SeqCst) == 0) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        for instance in self.instances.iter() {
            instance.signal(rustix::process::Signal::KILL);
        }
    }

    async fn in_service(&self) -> Result<(), Error> {
        for _ in 0..600 {
            if self.ready() == self.instances.len() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        Err(Error::Container)
    }
}

impl Instance {
    fn new(number: usize) -> Self {
        Self {
            number,
            port: AtomicU32::default(),
            pid: AtomicU32::default(),
            ready: AtomicBool::default(),
            stopping: AtomicBool::default(),
        }
    }

    fn name(&self) -> String {
        format!("Transcoder-{}", self.number)
    }

    /// Keeps a container running until hosting stops.
    async fn keep(self: Arc<Self>, container: Arc<Container>, log: Log) {
        while !self.stopping.load(Ordering::SeqCst) {
            match self.start(&container).await {
                Ok((mut child, port)) => {
                    log.follow(&self.name(), &mut child);
                    self.pid.store(child.id().unwrap_or_default(), Ordering::SeqCst);
                    self.port.store(port.into(), Ordering::SeqCst);
                    let status = tokio::select! {
                        status = child.wait() => status,
                        () = self.ping(port) => unreachable!("pings go on until the container ends"),
                    };
                    self.ready.store(false, Ordering::SeqCst);
                    self.pid.store(0, Ordering::SeqCst);
                    log.line(&self.name(), &status.map_or_else(|cause| cause.to_string(), |status| format!("ended: {status}")));
                }
                Err(cause) => log.line(&self.name(), &format!("does not start: {cause}")),
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn start(&self, container: &Container) -> Result<(Child, u16), Error> {
        let port = net::free_port().await?;
        let child = Command::new(&container.binary)
            .arg("serve")
            .env_clear()
            .envs(&container.environment)
            .env("SAGEMAKER_BIND_TO_PORT", port.to_string())
            .env("RAMPWAY_BIND", "127.0.0.1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|cause| Error::Binary { binary: container.binary.clone(), cause })?;
        Ok((child, port))
    }

    /// Asks the container over and over whether it can serve.
    async fn ping(&self, port: u16) {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(2)).build().unwrap_or_default();
        loop {
            let answer = client.get(format!("http://127.0.0.1:{port}/ping")).send().await;
            let ready = answer.is_ok_and(|answer| answer.status() == StatusCode::OK);
            self.ready.store(ready, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(if ready { 1000 } else { 20 })).await;
        }
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = i32::try_from(self.pid.load(Ordering::SeqCst)).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            let _ = rustix::process::kill_process(pid, signal);
        }
    }
}

#[derive(Clone)]
struct Front {
    endpoint: String,
    instances: Arc<Vec<Arc<Instance>>>,
    turn: Arc<AtomicUsize>,
    client: reqwest::Client,
}

/// `InvokeEndpoint`, with the errors of its API model.
async fn invoke(State(front): State<Front>, Path(name): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    if name != front.endpoint {
        return failure(StatusCode::BAD_REQUEST, "ValidationError", &format!("Endpoint {name} of account not found."), json!({}));
    }
    let variant = headers.get("x-amzn-sagemaker-target-variant").map_or(VARIANT, |variant| variant.to_str().unwrap_or_default());
    if variant != VARIANT {
        return failure(StatusCode::BAD_REQUEST, "ValidationError", &format!("Variant {variant} not found."), json!({}));
    }
    if body.len() > MAX_BODY {
        return failure(
            StatusCode::BAD_REQUEST,
            "ValidationError",
            &format!("Value at 'body' must have length at most {MAX_BODY}."),
            json!({}),
        );
    }
    let Some(instance) = front.next() else {
        return failure(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", "No instance is in service.", json!({}));
    };
    let url = format!("http://127.0.0.1:{}/invocations", instance.port.load(Ordering::SeqCst));
    let mut request = front.client.post(url).body(body);
    for (name, value) in &headers {
        if name.as_str().starts_with("x-amzn-sagemaker-") || name == "content-type" || name == "accept" {
            request = request.header(name, value);
        }
    }
    let answered = async {
        let answer = request.send().await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        Ok::<_, reqwest::Error>((status, headers, answer.bytes().await?))
    };
    match answered.await {
        Ok((status, headers, body)) if status.is_success() => {
            let pass = |name: &'static str| headers.get(name).map(|value| [(name, value.clone())]);
            (pass(ATTRIBUTES), pass("content-type"), [("x-amzn-invoked-production-variant", VARIANT)], body).into_response()
        }
        Ok((status, _, body)) => model_error(status.as_u16(), &String::from_utf8_lossy(&body)),
        Err(_) => model_error(0, ""),
    }
}

impl Front {
    /// The next instance in rotation.
    fn next(&self) -> Option<&Instance> {
        let ready: Vec<_> = self.instances.iter().filter(|instance| instance.ready.load(Ordering::SeqCst)).collect();
        let turn = self.turn.fetch_add(1, Ordering::SeqCst);
        ready.get(turn.checked_rem(ready.len())?).map(|instance| &***instance)
    }
}

fn model_error(status: u16, body: &str) -> Response {
    let message = format!("Received error ({status}) from primary with message \"{body}\".");
    let original = json!({"OriginalStatusCode": status, "OriginalMessage": body, "LogStreamArn": ""});
    failure(StatusCode::FAILED_DEPENDENCY, "ModelError", &message, original)
}

fn failure(status: StatusCode, kind: &'static str, message: &str, mut body: serde_json::Value) -> Response {
    body["Message"] = message.into();
    (status, [("x-amzn-errortype", kind), ("content-type", "application/json")], body.to_string()).into_response()
}
