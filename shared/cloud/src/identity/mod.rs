//! Identity: the authority's API, the customer's API, usage reports, and the authority's
//! administration.

pub mod admin;
pub mod authority;
pub mod customer;
pub mod endpoint;
pub mod endpoint_client;
pub mod setting;
pub mod usage;

mod authority_client;
mod clients;
mod credential_store;
mod direction;
mod domains;
mod error;
mod keyring;
mod permits;
mod route;

pub use clients::Credentials;
pub use error::Error;
pub use route::api;
