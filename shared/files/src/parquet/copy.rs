//! Column chunks that are copied from one Parquet file into another byte for byte.

use ::parquet::{column::writer::ColumnCloseResult, file::metadata::RowGroupMetaData};

/// The metadata of column `index` of row group `group`, for the row group writer that appends the
/// chunk's bytes.
pub(super) fn copied_chunk(group: &RowGroupMetaData, index: usize) -> ColumnCloseResult {
    let column = group.column(index);
    ColumnCloseResult {
        bytes_written: u64::try_from(column.compressed_size()).unwrap_or(0),
        rows_written: u64::try_from(group.num_rows()).unwrap_or(0),
        metadata: column.clone(),
        bloom_filter: None,
        column_index: None,
        offset_index: None,
    }
}
