//! S3: an engine that verifies every signature, behind what it lacks of S3.
//!
//! The engine stores an object in a file named by its key, and the parts of open multipart uploads
//! beside the folders of the buckets. [`engine`] corrects responses that differ from S3's,
//! [`access`] decides what credentials allow, and [`host`] handles the port, which S3's hosts do
//! not have.

mod access;
mod bucket;
mod content_md5;
mod cors;
mod credentials;
mod drain;
mod engine;
mod fault_injection;
mod header;
mod host;
mod standalone;

pub(crate) use self::{
    bucket::Bucket,
    credentials::{Grant, StoredGrant},
};
pub use self::{fault_injection::S3Fault, standalone::S3};
