//! `rampway admin transcoders`.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::Subcommand;
use cloud::setting::Environment;
use shared::crypto::jwe::PrivateKey;

use super::authority::connect;
use crate::error::Error;

const AFTER_HELP: &str = "\
Examples:
  rampway admin transcoders create acme --model model
  rampway admin transcoders register acme public_key.pem";

/// The commands on transcoders' keys.
#[derive(Clone, Debug, Subcommand)]
#[command(after_help = AFTER_HELP)]
pub enum Transcoders {
    /// Generate a key pair for a client's transcoder, and the model directory to deploy it with
    ///
    /// The directory receives `private_key.pem`, readable by its owner only, and
    /// `verification_keys.json`. For another company's transcoder use `register`: its private key
    /// must not leave that company.
    Create {
        /// Id of the client
        client: String,
        /// Model directory; it must not contain a private key yet
        #[arg(long, value_name = "DIR", default_value = "model")]
        model: PathBuf,
    },
    /// Register the public key of a pair that was generated elsewhere
    Register {
        /// Id of the client
        client: String,
        /// RSA public key in PEM format
        #[arg(value_name = "FILE")]
        public_key: PathBuf,
    },
}

pub(super) async fn run(command: &Transcoders, environment: &Environment) -> Result<String, Error> {
    let admin = connect(environment).await?;
    match command {
        Transcoders::Create { client, model } => {
            let failed = |file: &Path| {
                let file = file.to_owned();
                move |cause| Error::File { file, cause }
            };
            let verification = admin.verification_keys().await?;
            let private = PrivateKey::generate()?;
            let public = private.public()?;
            fs::create_dir_all(model).map_err(failed(model))?;
            // The private key is written first: without it, the registered key would be useless.
            let file = model.join("private_key.pem");
            write_private(&file, private.to_pem().as_bytes()).map_err(failed(&file))?;
            let keys = model.join("verification_keys.json");
            fs::write(&keys, verification).map_err(failed(&keys))?;
            let key = admin.register_transcoder(client, public.to_pem()).await?;
            Ok(format!("key {key} of {client}'s transcoder is registered; the private key is in {}\n", file.display()))
        }
        Transcoders::Register { client, public_key } => {
            let pem = fs::read_to_string(public_key).map_err(|cause| Error::File { file: public_key.clone(), cause })?;
            let key = admin.register_transcoder(client, &pem).await?;
            Ok(format!("key {key} of {client}'s transcoder is registered\n"))
        }
    }
}

/// Creates a file that only its owner may read. Fails if it exists.
pub(super) fn write_private(file: &Path, text: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(file)?;
    file.write_all(text)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_key_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("private_key.pem");
        write_private(&file, b"one").unwrap();
        assert_eq!(write_private(&file, b"two").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions()) & 0o777, 0o600);
    }
}
