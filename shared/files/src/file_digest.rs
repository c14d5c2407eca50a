//! The length and the digest of a file.

use serde::Serialize;

/// A file that was read or written, as the report states it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct FileDigest {
    #[serde(rename = "place")]
    pub(crate) location: String,
    pub(crate) bytes: u64,
    /// The SHA-256 digest in hexadecimal.
    pub(crate) sha256: String,
}
