//! `rampway admin domains`.

use clap::Subcommand;
use cloud::{clock::now, setting::Environment};
use shared::identity::Domain;

use super::authority::{HOUR, connect, validity};
use crate::{error::Error, output::table};

const AFTER_HELP: &str = "\
Examples:
  rampway admin domains create 1005 --owner acme
  rampway admin domains rotate 1005
  rampway admin domains rotate 1005 --after 48
  rampway admin domains list";

/// The commands on domains.
#[derive(Clone, Debug, Subcommand)]
#[command(after_help = AFTER_HELP)]
pub enum Domains {
    /// Create a domain with its first key
    Create {
        /// Name of the domain: four letters or digits
        domain: Domain,
        /// Client that owns the domain
        #[arg(long, value_name = "CLIENT")]
        owner: String,
    },
    /// Add a key to a domain; the previous keys still decode
    ///
    /// Transcoders load the key at their next initialisation, once a day. Therefore it encodes only
    /// after a delay.
    Rotate {
        /// Name of the domain
        domain: Domain,
        /// Delay in hours after which the new key encodes
        #[arg(long, value_name = "HOURS", default_value_t = 25)]
        after: u32,
    },
    /// Retire one version of a domain's key: ids under it are no longer decoded
    Retire {
        /// Name of the domain
        domain: Domain,
        /// Id of the key
        key: String,
    },
    /// List the domains, their owners and their key ids
    List,
}

pub(super) async fn run(command: &Domains, environment: &Environment) -> Result<String, Error> {
    let admin = connect(environment).await?;
    Ok(match command {
        Domains::Create { domain, owner } => {
            let key = admin.create_domain(*domain, owner).await?;
            format!("domain {domain} of {owner} is created, with key {key}\n")
        }
        Domains::Rotate { domain, after } => {
            let key = admin.rotate_domain(*domain, now() + u64::from(*after) * HOUR).await?;
            format!("domain {domain}: key {key} encodes in {after} hours; the previous keys still decode\n")
        }
        Domains::Retire { domain, key } => {
            admin.retire_domain_key(*domain, key).await?;
            format!("domain {domain}: key {key} is retired\n")
        }
        Domains::List => {
            let mut rows = vec![["domain", "owner", "key", "state"].map(String::from)];
            for info in admin.domains().await? {
                for key in &info.keys {
                    rows.push([info.domain.to_string(), info.owner.clone(), key.kid.clone(), validity(key, now())]);
                }
            }
            table(&rows)
        }
    })
}
