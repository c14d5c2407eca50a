//! Arguments that several commands share.

use std::{num::NonZero, path::PathBuf};

use clap::{Args, ValueEnum};
use client::{Client, Connection, ConnectionArgs, Credentials};
use cloud::setting::Environment;
use local::Options;

use crate::{environment_file, error::Error, setting, template};

/// The default state directory of a local cloud.
const STATE_DIR: &str = ".rampway";

/// The state directory of a local cloud.
#[derive(Clone, Debug, Args)]
pub struct StateArgs {
    /// Directory in which the local cloud keeps its state
    #[arg(long, value_name = "DIR", default_value = STATE_DIR, help_heading = "State")]
    pub state: PathBuf,
}

/// What a local cloud runs.
#[derive(Clone, Debug, Args)]
pub struct LocalCloudArgs {
    /// Number of transcoder processes, which correspond to a SageMaker endpoint's instances
    #[arg(long, value_name = "N", default_value_t = NonZero::<usize>::MIN)]
    pub instances: NonZero<usize>,
    /// SAM template to run [default: template.yaml, or the one inside this program]
    #[arg(long, value_name = "FILE")]
    pub template: Option<PathBuf>,
    /// Directory of the function binaries [default: the directory of this program]
    ///
    /// In a checkout's target directory, the binaries are built first unless this flag is given.
    #[arg(long, value_name = "DIR")]
    pub binaries: Option<PathBuf>,
}

impl LocalCloudArgs {
    /// Returns the options of a local cloud. What these arguments do not specify is the default.
    pub(crate) fn options(self) -> Options {
        let Self { instances, template, binaries } = self;
        Options { template: template::source(template), instances: instances.get(), binaries, ..Options::default() }
    }
}

/// The tables and keys that a command works on.
#[derive(Clone, Debug, Args)]
pub struct EnvironmentArgs {
    /// File of NAME=VALUE lines that names the tables and the master key [default: .rampway/env, if
    /// it exists]
    ///
    /// `rampway serve` writes one for the local cloud. On AWS, the stack's output
    /// `AdminEnvironment` holds the same lines. Environment variables take precedence.
    #[arg(long, value_name = "FILE", global = true)]
    pub env_file: Option<PathBuf>,
}

impl EnvironmentArgs {
    /// Reads the environment.
    pub(crate) fn read(self) -> Result<Environment, Error> {
        environment_file::read(self.env_file, STATE_DIR.as_ref())
    }
}

/// The transport to the transcoder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Via {
    /// API Gateway and the proxy; needs the client's id and secret
    #[default]
    Api,
    /// The SageMaker endpoint; faster, and also needs AWS credentials and --env-file
    Endpoint,
}

/// The server to call, and the client's credentials.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Connection")]
pub struct ClientArgs {
    /// URL of the API with its stage [default: the running local cloud]
    #[arg(long, env = "RAMPWAY_URL")]
    pub url: Option<String>,
    /// Id of the client
    #[arg(long, env = "RAMPWAY_CLIENT_ID", value_name = "ID")]
    pub client_id: Option<String>,
    /// File that holds the client's secret; the variable `RAMPWAY_CLIENT_SECRET` can hold the
    /// secret itself
    #[arg(long, value_name = "FILE")]
    pub client_secret_file: Option<PathBuf>,
    /// Transport to the transcoder
    #[arg(long, value_enum, default_value_t)]
    pub via: Via,
    /// With --via endpoint: file of NAME=VALUE lines that names the endpoint and the authority
    /// [default: the running local cloud]
    ///
    /// On AWS, it is the stack's output `TranslateEnvironment`. Environment variables take
    /// precedence.
    #[arg(long, value_name = "FILE")]
    pub env_file: Option<PathBuf>,
    /// Where a local cloud saves its address and credentials.
    #[command(flatten)]
    pub state: StateArgs,
}

impl ClientArgs {
    /// Returns the client. It has not sent a request yet.
    pub async fn client(self) -> Result<Client, Error> {
        let args = ConnectionArgs {
            url: self.url,
            client_id: self.client_id,
            client_secret: setting::client_secret(),
            client_secret_file: self.client_secret_file,
        };
        let state = &self.state.state;
        match self.via {
            Via::Api => {
                let connection = Connection::find(args, state)?;
                Ok(Client::new(&connection.url, connection.credentials)?)
            }
            Via::Endpoint => {
                let (credentials, url) = Credentials::find(args, state)?;
                let environment = environment_file::read(self.env_file, state)?;
                Ok(Client::for_endpoint(&environment, credentials, url.as_deref()).await?)
            }
        }
    }
}

/// Parses a parameter of the template.
pub(crate) fn parameter(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("a parameter is of the form NAME=VALUE")?;
    Ok((name.into(), value.into()))
}
