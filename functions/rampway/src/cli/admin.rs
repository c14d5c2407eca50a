//! The arguments of `rampway admin`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use shared::identity::Domain;

use super::Environment;

const AFTER_HELP: &str = "\
Two companies, from nothing to a translation:
  rampway admin keys create
  rampway admin domains create 1005 --owner 'acme'
  rampway admin domains create 1006 --owner 'globex'
  rampway admin clients create acme
  rampway admin transcoders create acme --private-key private_key.pem
  rampway admin permits grant acme 1005 1006
  rampway admin permits accept acme 1005 1006

The same commands work on the suite of `rampway serve` and on AWS; --env-file says which.";

/// Administer domains, clients, permissions and keys, here or on AWS
///
/// Works on the authority's tables directly. Secrets are sealed before they are stored; a client's secret is shown once, when it is
/// made.
#[derive(Clone, Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Admin {
    /// What to administer.
    #[command(subcommand)]
    pub subject: Subject,
    /// Which tables and keys to administer.
    #[command(flatten)]
    pub environment: Environment,
}

/// What to administer.
#[derive(Clone, Debug, Subcommand)]
pub enum Subject {
    /// Domains: whose ids they are, and the keys that encode them
    #[command(subcommand)]
    Domains(Domains),
    /// Clients: who may call the API
    #[command(subcommand)]
    Clients(Clients),
    /// Permissions: who may translate from where to where; both domains' owners must agree
    #[command(subcommand)]
    Permits(Permits),
    /// Transcoders: the public keys that domain keys are sealed to
    #[command(subcommand)]
    Transcoders(Transcoders),
    /// The authority's signing keys
    #[command(subcommand)]
    Keys(Keys),
}

/// What to do with domains.
#[derive(Clone, Debug, Subcommand)]
pub enum Domains {
    /// Create a domain with its first key
    Create {
        /// Four letters or digits
        domain: Domain,
        /// Whose domain it is
        #[arg(long)]
        owner: String,
    },
    /// Give a domain a new key; ids under the previous ones are still read
    Rotate {
        /// The domain
        domain: Domain,
    },
    /// List the domains, their owners and their keys' names
    List,
}

/// What to do with clients.
#[derive(Clone, Debug, Subcommand)]
pub enum Clients {
    /// Create a client and show its secret, once
    Create {
        /// The client's id
        client: String,
    },
    /// Give a client a new secret and show it, once
    Rotate {
        /// The client's id
        client: String,
    },
    /// List the clients
    List,
}

/// What to do with permissions.
#[derive(Clone, Debug, Subcommand)]
pub enum Permits {
    /// The order of the owner of the domain that ids come from
    Grant(Direction),
    /// The order of the owner of the domain that ids go to
    Accept(Direction),
    /// Take a permission back; tokens that allow it end within 15 minutes
    Revoke(Direction),
    /// List the permissions and whose order is missing
    List,
}

/// A client's way from one domain to another.
#[derive(Clone, Debug, Args)]
pub struct Direction {
    /// The client's id
    pub client: String,
    /// The domain that ids come from
    pub from: Domain,
    /// The domain that ids go to
    pub to: Domain,
}

/// What to do with transcoders' keys.
#[derive(Clone, Debug, Subcommand)]
pub enum Transcoders {
    /// Make a key pair for a client's transcoder: the private key into a file, the public key into the vault
    Create {
        /// The client's id
        client: String,
        /// The file to write the private key to, readable by its owner only; it belongs in the model artefact
        #[arg(long, value_name = "FILE", default_value = "private_key.pem")]
        private_key: PathBuf,
    },
    /// Register the public key of a pair that was made elsewhere
    Register {
        /// The client's id
        client: String,
        /// The public key, as PEM
        #[arg(value_name = "FILE")]
        public_key: PathBuf,
    },
}

/// What to do with signing keys.
#[derive(Clone, Debug, Subcommand)]
pub enum Keys {
    /// Make the next signing key
    Create,
    /// List the signing keys' names
    List,
    /// Stop trusting a signing key
    Retire {
        /// The key's name
        kid: String,
    },
}
