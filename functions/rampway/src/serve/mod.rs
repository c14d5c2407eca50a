//! A cloud on this desk: the deployed binaries against embedded engines, wired as the template says.

mod binaries;
mod engine;
mod gateway;
mod lambda;
mod log;
mod net;
mod sagemaker;
mod schedule;
mod seed;
mod state;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path as PathParameter, State as Shared},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use cloud::identity::admin;
pub use lambda::Outcome;
pub use seed::{CLIENT, FROM, TO};
use tempfile::TempDir;

use crate::{
    client::Credentials,
    setting,
    template::{self, Desk, REGION, Template},
};
use lambda::Lambda;
use log::Log;
use sagemaker::{Container, Hosting};

/// What a suite is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// The template.
    pub template: PathBuf,
    /// The gateway's port; 0 takes a free one.
    pub port: u16,
    /// How many transcoders stand behind the endpoint.
    pub instances: usize,
    /// Where the state is kept; in a folder that is removed at the end when there is none.
    pub state: Option<PathBuf>,
    /// Whether the processes' lines are shown.
    pub log: bool,
    /// The most processes of one function.
    pub processes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { template: "template.yaml".into(), port: 3000, instances: 1, state: Some(".rampway".into()), log: true, processes: 4 }
    }
}

/// Why a suite was not started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The template.
    #[error(transparent)]
    Template(#[from] template::Error),
    /// A port is taken.
    #[error("port {0} is taken: another program listens there, perhaps another suite; choose one with --port, or --port 0 for a free one")]
    PortTaken(u16),
    /// A port cannot be listened on.
    #[error("port {port} cannot be listened on: {cause}")]
    Listen {
        /// The port.
        port: u16,
        /// Why not.
        cause: std::io::Error,
    },
    /// A binary is missing.
    #[error("{binary} is not in {}: build the workspace with cargo build --workspace, in the profile of this program", directory.display())]
    NoBinary {
        /// Its name.
        binary: String,
        /// Where it should be.
        directory: PathBuf,
    },
    /// A binary does not start.
    #[error("{} does not start: {cause}", binary.display())]
    Binary {
        /// Which.
        binary: PathBuf,
        /// Why not.
        cause: std::io::Error,
    },
    /// The binaries could not be built.
    #[error("the functions could not be built: what cargo said stands above")]
    Build,
    /// A file of the state.
    #[error("the state in {what} cannot be used: {cause}; remove the folder to begin anew, or use --ephemeral")]
    State {
        /// Which.
        what: String,
        /// Why not.
        cause: String,
    },
    /// A table.
    #[error("table {table} cannot be created: {cause}")]
    Table {
        /// Which.
        table: String,
        /// Why not.
        cause: String,
    },
    /// A schedule.
    #[error("the schedule {0} is not known here: rate(…), or cron(minute hour * * ? *)")]
    Schedule(String),
    /// The transcoders.
    #[error("the transcoders do not come into service: their log says why")]
    Container,
    /// The demonstration's credentials.
    #[error("the demonstration's keys and credentials cannot be made: {0}")]
    Seed(#[source] Box<admin::Error>),
    /// An HTTP client.
    #[error("an HTTP client cannot be made")]
    Client,
}

/// Where a deployed binary lies, built if cargo started us.
pub fn binary(name: &str) -> Result<PathBuf, Error> {
    Ok(binaries::directory(&[name])?.join(name))
}

impl Error {
    fn seed(cause: admin::Error) -> Self {
        Self::Seed(Box::new(cause))
    }
}

/// A running suite. Dropping it ends its processes.
pub struct Suite {
    api: String,
    lambda_url: String,
    environment: HashMap<String, String>,
    credentials: Credentials,
    lambda: Arc<Lambda>,
    hosting: Hosting,
    functions: Vec<template::Function>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
    log: Log,
    directory: PathBuf,
    /// The state's folder when nothing is kept: it goes with the suite.
    _ephemeral: Option<TempDir>,
}

impl Suite {
    /// Starts everything that the template names.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let (directory, ephemeral) = if let Some(state) = &options.state { (state.clone(), None) } else {
            let folder = tempfile::Builder::new().prefix("rampway-").tempdir();
            let folder = folder.map_err(|cause| state::failed("a temporary folder".as_ref(), &cause))?;
            (folder.path().to_owned(), Some(folder))
        };
        Self::start_in(&directory, ephemeral, options).await
    }

    async fn start_in(directory: &Path, ephemeral: Option<TempDir>, options: Options) -> Result<Self, Error> {
        let absolute = std::path::absolute(directory).map_err(|cause| state::failed(directory, &cause))?;
        state::directory(&absolute)?;
        let master_key = absolute.join("master.key");
        let model = absolute.join("model");
        // The port first: if it is taken, nothing else has been done.
        let listener = net::listen(options.port).await?;
        let api = format!("{}/Prod", net::address(&listener));
        let desk = Desk {
            base_url: api.clone(),
            master_key: format!("file:{}", master_key.display()),
            parameters: [("Sides", "both"), ("LogLevel", "info")].map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        };
        let template = Template::read(&options.template, desk)?;
        let functions = template.functions()?;
        let mut needed: Vec<&str> = functions.iter().map(|function| function.binary.as_str()).collect();
        needed.push("transcoder");
        let binaries = binaries::directory(&needed)?;
        state::directory(&model)?;
        state::master_key(&master_key)?;
        let file = ephemeral.is_none().then(|| absolute.join("dynamodb.sqlite"));
        let dynamodb = engine::start(file.as_deref(), &template.tables()?).await?;
        let mut sdk = setting::kept();
        sdk.extend(sdk_environment(&dynamodb));
        let environment = admin_environment(&functions, &sdk, &api);
        let credentials = seed::seed(&environment, &absolute, &model, &api).await?;
        let lines = environment.iter().map(|(name, value)| format!("{name}={value}\n")).collect::<String>();
        state::write(&absolute.join("env"), lines.as_bytes())?;
        let log = Log::new(options.log);
        let mut container = template.container()?;
        container.insert("MODEL_DIRECTORY".into(), model.display().to_string());
        let endpoint = functions.iter().find_map(|function| function.environment.get("ENDPOINT_NAME")).cloned().unwrap_or_default();
        let container = Container { binary: binaries.join("transcoder"), environment: container };
        let hosting = Hosting::start(&endpoint, container, options.instances, log.clone()).await?;
        sdk.push(("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME".into(), hosting.address().into()));
        let lambda = Arc::new(Lambda::start(functions.clone(), &binaries, &sdk, options.processes, log.clone()).await?);
        let mut tasks = schedule::start(&functions, &lambda, &log)?;
        tasks.push(gateway::Gateway::new(template.apis()?, &functions, lambda.clone()).start(listener));
        let lambda_url = invoke_api(lambda.clone()).await?;
        let directory = absolute;
        Ok(Self { api, lambda_url, environment, credentials, lambda, hosting, functions, tasks, log, directory, _ephemeral: ephemeral })
    }

    /// The gateway's address, stage included.
    #[must_use]
    pub fn api(&self) -> &str {
        &self.api
    }

    /// The address of Lambda's own API (`Invoke`), as of `sam local start-lambda`.
    #[must_use]
    pub fn lambda_url(&self) -> &str {
        &self.lambda_url
    }

    /// The address of the SageMaker runtime.
    #[must_use]
    pub fn sagemaker_url(&self) -> &str {
        self.hosting.address()
    }

    /// What `rampway admin` needs to find this suite.
    #[must_use]
    pub const fn environment(&self) -> &HashMap<String, String> {
        &self.environment
    }

    /// Working credentials.
    #[must_use]
    pub const fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The folder of the state.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// How many transcoders are in rotation.
    #[must_use]
    pub fn instances(&self) -> usize {
        self.hosting.ready()
    }

    /// Kills a transcoder, counted from 1; another is started in its place, without keys.
    pub fn kill_instance(&self, number: usize) {
        self.hosting.kill(number);
    }

    /// The last lines that the processes wrote, oldest first.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.log.last()
    }

    /// Invokes a function with an event.
    pub async fn invoke(&self, function: &str, event: String) -> Option<Outcome> {
        self.lambda.invoke(function, event.into()).await
    }

    /// Fires a function's first schedule now.
    pub async fn fire(&self, function: &str) -> Option<Outcome> {
        let function = self.functions.iter().find(|known| known.id == function)?;
        let event = schedule::event(function, function.schedules.first()?.input.as_deref());
        self.lambda.invoke(&function.id, event.into()).await
    }

    /// Stops the gateway, then the functions, then the transcoders, each asked before it is killed.
    pub async fn stop(self) {
        for task in &self.tasks {
            task.abort();
        }
        self.lambda.stop().await;
        self.hosting.stop().await;
    }

    /// What to try, ready to paste.
    #[must_use]
    pub fn banner(&self) -> String {
        let (api, id, secret) = (&self.api, &self.credentials.client_id, self.credentials.client_secret.expose());
        format!(
            r#"Rampway serves {api}

Initialise the transcoder (once), and get a smart token:
  TOKEN=$(curl -s {api}/auth/init -d '{{"client_id":"{id}","client_secret":"{secret}"}}' | sed 's/.*"smart_token":"\([^"]*\)".*/\1/')
Translate (mint ids first: rampway mint --domain {FROM} 0123456789abcdef0123456789abcdef):
  curl -s {api}/auth/request -d '{{"smart_token":"'"$TOKEN"'","transcode_data":[{{"value":"{FROM_ID}","target":"{to}"}}]}}'
Refresh the token, every 15 minutes:
  curl -s {api}/auth/request -d '{{"client_id":"{id}","client_secret":"{secret}","rpc":"refresh"}}'
See the transcoder's keys:
  curl -s {api}/health
Translate a file:
  rampway translate FILE.csv --column rampid --to {to}

Lambda's own API is at {lambda}. State and credentials are in {directory}. Ctrl-C stops."#,
            FROM_ID = "XY1005…",
            to = TO[0],
            lambda = self.lambda_url,
            directory = self.directory.display(),
        )
    }
}

fn sdk_environment(dynamodb: &str) -> Vec<(String, String)> {
    [
        ("AWS_REGION", REGION),
        ("AWS_ACCESS_KEY_ID", "desk"),
        ("AWS_SECRET_ACCESS_KEY", "desk"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// The tables, keys and addresses of all functions, in one.
fn admin_environment(functions: &[template::Function], sdk: &[(String, String)], api: &str) -> HashMap<String, String> {
    let wanted = |name: &str| name.ends_with("_TABLE") || ["MASTER_KEY", "ISSUER"].contains(&name);
    let own = functions.iter().flat_map(|function| function.environment.clone()).filter(|(name, _)| wanted(name));
    let sdk = sdk.iter().filter(|(name, _)| name.starts_with("AWS_")).cloned();
    own.chain(sdk).chain([("AUTHORITY_URL".to_owned(), api.to_owned())]).collect()
}

/// Lambda's `Invoke`.
async fn invoke_api(lambda: Arc<Lambda>) -> Result<String, Error> {
    let listener = net::listen(0).await?;
    let address = net::address(&listener);
    let routes = Router::new()
        .route("/2015-03-31/functions/{name}/invocations", post(invoke))
        .layer(DefaultBodyLimit::max(lambda::MAX_PAYLOAD))
        .with_state(lambda);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(address)
}

async fn invoke(Shared(lambda): Shared<Arc<Lambda>>, PathParameter(name): PathParameter<String>, event: Bytes) -> Response {
    let failed = |kind: &str| {
        let body = serde_json::json!({"errorType": kind, "errorMessage": "the function's log says why"}).to_string();
        ([("x-amz-function-error", "Unhandled")], body).into_response()
    };
    match lambda.invoke(&name, event).await {
        None => (StatusCode::NOT_FOUND, [("x-amzn-errortype", "ResourceNotFoundException")], "{}").into_response(),
        Some(Outcome::Answered(answer)) => answer.into_response(),
        Some(Outcome::Failed(error)) => ([("x-amz-function-error", "Unhandled")], error).into_response(),
        Some(Outcome::Crashed) => failed("Runtime.ExitError"),
        Some(Outcome::TimedOut) => failed("Sandbox.Timedout"),
    }
}
