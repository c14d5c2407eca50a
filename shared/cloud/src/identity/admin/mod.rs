//! Administration of the authority: domains, clients, permits, transcoders, signing keys. The same
//! code runs against AWS and against a local cloud.

mod clients;
mod domains;
mod error;
mod permits;
mod signing_keys;
mod tables;

pub use domains::{DomainInfo, Mint};
pub use error::Error;
pub use permits::Side;
pub use tables::{Admin, KeyInfo};
