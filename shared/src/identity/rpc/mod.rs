//! The body of `/invocations` and of the proxy's routes: parsed once, answered in order.
//!
//! `transcode_data` is an array of entries of two forms, which may be mixed:
//!
//! ```json
//! {"value": "XY1005…", "target": "1006"}
//! {"target": "1006", "values": ["XY1005…", "XY1007…"]}
//! ```
//!
//! The fast path scans ids without building values, and writes answers as it goes: an entry is
//! compared with the patterns of the entries before it, and read key by key if none matches. Input
//! that the fast path does not accept is read again by [`mod@reference`], which decides the
//! outcome.

pub mod reference;

mod body;
mod csv;
mod cursor;
mod entries;
mod error;
mod ids;
mod pattern;
mod write;

pub use self::{
    body::{Body, ErrorBody, Rpc},
    csv::Csv,
    error::Error,
    ids::Ids,
};
