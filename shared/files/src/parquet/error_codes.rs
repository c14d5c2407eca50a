//! The column of error codes of one row group.

use std::io;

use ::parquet::{data_type::ByteArrayType, file::writer::SerializedRowGroupWriter};

use super::error::io_error;
use crate::{output::Output, string_column::StringColumn};

/// How many rows are encoded at once.
const ROWS_PER_WRITE: usize = 1 << 16;

/// The error codes of a row group's rows: a number per row, because there are few distinct codes.
#[derive(Default)]
pub(super) struct ErrorCodes {
    distinct: Vec<String>,
    /// Per row the index in `distinct` plus 1, or 0 for none.
    rows: Vec<u16>,
}

impl ErrorCodes {
    /// Appends the codes of a chunk's rows.
    pub(super) fn push(&mut self, codes: &StringColumn) -> io::Result<()> {
        for code in codes.iter() {
            let number = match code {
                None => 0,
                Some(code) => {
                    let index = self.distinct.iter().position(|distinct| distinct == code);
                    1 + index.unwrap_or_else(|| {
                        self.distinct.push(code.into());
                        self.distinct.len() - 1
                    })
                }
            };
            self.rows.push(u16::try_from(number).map_err(|_| io::Error::other("the server returns more than 65535 distinct error codes"))?);
        }
        Ok(())
    }

    /// Writes the codes as the next column of `group`.
    pub(super) fn write(&self, group: &mut SerializedRowGroupWriter<'_, Output>) -> io::Result<()> {
        let mut column = group.next_column().map_err(io_error)?.expect("the schema has a column of error codes");
        for rows in self.rows.chunks(ROWS_PER_WRITE) {
            let mut strings = StringColumn::default();
            for row in rows {
                strings.push(usize::from(*row).checked_sub(1).map(|index| &*self.distinct[index]));
            }
            let (values, levels) = strings.into_values();
            column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None).map_err(io_error)?;
        }
        column.close().map_err(io_error)
    }
}
