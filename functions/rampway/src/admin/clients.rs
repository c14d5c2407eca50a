//! `rampway admin clients`.

use clap::Subcommand;
use cloud::setting::Environment;
use shared::secret::SecretText;

use super::authority::connect;
use crate::{error::Error, output::table};

const AFTER_HELP: &str = "\
Examples:
  rampway admin clients create acme
  rampway admin clients rotate acme
  rampway admin clients list";

/// The commands on clients.
#[derive(Clone, Debug, Subcommand)]
#[command(after_help = AFTER_HELP)]
pub enum Clients {
    /// Create a client and show its secret, once
    Create {
        /// Id of the client
        client: String,
        /// Allow the client to read domain keys, as only the authority's own client may
        #[arg(long)]
        authority: bool,
    },
    /// Replace a client's secret and show the new one, once; the old one is invalid immediately
    Rotate {
        /// Id of the client
        client: String,
    },
    /// List the clients
    List,
}

pub(super) async fn run(command: &Clients, environment: &Environment) -> Result<String, Error> {
    let admin = connect(environment).await?;
    Ok(match command {
        Clients::Create { client, authority } => credentials(client, &admin.create_client(client, *authority).await?),
        Clients::Rotate { client } => credentials(client, &admin.rotate_client(client).await?),
        Clients::List => {
            let mut rows = vec![["client", "authority", "transcoder"].map(String::from)];
            for client in admin.clients().await? {
                let cell = |is_set: bool, word: &str| if is_set { word.to_owned() } else { "-".to_owned() };
                let transcoder = cell(client.transcoder.is_some(), "registered");
                rows.push([client.id.clone(), cell(client.authority, "yes"), transcoder]);
            }
            table(&rows)
        }
    })
}

fn credentials(client: &str, secret: &SecretText) -> String {
    format!("client_id      {client}\nclient_secret  {}\n", secret.expose())
}
