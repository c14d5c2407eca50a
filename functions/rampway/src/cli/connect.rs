//! Whom a command asks, and as whom: the arguments of all that translate, explain or look after the connection.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{State, environment_file};
use client::{Client, Connection, ConnectionArgs, ConnectionError, Credentials};

/// The way to the transcoder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Via {
    /// Through API Gateway and the proxy: the client's id and secret are enough
    #[default]
    Api,
    /// Straight to the SageMaker endpoint: faster, and needs AWS credentials and --env-file as well
    Endpoint,
}

/// Whom to ask, and as whom.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Connection")]
pub struct Connect {
    /// The API's URL with its stage [default: the suite that runs here]
    #[arg(long, env = "RAMPWAY_URL")]
    pub url: Option<String>,
    /// The client's id
    #[arg(long, env = "RAMPWAY_CLIENT_ID", value_name = "ID")]
    pub client_id: Option<String>,
    /// A file that holds the client's secret, which may also be in the variable `RAMPWAY_CLIENT_SECRET`
    #[arg(long, value_name = "FILE")]
    pub client_secret_file: Option<PathBuf>,
    /// The way to the transcoder
    #[arg(long, value_enum, default_value_t)]
    pub via: Via,
    /// With --via endpoint: a file of NAME=VALUE lines that names the endpoint and the authority [default: the suite that runs here]
    ///
    /// On AWS it is the stack's output `TranslateEnvironment`. Variables that are set win over it.
    #[arg(long, value_name = "FILE")]
    pub env_file: Option<PathBuf>,
    /// Where a suite on this machine leaves its address and credentials.
    #[command(flatten)]
    pub state: State,
}

/// Why there is nobody to ask.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nobody says whom.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// What was said is unusable.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// The environment file cannot be used.
    #[error(transparent)]
    Environment(#[from] environment_file::Error),
}

impl Connect {
    /// Makes the client. Nobody is asked anything yet.
    pub async fn client(self) -> Result<Client, Error> {
        let given = ConnectionArgs {
            url: self.url,
            client_id: self.client_id,
            client_secret: crate::setting::client_secret(),
            client_secret_file: self.client_secret_file,
        };
        let state = &self.state.state;
        match self.via {
            Via::Api => {
                let connection = Connection::find(given, state)?;
                Ok(Client::new(&connection.url, connection.credentials)?)
            }
            Via::Endpoint => {
                let (credentials, url) = Credentials::find(given, state)?;
                let environment = environment_file::read(self.env_file, state)?;
                Ok(Client::for_endpoint(&environment, credentials, url.as_deref()).await?)
            }
        }
    }
}
