//! What `rampway admin` and `rampway mint` do. Each gives the text to print.

mod uploads;

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use cloud::{
    clock::now,
    identity::{
        admin::{self, Admin, KeyInfo, Side},
        setting::Table,
    },
    setting::{self, Environment},
    upload,
};
use indicatif::HumanDuration;
use shared::{
    crypto::jwe::{KeyRejected, PrivateKey},
    encoding::from_hex,
    identity::{Domain, Id, Kind, scope::Approval},
    secret::SecretText,
};

use crate::cli::admin::{self as arguments, Clients, Domains, Keys, Permits, Subject, Transcoders};

const HOUR: u64 = 60 * 60;

/// Why an order was not carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The authority's administration refuses it.
    #[error(transparent)]
    Admin(#[from] admin::Error),
    /// The environment does not name the tables.
    #[error("{0}: start a suite here with `rampway serve`, or name an environment file with --env-file")]
    Setting(#[from] setting::Error),
    /// A key pair was not made.
    #[error("no key pair was made: {0}")]
    Key(#[from] KeyRejected),
    /// The upload side refuses it.
    #[error(transparent)]
    Upload(#[from] upload::Error),
    /// There is no secret on standard input.
    #[error("the secret cannot be read ({0}): it is the first line of standard input, as in `rampway admin uploads connect … < file`")]
    Secret(io::Error),
    /// A file.
    #[error("{} cannot be used ({cause})", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        cause: io::Error,
    },
    /// A native id has not the form of one.
    #[error("`{native}` is not a native id: one of this kind is {}", if *bytes == 16 { "a UUID, or 32 hexadecimal digits" } else { "64 hexadecimal digits" })]
    Native {
        /// The text.
        native: String,
        /// How many bytes it should stand for.
        bytes: usize,
    },
}

/// Carries out an order on what the environment names.
pub async fn run(subject: &Subject, environment: &Environment) -> Result<String, Error> {
    if let Subject::Uploads(order) = subject {
        return uploads::run(order, environment, &mut io::stdin().lock()).await;
    }
    let admin = connect(environment).await?;
    match subject {
        Subject::Domains(order) => domains(&admin, order).await,
        Subject::Clients(order) => clients(&admin, order).await,
        Subject::Permits(order) => permits(&admin, order).await,
        Subject::Transcoders(order) => transcoders(&admin, order).await,
        Subject::Keys(order) => keys(&admin, order).await,
        Subject::Uploads(_) => unreachable!("uploads are not the authority's"),
    }
}

/// Encodes native ids into a domain, under its current key.
pub async fn mint(kind: Kind, domain: Domain, natives: &[String], environment: &Environment) -> Result<Vec<Id>, Error> {
    let payloads: Vec<_> = natives.iter().map(|native| payload(kind, native)).collect::<Result<_, _>>()?;
    let mint = connect(environment).await?.mint(&[domain]).await?;
    Ok(payloads.iter().map(|payload| mint.id(kind, domain, payload)).collect::<Result<_, _>>()?)
}

async fn connect(environment: &Environment) -> Result<Admin, Error> {
    // The first question that a newcomer's mistake fails at, asked first for its own sentence.
    Table::Clients.name(environment)?;
    Ok(Admin::from_env(environment).await?)
}

/// Reads a native id: hexadecimal digits, with a UUID's hyphens or without.
fn payload(kind: Kind, native: &str) -> Result<Vec<u8>, Error> {
    let bytes = kind.payload_len();
    let hyphens = |(place, byte): (usize, u8)| (byte == b'-') == [8, 13, 18, 23].contains(&place);
    let is_uuid = bytes == 16 && native.len() == 36 && native.bytes().enumerate().all(hyphens);
    let digits = if is_uuid { native.replace('-', "") } else { native.into() };
    let payload = from_hex(&digits).filter(|payload| payload.len() == bytes);
    payload.ok_or_else(|| Error::Native { native: native.into(), bytes })
}

async fn domains(admin: &Admin, order: &Domains) -> Result<String, Error> {
    Ok(match order {
        Domains::Create { domain, owner } => {
            let key = admin.create_domain(*domain, owner).await?;
            format!("domain {domain} of {owner}, key {key}\n")
        }
        Domains::Rotate { domain, after } => {
            let key = admin.rotate_domain(*domain, now() + u64::from(*after) * HOUR).await?;
            format!("domain {domain}: key {key} encodes in {after} hours; the previous ones still decode\n")
        }
        Domains::Retire { domain, key } => {
            admin.retire_domain_key(*domain, key).await?;
            format!("domain {domain}: key {key} has ended\n")
        }
        Domains::List => {
            let mut rows = vec![["domain", "owner", "key", "state"].map(String::from)];
            for info in admin.domains().await? {
                for key in &info.keys {
                    rows.push([info.domain.to_string(), info.owner.clone(), key.kid.clone(), state(key, now())]);
                }
            }
            table(&rows)
        }
    })
}

async fn clients(admin: &Admin, order: &Clients) -> Result<String, Error> {
    let shown = |client: &str, secret: &SecretText| format!("client_id      {client}\nclient_secret  {}\n", secret.expose());
    Ok(match order {
        Clients::Create { client, authority } => shown(client, &admin.create_client(client, *authority).await?),
        Clients::Rotate { client } => shown(client, &admin.rotate_client(client).await?),
        Clients::List => {
            let mut rows = vec![["client", "authority", "transcoder"].map(String::from)];
            for client in admin.clients().await? {
                let said = |there: bool, word: &str| if there { word.to_owned() } else { "-".to_owned() };
                let transcoder = said(client.transcoder.is_some(), "registered");
                rows.push([client.id.clone(), said(client.authority, "yes"), transcoder]);
            }
            table(&rows)
        }
    })
}

async fn permits(admin: &Admin, order: &Permits) -> Result<String, Error> {
    let (side, order) = match order {
        Permits::Grant(order) => (Side::Grant, order),
        Permits::Accept(order) => (Side::Accept, order),
        Permits::Revoke { way, order } => {
            let side = match order {
                arguments::Side::Grant => Side::Grant,
                arguments::Side::Accept => Side::Accept,
            };
            admin.revoke(&way.client, way.direction(), side, &way.by).await?;
            return Ok("revoked; a token that allows it ends within 15 minutes\n".into());
        }
        Permits::List { client } => return list_permits(admin, client).await,
    };
    let arguments::Order { way, days } = order;
    let term = days.map_or(Approval::Indefinite, |days| Approval::Until(now() + u64::from(days) * 24 * HOUR));
    admin.approve(&way.client, way.direction(), side, &way.by, term).await?;
    list_permits(admin, &way.client).await
}

async fn list_permits(admin: &Admin, client: &str) -> Result<String, Error> {
    let mut rows = vec![["from", "to", "granted", "accepted", "stands"].map(String::from)];
    for (direction, permit) in admin.permits(client).await? {
        let order = |order: Option<Approval>| match order {
            None => "no".into(),
            Some(Approval::Indefinite) => "yes".into(),
            Some(Approval::Until(end)) => end_of(end, now()),
        };
        let stands = if permit.is_active(now()) { "yes" } else { "no" };
        let [from, to] = [direction.from, direction.to].map(|domain| domain.to_string());
        rows.push([from, to, order(permit.granted), order(permit.accepted), stands.into()]);
    }
    Ok(table(&rows))
}

async fn transcoders(admin: &Admin, order: &Transcoders) -> Result<String, Error> {
    match order {
        Transcoders::Create { client, model } => {
            let failed = |file: &Path| {
                let file = file.to_owned();
                move |cause| Error::File { file, cause }
            };
            let verification = admin.verification_keys().await?;
            let private = PrivateKey::generate()?;
            let public = private.public()?;
            fs::create_dir_all(model).map_err(failed(model))?;
            // The key is on the disk before it is registered: a registered key without its private half would open nothing.
            let file = model.join("private_key.pem");
            write_private(&file, private.to_pem().as_bytes()).map_err(failed(&file))?;
            let keys = model.join("verification_keys.json");
            fs::write(&keys, verification).map_err(failed(&keys))?;
            let key = admin.register_transcoder(client, public.to_pem()).await?;
            Ok(format!("key {key} of {client}'s transcoder is registered; its private half is in {}\n", file.display()))
        }
        Transcoders::Register { client, public_key } => {
            let pem = fs::read_to_string(public_key).map_err(|cause| Error::File { file: public_key.clone(), cause })?;
            let key = admin.register_transcoder(client, &pem).await?;
            Ok(format!("key {key} of {client}'s transcoder is registered\n"))
        }
    }
}

async fn keys(admin: &Admin, order: &Keys) -> Result<String, Error> {
    Ok(match order {
        Keys::Create { after } => {
            let key = admin.create_signing_key(now() + u64::from(*after) * HOUR).await?;
            format!("signing key {key}\n")
        }
        Keys::List => {
            let mut rows = vec![["key", "state"].map(String::from)];
            rows.extend(admin.signing_keys().await?.iter().map(|key| [key.kid.clone(), state(key, now())]));
            table(&rows)
        }
        Keys::Retire { key } => {
            admin.retire_signing_key(key).await?;
            format!("signing key {key} has ended\n")
        }
    })
}

/// Writes a new file that only its owner may read, and never over another.
fn write_private(file: &Path, text: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(file)?;
    file.write_all(text)?;
    file.sync_all()
}

/// When a key's time begins or ends, at `now`.
fn state(key: &KeyInfo, now: u64) -> String {
    match key.not_after {
        Some(end) => end_of(end, now),
        None if key.not_before > now => format!("begins {}", when(key.not_before, now)),
        None => format!("began {}", when(key.not_before, now)),
    }
}

fn end_of(end: u64, now: u64) -> String {
    format!("{} {}", if end > now { "ends" } else { "ended" }, when(end, now))
}

/// A second since 1970, as seen from `now`.
fn when(second: u64, now: u64) -> String {
    let apart = HumanDuration(std::time::Duration::from_secs(second.abs_diff(now)));
    if second > now { format!("in {apart}") } else { format!("{apart} ago") }
}

/// Columns as wide as their widest text.
fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let widths: [usize; N] = std::array::from_fn(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or_default());
    let mut text = String::new();
    for row in rows {
        let cells: Vec<_> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests;
