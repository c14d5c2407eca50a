//! DynamoDB, with envelope encryption of every secret in it.
//!
//! A secret is encrypted under a data key of its own ([`shared::crypto::jwe`], `dir`), and the data
//! key under the master key: a KMS key on AWS, a file on a development machine. Both ciphertexts
//! are bound to the item's name, so that a ciphertext copied to another item cannot be decrypted.

mod attribute;
mod envelope;
mod error;
mod tables;

pub use attribute::{Item, flag, n, number, optional_number, s, string};
pub use envelope::Vault;
pub use error::{Error, condition_held, service_error};
pub(crate) use tables::sdk_config;
pub use tables::{Query, Scan, Tables};
