//! `rampway admin`: its arguments.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use shared::identity::{Direction, Domain};

use super::{Environment, Error, STATE, environment_file, print};

const AFTER_HELP: &str = "\
Two companies, from nothing to a translation:
  rampway admin keys create
  rampway admin clients create acme
  rampway admin clients create globex
  rampway admin domains create 1005 --owner acme
  rampway admin domains create 1006 --owner globex
  rampway admin transcoders create acme --model model
  rampway admin permits grant acme 1005 1006 --by acme
  rampway admin permits accept acme 1005 1006 --by globex --days 365
  rampway admin permits list acme

The same commands work on the suite of `rampway serve` and on AWS; --env-file says which.";

const DOMAINS_HELP: &str = "\
Examples:
  rampway admin domains create 1005 --owner acme
  rampway admin domains rotate 1005
  rampway admin domains rotate 1005 --after 48
  rampway admin domains list";

const CLIENTS_HELP: &str = "\
Examples:
  rampway admin clients create acme
  rampway admin clients rotate acme
  rampway admin clients list";

const PERMITS_HELP: &str = "\
Examples:
  rampway admin permits grant acme 1005 1006 --by acme
  rampway admin permits accept acme 1005 1006 --by globex --days 365
  rampway admin permits revoke acme 1005 1006 --by globex --order accept
  rampway admin permits list acme";

const TRANSCODERS_HELP: &str = "\
Examples:
  rampway admin transcoders create acme --model model
  rampway admin transcoders register acme public_key.pem";

const KEYS_HELP: &str = "\
Examples:
  rampway admin keys create
  rampway admin keys create --after 24
  rampway admin keys list";

const UPLOADS_HELP: &str = "\
Examples:
  rampway admin uploads connect --account 1234567890001 --client-id 5f0e5a52   # secret on standard input
  rampway admin uploads list
  rampway admin uploads reap --dry-run
  rampway admin uploads reap";

/// Administer domains, clients, permissions, keys and uploads, here or on AWS
///
/// Works on the tables directly. Secrets are sealed or hashed before they are stored; a client's secret is shown once,
/// when it is made.
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

/// Carries out the order and prints what came of it.
pub(super) async fn run(arguments: Admin) -> Result<(), Error> {
    let environment = environment_file::read(arguments.environment.env_file, STATE.as_ref())?;
    print(&crate::admin::run(&arguments.subject, &environment).await?)?;
    Ok(())
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
    /// Uploads by browsers to Brightcove
    #[command(subcommand)]
    Uploads(Uploads),
}

/// What to do with domains.
#[derive(Clone, Debug, Subcommand)]
#[command(after_help = DOMAINS_HELP)]
pub enum Domains {
    /// Create a domain with its first key
    Create {
        /// Four letters or digits
        domain: Domain,
        /// The client whose domain it is
        #[arg(long, value_name = "CLIENT")]
        owner: String,
    },
    /// Give a domain a new key; ids under the previous ones are still read
    ///
    /// Transcoders learn of it at their next initialisation, once a day. So it encodes only some hours later, when all know it.
    Rotate {
        /// The domain
        domain: Domain,
        /// In how many hours the new key begins to encode
        #[arg(long, value_name = "HOURS", default_value_t = 25)]
        after: u32,
    },
    /// End one version of a domain's key: ids under it are not read any more
    Retire {
        /// The domain
        domain: Domain,
        /// The key's name
        key: String,
    },
    /// List the domains, their owners and their keys' names
    List,
}

/// What to do with clients.
#[derive(Clone, Debug, Subcommand)]
#[command(after_help = CLIENTS_HELP)]
pub enum Clients {
    /// Create a client and show its secret, once
    Create {
        /// The client's id
        client: String,
        /// It is the authority's own: it may read domain keys
        #[arg(long)]
        authority: bool,
    },
    /// Give a client a new secret and show it, once; the old one ends at once
    Rotate {
        /// The client's id
        client: String,
    },
    /// List the clients
    List,
}

/// What to do with permissions.
#[derive(Clone, Debug, Subcommand)]
#[command(after_help = PERMITS_HELP)]
pub enum Permits {
    /// The order of the owner of the domain that ids come from
    Grant(Order),
    /// The order of the owner of the domain that ids go to
    Accept(Order),
    /// Take one owner's order back; it ends with the client's present token, after 15 minutes at most
    Revoke {
        /// The way.
        #[command(flatten)]
        way: Way,
        /// Which of the two orders
        #[arg(long, value_enum)]
        order: Side,
    },
    /// List what was ordered for a client, and whether it stands
    List {
        /// The client's id
        client: String,
    },
}

/// A client's way from one domain to another, and who orders it.
#[derive(Clone, Debug, Args)]
pub struct Way {
    /// The client's id
    pub client: String,
    /// The domain that ids come from
    pub from: Domain,
    /// The domain that ids go to
    pub to: Domain,
    /// The owner who orders it
    #[arg(long, value_name = "OWNER")]
    pub by: String,
}

impl Way {
    /// From where to where.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        Direction { from: self.from, to: self.to }
    }
}

/// One owner's order.
#[derive(Clone, Debug, Args)]
pub struct Order {
    /// The way.
    #[command(flatten)]
    pub way: Way,
    /// For how many days it stands [default: until it is revoked]
    #[arg(long)]
    pub days: Option<u32>,
}

/// Which of the two orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Side {
    /// The order of the owner of the domain that ids come from
    Grant,
    /// The order of the owner of the domain that ids go to
    Accept,
}

/// What to do with transcoders' keys.
#[derive(Clone, Debug, Subcommand)]
#[command(after_help = TRANSCODERS_HELP)]
pub enum Transcoders {
    /// Make a key pair for a client's transcoder, and the model folder that it is deployed with
    ///
    /// The folder gets `private_key.pem`, readable by its owner only, and `verification_keys.json`. For a transcoder of another company
    /// use `register`: its private key must not leave it.
    Create {
        /// The client's id
        client: String,
        /// The model folder; it must not hold a private key yet
        #[arg(long, value_name = "FOLDER", default_value = "model")]
        model: PathBuf,
    },
    /// Register the public key of a pair that was made elsewhere
    Register {
        /// The client's id
        client: String,
        /// The RSA public key, as PEM
        #[arg(value_name = "FILE")]
        public_key: PathBuf,
    },
}

/// What to do with signing keys.
#[derive(Clone, Debug, Subcommand)]
#[command(after_help = KEYS_HELP)]
pub enum Keys {
    /// Make a signing key; it is published at once
    Create {
        /// In how many hours it begins to sign, so that every transcoder knows it before; the first key signs at once
        #[arg(long, value_name = "HOURS", default_value_t = 25)]
        after: u32,
    },
    /// List the signing keys' names
    List,
    /// End a signing key: tokens under it are refused from now on
    Retire {
        /// The key's name
        key: String,
    },
}

/// What to do with uploads.
#[derive(Clone, Debug, Subcommand)]
#[command(after_help = UPLOADS_HELP)]
pub enum Uploads {
    /// Store the client that acts for an account at Brightcove; its secret is the first line of standard input
    ///
    /// The client needs the permissions video-cloud/video (create, read, delete) and video-cloud/upload-urls/read. The secret is sealed
    /// before it is stored, in the place of the one before.
    Connect {
        /// The account's id
        #[arg(long, value_name = "ID")]
        account: String,
        /// The client's id
        #[arg(long, value_name = "ID")]
        client_id: String,
    },
    /// List the uploads and what became of them
    List,
    /// Remove the videos of uploads that were never finished, as the schedule does every quarter of an hour
    Reap {
        /// Only tell what would be done
        #[arg(long)]
        dry_run: bool,
    },
}
