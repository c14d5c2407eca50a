//! Identity: `RampIDs`, who may translate them between which domains, and the translation.
//!
//! A domain's owner orders a direction ([`scope`]), the authority signs what stands as a token ([`token`]), seals the domains' keys to one
//! transcoder ([`packet`]), and that transcoder keeps them for a day ([`client_keys`]) and translates ([`translate`]) what requests ask for
//! ([`rpc`]).

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
