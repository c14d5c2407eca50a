//! CPIX documents (DASH-IF "Content Protection Information Exchange") as SPEKE 1.0, 2.0 and 2.1
//! use them: an encryptor sends a document with empty elements, and the key server sends it back
//! with keys and signalling.
//!
//! [`Request::parse`] reads a document and checks it in the order of SPEKE's error table.
//! [`Request::fill`] reads it a second time and writes the reply: the elements and the attributes
//! in their order, without comments and white space. Elements that the key server does not know
//! do not come back.

mod delivery;
mod element;
mod error;
mod events;
mod fill;
mod outline;
mod request;
mod signals;
mod speke;
mod validate;

pub use delivery::Recipient;
pub use element::Signal;
pub use error::Error;
pub use request::{Form, KeyIds, Period, Request, RequestedKey, RequestedSystem, Rule};
pub use signals::ReplyOptions;
pub use speke::SpekeVersion;
