//! Identity: `RampIDs`, the permissions to translate them between domains, and the translation.
//!
//! 1. The owners of two domains approve a direction ([`scope`]).
//! 2. The authority signs the active directions into tokens ([`token`]) and seals the domain keys
//!    to one transcoder ([`packet`]).
//! 3. The transcoder holds the keys for a day ([`client_keys`]) and translates ([`translate`]) the
//!    ids of each request ([`rpc`]).

pub mod client_keys;
pub mod code;
pub mod domain;
pub mod id;
pub mod packet;
pub mod rpc;
pub mod scope;
pub mod token;
pub mod translate;

pub use client_keys::ClientKeys;
pub use code::Code;
pub use domain::Domain;
pub use id::{Id, Kind};
pub use packet::Packet;
pub use scope::{Direction, Scopes};
