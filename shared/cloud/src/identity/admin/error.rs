use shared::{
    crypto::{jwe, jws},
    identity::{Code, Domain},
};

use super::super::error;
use crate::{setting, vault};

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It exists already.
    #[error("{0} exists already")]
    Exists(String),
    /// It does not exist.
    #[error("there is no {0}")]
    NotFound(String),
    /// The caller does not own the domain.
    #[error("domain {domain} belongs to {owner}; only its owner may approve or revoke")]
    NotTheOwner {
        /// The domain.
        domain: Domain,
        /// Its owner.
        owner: String,
    },
    /// The text is not an RSA public key.
    #[error("not an RSA public key in PEM form: {0}")]
    PublicKey(#[from] jwe::KeyRejected),
    /// No signing key was generated.
    #[error("no key was made: {0}")]
    SigningKey(#[from] jws::KeyRejected),
    /// The text is not a client's id.
    #[error("a client's id is 1 to 64 letters, digits, hyphens, underscores or dots, not {0:?}")]
    ClientId(String),
    /// No id was minted.
    #[error("no id was minted: {}", .0.message())]
    Mint(Code),
    /// Any other error.
    #[error(transparent)]
    Identity(#[from] error::Error),
}

impl From<vault::Error> for Error {
    fn from(error: vault::Error) -> Self {
        Self::Identity(error.into())
    }
}

impl From<setting::Error> for Error {
    fn from(error: setting::Error) -> Self {
        Self::Identity(error.into())
    }
}
