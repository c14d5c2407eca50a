//! Objects of S3, read and written like files: from the start or from a byte offset, and visible
//! only when they are complete.
//!
//! Readers and writers block, for threads that work on files. The network runs on the runtime that
//! [`Store::connect`] was called on, several parts at a time. What is in flight is bounded: 32 MiB
//! per reader, 64 MiB per writer.

mod error;
mod reader;
mod store;
mod uri;
mod writer;

pub use error::Error;
pub use reader::Reader;
pub use store::{Object, Store};
pub use uri::{InvalidS3Uri, S3Uri};
pub use writer::Writer;
