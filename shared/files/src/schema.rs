//! The input's schema: what is known of the input before its first row.

use crate::{delimited::Header, layout::Layout, parquet::file::ParquetFile};

/// The schema of an opened input.
pub(crate) struct Schema {
    /// The layout of the reader's rows.
    pub(crate) layout: Layout,
    /// The columns' names.
    pub(crate) names: Vec<String>,
    /// The header row of a delimited file, or the lack of it.
    pub(crate) header: Option<Header>,
    /// The number of rows, which only a Parquet file states.
    pub(crate) rows: Option<u64>,
    /// The Parquet file whose columns are copied, in [`Layout::Columns`].
    pub(crate) copied: Option<ParquetFile>,
}
