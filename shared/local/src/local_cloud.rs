//! A running local cloud.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use sam::{Deployment, Function};
use serde_json::Value;
use time::OffsetDateTime;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::{
    aws::{
        api_gateway::{self, Gateway},
        eventbridge,
        lambda::{self, FunctionSpec, Lambda},
        sagemaker::{self, Fleet, FleetSpec, Instance, Supervision},
    },
    binaries,
    error::Error,
    logs::Logs,
    options::Options,
    provision::Provisioned,
    server::{Server, documents, listen},
    state::{State, StateDir},
    upload_side::UploadSide,
    vendors::brightcove::Brightcove,
};

/// A running local cloud. Dropped, it is killed; [`LocalCloud::stop`] lets open requests finish.
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
    api_server: Server,
    lambda_server: Server,
    sagemaker_server: Server,
    supervision: Supervision,
    dynamodb: Server,
    upload_side: Option<UploadSide>,
    state: StateDir,
    environment_file: Option<PathBuf>,
    _kill_on_drop: KillOnDrop,
}

/// Kills the functions' processes when it is dropped.
#[derive(Debug)]
struct KillOnDrop(Arc<Lambda>);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        self.0.kill();
    }
}

impl Provisioned {
    /// Starts functions, instances and APIs. They serve when it returns.
    pub async fn start(self) -> Result<LocalCloud, Error> {
        let Self { options, deployment, logs, binaries, state, stack, .. } = self;
        let function_spec = |function: &Function| FunctionSpec {
            program: binaries.join(function.binary()),
            environment: self.function_environment.clone().into_iter().chain(function.environment.clone()).collect(),
            arn: format!("arn:aws:lambda:{}:{}:function:{}", deployment.region, deployment.account, function.id),
            function: function.clone(),
            logs: logs.clone(),
        };
        let lambda = Arc::new(Lambda::new(stack.functions.iter().map(function_spec).collect(), options.max_processes));
        let kill_on_drop = KillOnDrop(Arc::clone(&lambda));
        let port = self.api_listener.local_addr().map_err(|source| Error::Listen { port: options.port, source })?.port();
        let gateway = Gateway::new(&stack, Arc::clone(&lambda), &deployment, port, options.integration_timeout)?;
        let gateway = Arc::new(gateway);
        let (fleet, supervision) = Fleet::start(FleetSpec {
            endpoints: stack.endpoints.clone(),
            instances: options.instances,
            program: binaries.join(binaries::TRANSCODER),
            model: self.model,
            account: deployment.account.clone(),
            region: deployment.region.clone(),
            logs: logs.clone(),
        })?;
        let sagemaker_server = Server::start(self.sagemaker_listener, sagemaker::router(Arc::clone(&fleet)))?;
        fleet.wait_in_service().await?;
        let lambda_server = Server::start(listen(0).await?, lambda::router(Arc::clone(&lambda)))?;
        let routes = documents(options.documents).merge(api_gateway::router(Arc::clone(&gateway)));
        let api_server = Server::start(self.api_listener, routes)?;
        let schedules = eventbridge::start(&stack.functions, &deployment, &lambda, &logs);
        let environment_file = match options.state {
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
            api_server,
            lambda_server,
            sagemaker_server,
            supervision,
            dynamodb: self.dynamodb,
            upload_side: self.upload_side,
            state,
            environment_file,
            _kill_on_drop: kill_on_drop,
        })
    }
}

impl LocalCloud {
    /// Starts what functions need, and no function yet. What they must find at their start is
    /// created before [`Provisioned::start`].
    pub async fn provision(options: Options) -> Result<Provisioned, Error> {
        Provisioned::new(options).await
    }

    /// Starts everything. It serves when it returns.
    pub async fn start(options: Options) -> Result<Self, Error> {
        Self::provision(options).await?.start().await
    }

    /// The base URL of all APIs, with the stage: `http://127.0.0.1:3000/Prod`.
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

    /// The file with this environment; `None` when the state is ephemeral.
    #[must_use]
    pub fn environment_file(&self) -> Option<&Path> {
        self.environment_file.as_deref()
    }

    /// The state directory.
    #[must_use]
    pub fn state(&self) -> &Path {
        self.state.path()
    }

    /// The folder of the binaries.
    #[must_use]
    pub fn binaries(&self) -> &Path {
        &self.binaries
    }

    /// The last lines that the processes logged.
    #[must_use]
    pub fn log(&self) -> String {
        self.logs.text()
    }

    /// The URL of Lambda, for the AWS SDK's `Invoke`, as of `sam local start-lambda`.
    #[must_use]
    pub fn lambda_url(&self) -> String {
        self.lambda_server.url()
    }

    /// The URL of the SageMaker runtime, for the AWS SDK's `InvokeEndpoint`.
    #[must_use]
    pub fn sagemaker_url(&self) -> String {
        self.sagemaker_server.url()
    }

    /// The stand-in for Brightcove; `None` when the stack has no upload side.
    #[must_use]
    pub fn brightcove(&self) -> Option<&Brightcove> {
        self.upload_side.as_ref().map(|uploads| &uploads.brightcove)
    }

    /// The URL of S3, which a page passes to EvaporateJS as `aws_url`; `None` when the stack has no
    /// upload side.
    #[must_use]
    pub fn bucket_url(&self) -> Option<&str> {
        self.upload_side.as_ref().map(|uploads| uploads.bucket.url())
    }

    /// The content of an object in the bucket.
    #[must_use]
    pub fn object(&self, key: &str) -> Option<Vec<u8>> {
        std::fs::read(self.upload_side.as_ref()?.bucket.file(key)).ok()
    }

    /// The states of the instances.
    #[must_use]
    pub fn instances(&self) -> Vec<Instance> {
        self.fleet.instances()
    }

    /// Kills an instance's process. Another process replaces it, without keys.
    pub async fn kill_instance(&self, number: usize) -> Result<(), Error> {
        self.fleet.kill(number).await
    }

    /// Invokes a function by its logical id.
    pub async fn invoke(&self, function: &str, event: &Value) -> Result<Value, Error> {
        self.send(function, event.to_string()).await
    }

    /// Invokes a function with the event of its first schedule.
    pub async fn trigger_schedule(&self, function: &str) -> Result<Value, Error> {
        let found = self.functions.iter().find(|known| known.id == function);
        let (found, schedule) = found
            .and_then(|found| Some((found, found.schedules.first()?)))
            .ok_or_else(|| Error::NoFunction(format!("{function} with a schedule")))?;
        self.send(function, eventbridge::event(&found.id, schedule, &self.deployment, OffsetDateTime::now_utc())).await
    }

    async fn send(&self, function: &str, event: String) -> Result<Value, Error> {
        let request_id = Uuid::new_v4().to_string();
        let output = self.lambda.invoke(function, &request_id, event.into()).await;
        let output = output.ok_or_else(|| Error::NoFunction(function.into()))?;
        let failed = || Error::Function { function: function.into(), payload: String::from_utf8_lossy(&output.payload).into_owned() };
        if output.is_error { Err(failed()) } else { serde_json::from_slice(&output.payload).map_err(|_| failed()) }
    }

    /// Stops in order: new requests first, then the functions, then the services that they call.
    pub async fn stop(mut self) {
        self.schedules.shutdown().await;
        tokio::join!(self.api_server.stop(), self.lambda_server.stop());
        self.lambda.stop().await;
        tokio::join!(self.supervision.stop(), self.sagemaker_server.stop());
        if let Some(uploads) = self.upload_side {
            uploads.stop(&self.state, &self.logs).await;
        }
        self.dynamodb.stop().await;
        self.state.remove_environment();
    }
}
