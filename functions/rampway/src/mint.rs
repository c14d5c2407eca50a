//! `rampway mint`: encodes native ids.

use std::io;

use clap::{Args, ValueEnum};
use cloud::setting::Environment;
use shared::{
    encoding::from_hex,
    identity::{self, Domain, Id},
};

use crate::{admin::authority, args::EnvironmentArgs, error::Error, output::print};

const AFTER_HELP: &str = "\
Examples:
  rampway mint --domain 1005 6f1c2a9e-58b3-4a52-9f6e-0b7a44c5d2e1
  rampway mint --domain 1005 --kind household 6f1c2a9e58b34a529f6e0b7a44c5d2e1
  rampway mint --domain 1005 --kind derived 973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b";

/// Encode native ids into a domain, for the authority and for tests
///
/// A native id of a maintained id or a household has 16 bytes: a UUID, or 32 hexadecimal digits.
/// That of a derived id or a placeholder has 32 bytes: 64 hexadecimal digits, such as the SHA-256
/// of a normalised e-mail address. Prints one id on each line. Needs the domain's key, which only
/// the authority has.
#[derive(Clone, Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Mint {
    /// Domain to encode into
    #[arg(long)]
    pub domain: Domain,
    /// Kind of the ids
    #[arg(long, value_enum, default_value_t = Kind::Maintained)]
    pub kind: Kind,
    /// Native ids [default: one on each line of standard input]
    #[arg(value_name = "NATIVE")]
    pub natives: Vec<String>,
    /// The tables and keys to use.
    #[command(flatten)]
    pub environment: EnvironmentArgs,
}

/// The kind of an id.
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

/// Encodes the ids and prints them, one on each line.
pub async fn run(arguments: Mint) -> Result<(), Error> {
    let Mint { domain, kind, mut natives, environment } = arguments;
    let environment = environment.read()?;
    if natives.is_empty() {
        let lines = io::read_to_string(io::stdin())?;
        natives.extend(lines.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()));
    }
    let ids = mint(kind.into(), domain, &natives, &environment).await?;
    let lines: Vec<_> = ids.iter().map(|id| format!("{id}\n")).collect();
    print(&lines.concat())?;
    Ok(())
}

/// Encodes native ids into a domain, under its current key.
pub(crate) async fn mint(kind: identity::Kind, domain: Domain, natives: &[String], environment: &Environment) -> Result<Vec<Id>, Error> {
    let payloads: Vec<_> = natives.iter().map(|native| payload(kind, native)).collect::<Result<_, _>>()?;
    let mint = authority::connect(environment).await?.mint(&[domain]).await?;
    Ok(payloads.iter().map(|payload| mint.id(kind, domain, payload)).collect::<Result<_, _>>()?)
}

/// Reads a native id: hexadecimal digits, or a UUID with hyphens.
fn payload(kind: identity::Kind, native: &str) -> Result<Vec<u8>, Error> {
    let bytes = kind.payload_len();
    let hyphens = |(index, byte): (usize, u8)| (byte == b'-') == [8, 13, 18, 23].contains(&index);
    let is_uuid = bytes == 16 && native.len() == 36 && native.bytes().enumerate().all(hyphens);
    let digits = if is_uuid { native.replace('-', "") } else { native.into() };
    let payload = from_hex(&digits).filter(|payload| payload.len() == bytes);
    payload.ok_or_else(|| Error::InvalidNativeId { native: native.into(), bytes })
}

#[cfg(test)]
mod tests {
    use shared::identity::Kind;

    use super::*;

    const UUID: &str = "6f1c2a9e-58b3-4a52-9f6e-0b7a44c5d2e1";

    #[test]
    fn a_native_id_is_a_uuid_or_digits_of_the_kinds_length() {
        assert_eq!(payload(Kind::Maintained, UUID).unwrap(), payload(Kind::Household, &UUID.replace('-', "")).unwrap());
        assert_eq!(payload(Kind::Derived, &"0a".repeat(32)).unwrap(), [10; 32]);
        for (kind, native) in [(Kind::Derived, UUID), (Kind::Maintained, ""), (Kind::Maintained, "6f1c2a9e58-b3-4a52-9f6e-0b7a44c5d2e1")] {
            assert!(matches!(payload(kind, native), Err(Error::InvalidNativeId { .. })), "{native}");
        }
    }
}
