//! A position in the input, at the end of a row.

use serde::{Deserialize, Serialize};

/// How far an input has been read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// Decompressed bytes of a text file, row groups or rows of a Parquet file.
    pub(crate) offset: u64,
    /// Lines of a text file, including the header and the lines within quotes.
    pub(crate) lines: u64,
    /// Rows, without the header.
    pub(crate) rows: u64,
}
