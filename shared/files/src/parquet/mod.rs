//! Parquet: reads the columns of ids and targets page by page, and writes files that copy the other
//! columns' chunks byte for byte.

mod cells;
mod copy;
mod error;
mod error_codes;
pub(crate) mod file;
mod footer;
mod objects;
pub(crate) mod reader;
mod row_group;
pub(crate) mod writer;
