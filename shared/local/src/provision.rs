//! What functions need at their start: tables, keys and the vendors' services.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use sam::{Deployment, Function, Stack};
use tokio::net::TcpListener;

use crate::{
    aws::{api_gateway, dynamodb},
    binaries, environment,
    error::Error,
    logs::Logs,
    options::Options,
    server::{Server, listen},
    state::StateDir,
    upload_side::{self, UploadSide},
    vendors::brightcove::Brightcove,
};

/// Tables, keys and vendors' services that serve before any function runs: what the functions must
/// find at their start is created in between. `start` makes a [`LocalCloud`](crate::LocalCloud) of
/// it.
#[derive(Debug)]
pub struct Provisioned {
    pub(crate) options: Options,
    pub(crate) api: String,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) stack: Stack,
    pub(crate) deployment: Deployment,
    /// The variables that every function has beside its own.
    pub(crate) function_environment: BTreeMap<String, String>,
    pub(crate) logs: Logs,
    pub(crate) binaries: PathBuf,
    pub(crate) model: PathBuf,
    pub(crate) api_listener: TcpListener,
    pub(crate) sagemaker_listener: TcpListener,
    pub(crate) dynamodb: Server,
    pub(crate) upload_side: Option<UploadSide>,
    pub(crate) state: StateDir,
}

impl Provisioned {
    /// Creates tables and keys, starts the vendors' services, and opens the ports of the others.
    pub(crate) async fn new(options: Options) -> Result<Self, Error> {
        let logs = Logs::new(options.quiet);
        let template = options.template.read()?;
        // The port first: the functions' environment contains it, and a taken port is the most
        // common failure.
        let api_listener = listen(options.port).await?;
        let port = api_listener.local_addr().map_err(|source| Error::Listen { port: options.port, source })?.port();
        let state = StateDir::open(&options.state)?;
        let deployment = Deployment::local(format!("http://127.0.0.1:{port}"), &state.master_key());
        let stack = template.stack(&upload_side::parameters(&template, &options.parameters), &deployment)?;
        let binaries = binaries_of(&stack, options.binaries.as_deref()).await?;

        state.create_master_key()?;
        let dynamodb = dynamodb::serve(listen(0).await?, &state, &stack.tables)?;
        let (sagemaker_listener, model) = (listen(0).await?, state.model()?);
        let sagemaker_address = sagemaker_listener.local_addr().map_err(Error::socket)?;
        let upload_side = UploadSide::start(&stack, &state, &logs).await?;
        let mut sdk = environment::sdk(&deployment, dynamodb.address(), sagemaker_address);
        sdk.extend(upload_side.iter().flat_map(UploadSide::vendor_environment));
        let s3 = upload_side.iter().flat_map(UploadSide::s3_environment);
        let function_environment = sdk.clone().into_iter().chain(s3).collect();
        let api = format!("{}/{}", deployment.address, api_gateway::stage(&stack.apis)?);
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
            api_listener,
            sagemaker_listener,
            dynamodb,
            upload_side,
            state,
        })
    }

    /// The stack.
    #[must_use]
    pub const fn stack(&self) -> &Stack {
        &self.stack
    }

    /// Adds a JSON document to [`Options::documents`].
    pub fn add_document(&mut self, path: &str, json: String) {
        self.options.documents.insert(path.to_owned(), json);
    }

    /// The base URL of all APIs, with the stage: `http://127.0.0.1:3000/Prod`.
    #[must_use]
    pub fn api(&self) -> &str {
        &self.api
    }

    /// The environment of `rampway admin` and `rampway mint`.
    #[must_use]
    pub const fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// The state directory.
    #[must_use]
    pub const fn state(&self) -> &StateDir {
        &self.state
    }

    /// The folder that is `/opt/ml/model` in a transcoder's container.
    #[must_use]
    pub fn model(&self) -> &Path {
        &self.model
    }

    /// The stand-in for Brightcove; `None` when the stack has no upload side.
    #[must_use]
    pub fn brightcove(&self) -> Option<&Brightcove> {
        self.upload_side.as_ref().map(|uploads| &uploads.brightcove)
    }
}

/// The folder of the binaries that a stack needs.
async fn binaries_of(stack: &Stack, given: Option<&Path>) -> Result<PathBuf, Error> {
    let mut names: Vec<&str> = stack.functions.iter().map(Function::binary).collect();
    if !stack.endpoints.is_empty() {
        names.push(binaries::TRANSCODER);
    }
    match given {
        Some(directory) => binaries::check(directory, &names).map(|()| directory.to_owned()),
        None => binaries::find(&names).await,
    }
}
