//! The arguments of `rampway mint`.

use std::io;

use clap::{Args, ValueEnum};

use shared::identity::{self, Domain};

use super::{Environment, Error, STATE, environment_file, print};

const AFTER_HELP: &str = "\
Examples:
  rampway mint --domain 1005 6f1c2a9e-58b3-4a52-9f6e-0b7a44c5d2e1
  rampway mint --domain 1005 --kind household 6f1c2a9e58b34a529f6e0b7a44c5d2e1
  rampway mint --domain 1005 --kind derived 973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b";

/// Encode native ids into a domain: for tests, and for the authority
///
/// A native id is 16 bytes for maintained ids and households (a UUID, or 32 hexadecimal digits), and 32 bytes for derived ids and
/// placeholders (64 hexadecimal digits, such as the SHA-256 of a normalised e-mail address). One id a line is printed. It needs the
/// domain's key, so it runs on the authority's side.
#[derive(Clone, Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Mint {
    /// The domain to encode into
    #[arg(long)]
    pub domain: Domain,
    /// What the ids stand for
    #[arg(long, value_enum, default_value_t = Kind::Maintained)]
    pub kind: Kind,
    /// Native ids; without any, they are read from standard input, one a line
    #[arg(value_name = "NATIVE")]
    pub natives: Vec<String>,
    /// Which tables and keys to use.
    #[command(flatten)]
    pub environment: Environment,
}

/// What an id stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// XY: a person known by more than one touchpoint
    Maintained,
    /// Xi: derived from one touchpoint, such as a hashed e-mail address
    Derived,
    /// hY: a household
    Household,
    /// Xc: a placeholder of a cookie
    Cookie,
    /// Xm: a placeholder of a mobile device
    Mobile,
}

impl From<Kind> for identity::Kind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Maintained => Self::Maintained,
            Kind::Derived => Self::Derived,
            Kind::Household => Self::Household,
            Kind::Cookie => Self::Cookie,
            Kind::Mobile => Self::Mobile,
        }
    }
}

/// Encodes the ids and prints them, one a line.
pub(super) async fn run(arguments: Mint) -> Result<(), Error> {
    let Mint { domain, kind, mut natives, environment } = arguments;
    let environment = environment_file::read(environment.env_file, STATE.as_ref())?;
    if natives.is_empty() {
        let lines = io::read_to_string(io::stdin())?;
        natives.extend(lines.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()));
    }
    let ids = crate::admin::mint(kind.into(), domain, &natives, &environment).await?;
    let lines: Vec<_> = ids.iter().map(|id| format!("{id}\n")).collect();
    print(&lines.concat())?;
    Ok(())
}
