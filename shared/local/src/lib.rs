//! The suite on this machine: what `template.yaml` describes, run as AWS would run it, by the binaries that are deployed.
//!
//! Nothing here knows the functions: they are processes that fetch their events from a Runtime API, find their tables in an
//! embedded engine and the transcoder behind a runtime endpoint, and take each of these for AWS, by endpoint alone. Brightcove and its bucket
//! are played the same way.

mod aws;
pub mod binaries;
mod body;
mod environment;
mod error;
mod options;
mod process;
mod server;
mod setting;
mod state;
mod template_source;
mod uploads;
mod vendors;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::Router;
use sam::{Deployment, Function, Stack};
use serde_json::Value;
use time::OffsetDateTime;
use tokio::{net::TcpListener, task::JoinSet};
use uuid::Uuid;

use self::{
    aws::{
        api_gateway::Gateway,
        dynamodb, eventbridge,
        lambda::{Lambda, Launch},
        sagemaker::{Fleet, Plan, Supervision},
    },
    process::Logs,
    server::{Server, listen},
    uploads::Uploads,
};
pub use self::{
    aws::{dynamodb::DynamoDb, sagemaker::Instance},
    error::Error,
    options::Options,
    state::{State, StateDir},
    template_source::TemplateSource,
    uploads::parameters,
    vendors::brightcove::{Brightcove, Call, Job, JobState, Video},
};

/// How long requests that run have to end when the suite stops.
const PATIENCE: Duration = Duration::from_secs(10);

/// Tables, keys and stand-ins that serve, before any function runs: what the first domains, keys and credentials are written into.
/// [`Provisioned::start`] makes a [`LocalCloud`] of it.
#[derive(Debug)]
pub struct Provisioned {
    options: Options,
    api: String,
    environment: BTreeMap<String, String>,
    stack: Stack,
    deployment: Deployment,
    /// What the functions' processes find beside their own variables.
    function_environment: BTreeMap<String, String>,
    logs: Logs,
    binaries: PathBuf,
    model: PathBuf,
    front: TcpListener,
    runtime: TcpListener,
    database: Server,
    uploads: Option<Uploads>,
    state: StateDir,
}

/// A running suite. Dropped, it is gone at once; [`LocalCloud::stop`] lets it finish what it does.
#[derive(Debug)]
pub struct LocalCloud {
    api: String,
    environment: BTreeMap<String, String>,
    functions: Vec<Function>,
    deployment: Deployment,
    logs: Logs,
    binaries: PathBuf,
    lambda: Arc<Lambda>,
    gateway: Arc<Gateway>,
    fleet: Arc<Fleet>,
    schedules: JoinSet<()>,
    front: Server,
    invoke_api: Server,
    runtime: Server,
    supervision: Supervision,
    database: Server,
    uploads: Option<Uploads>,
    state: StateDir,
    written: Option<PathBuf>,
    /// Kills the functions' processes, however this ends.
    _end: End,
}

/// Kills the processes of a suite that is dropped.
#[derive(Debug)]
struct End(Arc<Lambda>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.kill();
    }
}

impl Provisioned {
    /// Starts the tables and the stand-ins of the vendors, and takes the ports.
    async fn new(options: Options) -> Result<Self, Error> {
        let logs = Logs::new(!options.quiet);
        let template = options.template.read()?;
        // The port first: it is in the functions' environment, and taken more often than anything else fails.
        let front = listen(options.port).await?;
        let port = front.local_addr().map_err(|source| Error::Listen { port: options.port, source })?.port();
        let state = StateDir::open(&options.state)?;
        let deployment = Deployment::local(format!("http://127.0.0.1:{port}"), &state.master_key());
        let stack = template.stack(&uploads::parameters(&template, &options.parameters), &deployment)?;
        let binaries = programs(&stack, options.binaries.as_deref()).await?;

        state.make_master_key()?;
        let database = dynamodb::serve(listen(0).await?, &state, &stack.tables)?;
        let (runtime, model) = (listen(0).await?, state.model()?);
        let runtime_address = runtime.local_addr().map_err(|source| Error::Listen { port: 0, source })?;
        let uploads = Uploads::start(&stack, &state, &logs).await?;
        let mut sdk = environment::sdk(&deployment, database.address(), runtime_address);
        sdk.extend(uploads.iter().flat_map(Uploads::environment));
        let hosts = uploads.iter().flat_map(Uploads::hosts);
        let function_environment = sdk.clone().into_iter().chain(hosts).collect();
        let api = format!("{}/{}", deployment.address, aws::api_gateway::stage(&stack.apis)?);
        let environment = environment::administrator(&stack, &api, sdk);
        Ok(Self {
            options,
            api,
            environment,
            stack,
            deployment,
            function_environment,
            logs,
            binaries,
            model,
            front,
            runtime,
            database,
            uploads,
            state,
        })
    }

    /// The stack.
    #[must_use]
    pub const fn stack(&self) -> &Stack {
        &self.stack
    }

    /// Adds a JSON document to those of [`Options::documents`].
    pub fn add_document(&mut self, path: &str, json: String) {
        self.options.documents.insert(path.to_owned(), json);
    }

    /// The address that all APIs will have, with the stage: `http://127.0.0.1:3000/Prod`.
    #[must_use]
    pub fn api(&self) -> &str {
        &self.api
    }

    /// The environment of `rampway admin` and `rampway mint`.
    #[must_use]
    pub const fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// The directory of the state.
    #[must_use]
    pub const fn state(&self) -> &StateDir {
        &self.state
    }

    /// The folder that is `/opt/ml/model` in a transcoder's container.
    #[must_use]
    pub fn model(&self) -> &Path {
        &self.model
    }

    /// Brightcove, where the stack has the upload side.
    #[must_use]
    pub fn brightcove(&self) -> Option<&Brightcove> {
        self.uploads.as_ref().map(|uploads| &uploads.brightcove)
    }

    /// Starts functions, transcoders and the APIs; they serve when this returns.
    pub async fn start(self) -> Result<LocalCloud, Error> {
        let Self { options, deployment, logs, binaries, state, stack, .. } = self;
        let launch = |function: &Function| Launch {
            program: binaries.join(function.binary()),
            environment: self.function_environment.clone().into_iter().chain(function.environment.clone()).collect(),
            arn: format!("arn:aws:lambda:{}:{}:function:{}", deployment.region, deployment.account, function.id),
            function: function.clone(),
            logs: logs.clone(),
        };
        let lambda = Arc::new(Lambda::new(stack.functions.iter().map(launch).collect(), options.processes));
        let end = End(Arc::clone(&lambda));
        let port = self.front.local_addr().map_err(|source| Error::Listen { port: options.port, source })?.port();
        let gateway = Gateway::new(&stack, Arc::clone(&lambda), &deployment, port, options.integration_timeout)?;
        let gateway = Arc::new(gateway);
        let (fleet, supervision) = Fleet::start(Plan {
            endpoints: stack.endpoints.clone(),
            instances: options.instances,
            program: binaries.join(binaries::TRANSCODER),
            model: self.model,
            account: deployment.account.clone(),
            region: deployment.region.clone(),
            logs: logs.clone(),
        })?;
        let runtime = serve(self.runtime, fleet.router())?;
        fleet.in_service().await?;
        let invoke_api = serve(listen(0).await?, lambda.invoke_api())?;
        let front = serve(self.front, server::documents(options.documents).merge(gateway.router()))?;
        let schedules = eventbridge::start(&stack.functions, &deployment, &lambda, &logs);
        let written = match options.state {
            State::Ephemeral => None,
            State::Directory(_) => Some(state.write_environment(&self.environment)?),
        };
        Ok(LocalCloud {
            api: self.api,
            environment: self.environment,
            functions: stack.functions,
            deployment,
            logs,
            binaries,
            lambda,
            gateway,
            fleet,
            schedules,
            front,
            invoke_api,
            runtime,
            supervision,
            database: self.database,
            uploads: self.uploads,
            state,
            written,
            _end: end,
        })
    }
}

impl LocalCloud {
    /// Starts what functions need, and no function yet: what is to be there at their start is written in between.
    pub async fn provision(options: Options) -> Result<Provisioned, Error> {
        Provisioned::new(options).await
    }

    /// Starts everything; it serves when this returns.
    pub async fn start(options: Options) -> Result<Self, Error> {
        Self::provision(options).await?.start().await
    }

    /// The address of all APIs, with the stage: `http://127.0.0.1:3000/Prod`.
    #[must_use]
    pub fn api(&self) -> &str {
        &self.api
    }

    /// Every route, as `METHOD path`.
    #[must_use]
    pub fn routes(&self) -> Vec<String> {
        self.gateway.routes()
    }

    /// The environment of `rampway admin` and `rampway mint`.
    #[must_use]
    pub const fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// The file that holds this environment, when the state is kept.
    #[must_use]
    pub fn environment_file(&self) -> Option<&Path> {
        self.written.as_deref()
    }

    /// The directory of the state, for as long as the suite runs.
    #[must_use]
    pub fn state(&self) -> &Path {
        self.state.path()
    }

    /// The folder of the programs.
    #[must_use]
    pub fn binaries(&self) -> &Path {
        &self.binaries
    }

    /// What the processes have logged of late.
    #[must_use]
    pub fn log(&self) -> String {
        self.logs.text()
    }

    /// Where functions are invoked by name, as by the AWS SDK and `sam local start-lambda`.
    #[must_use]
    pub fn lambda_url(&self) -> String {
        format!("http://{}", self.invoke_api.address())
    }

    /// Where the endpoint is invoked, as by the AWS SDK.
    #[must_use]
    pub fn sagemaker_url(&self) -> String {
        format!("http://{}", self.runtime.address())
    }

    /// Brightcove, where the stack has the upload side.
    #[must_use]
    pub fn brightcove(&self) -> Option<&Brightcove> {
        self.uploads.as_ref().map(|uploads| &uploads.brightcove)
    }

    /// Where the bucket is that pages upload into, where the stack has the upload side: what a page names as `aws_url`.
    #[must_use]
    pub fn bucket_url(&self) -> Option<&str> {
        self.uploads.as_ref().map(|uploads| uploads.bucket.url())
    }

    /// What lies in the bucket under a key.
    #[must_use]
    pub fn object(&self, key: &str) -> Option<Vec<u8>> {
        std::fs::read(self.uploads.as_ref()?.bucket.file(key)).ok()
    }

    /// The transcoders, as they are now.
    #[must_use]
    pub fn instances(&self) -> Vec<Instance> {
        self.fleet.instances()
    }

    /// Kills a transcoder's process; another takes its place, without keys.
    pub async fn kill_instance(&self, number: usize) -> Result<(), Error> {
        self.fleet.kill(number).await
    }

    /// Invokes a function by its logical id.
    pub async fn invoke(&self, function: &str, event: &Value) -> Result<Value, Error> {
        self.send(function, event.to_string()).await
    }

    /// Fires a function's first schedule, without waiting for its time.
    pub async fn fire(&self, function: &str) -> Result<Value, Error> {
        let known = self.functions.iter().find(|known| known.id == function);
        let (known, schedule) = known
            .and_then(|known| Some((known, known.schedules.first()?)))
            .ok_or_else(|| Error::NoFunction(format!("{function} with a schedule")))?;
        self.send(function, eventbridge::event(&known.id, schedule, &self.deployment, OffsetDateTime::now_utc())).await
    }

    async fn send(&self, function: &str, event: String) -> Result<Value, Error> {
        let request_id = Uuid::new_v4().to_string();
        let reply = self.lambda.invoke(function, &request_id, event.into()).await;
        let reply = reply.ok_or_else(|| Error::NoFunction(function.into()))?;
        let failed = || Error::Function { function: function.into(), answer: String::from_utf8_lossy(&reply.payload).into_owned() };
        if reply.failed { Err(failed()) } else { serde_json::from_slice(&reply.payload).map_err(|_| failed()) }
    }

    /// Stops in order: no new requests, then the functions, then what they call.
    pub async fn stop(mut self) {
        self.schedules.shutdown().await;
        tokio::join!(self.front.stop(PATIENCE), self.invoke_api.stop(PATIENCE));
        self.lambda.stop().await;
        tokio::join!(self.supervision.stop(), self.runtime.stop(PATIENCE));
        if let Some(uploads) = self.uploads {
            uploads.stop(&self.state, &self.logs).await;
        }
        self.database.stop(PATIENCE).await;
        self.state.remove_environment();
    }
}

fn serve(listener: TcpListener, router: Router) -> Result<Server, Error> {
    Server::start(listener, router).map_err(|source| Error::Listen { port: 0, source })
}

/// The folder of the programs that a stack needs.
async fn programs(stack: &Stack, chosen: Option<&Path>) -> Result<PathBuf, Error> {
    let mut names: Vec<&str> = stack.functions.iter().map(Function::binary).collect();
    if !stack.endpoints.is_empty() {
        names.push(binaries::TRANSCODER);
    }
    match chosen {
        Some(directory) => binaries::check(directory, &names).map(|()| directory.to_owned()),
        None => binaries::find(&names).await,
    }
}
