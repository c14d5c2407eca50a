//! The cells of one column of a row group, read page by page.

use ::parquet::{
    column::reader::{ColumnReader, ColumnReaderImpl},
    data_type::{AsBytes, ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType},
    errors::ParquetError,
    file::reader::FileReader,
};

use super::{error::message, file::ParquetFile};
use crate::input_error::InputError;

/// How many rows are decoded at once.
const ROWS_PER_READ: usize = 8192;

/// The cells of one column.
pub(super) struct Cells {
    column: String,
    values: Values,
    /// The definition levels of the batch, if the column is optional: 0 for null.
    levels: Vec<i16>,
    optional: bool,
    /// The number of cells in the batch.
    batch: usize,
    /// The number of cells and of values of the batch that have been returned.
    used: usize,
    used_values: usize,
}

enum Values {
    Variable(ColumnReaderImpl<ByteArrayType>, Vec<ByteArray>),
    Fixed(ColumnReaderImpl<FixedLenByteArrayType>, Vec<FixedLenByteArray>),
}

impl Cells {
    /// Opens column `leaf` of row group `group`.
    pub(super) fn open(file: &ParquetFile, group: usize, leaf: usize) -> Result<Self, InputError> {
        let description = file.metadata().file_metadata().schema_descr().column(leaf);
        let column = description.name().to_owned();
        let corrupt = |cause: ParquetError| InputError::CorruptColumn { row: 0, column: column.clone(), cause: message(&cause) };
        let reader = file.reader().get_row_group(group).and_then(|group| group.get_column_reader(leaf)).map_err(corrupt)?;
        let values = match reader {
            ColumnReader::ByteArrayColumnReader(reader) => Values::Variable(reader, Vec::with_capacity(ROWS_PER_READ)),
            ColumnReader::FixedLenByteArrayColumnReader(reader) => Values::Fixed(reader, Vec::with_capacity(ROWS_PER_READ)),
            _ => return Err(InputError::NotAStringColumn { column, found: "other values".into() }),
        };
        let optional = description.max_def_level() > 0;
        Ok(Self { column, values, levels: Vec::with_capacity(ROWS_PER_READ), optional, batch: 0, used: 0, used_values: 0 })
    }

    /// The next cell, empty for null; `None` after the last. `row` is the number of rows read so
    /// far, for an error.
    pub(super) fn next(&mut self, row: u64) -> Result<Option<&[u8]>, InputError> {
        if self.used == self.batch && !self.read_batch(row)? {
            return Ok(None);
        }
        self.used += 1;
        if self.optional && self.levels[self.used - 1] == 0 {
            return Ok(Some(b""));
        }
        self.used_values += 1;
        Ok(Some(match &self.values {
            Values::Variable(_, values) => values[self.used_values - 1].data(),
            Values::Fixed(_, values) => values[self.used_values - 1].as_bytes(),
        }))
    }

    fn read_batch(&mut self, row: u64) -> Result<bool, InputError> {
        self.levels.clear();
        let read = match &mut self.values {
            Values::Variable(reader, values) => read(reader, &mut self.levels, values),
            Values::Fixed(reader, values) => read(reader, &mut self.levels, values),
        };
        let corrupt = |cause| InputError::CorruptColumn { row, column: self.column.clone(), cause: message(&cause) };
        (self.batch, self.used, self.used_values) = (read.map_err(corrupt)?, 0, 0);
        Ok(self.batch > 0)
    }
}

fn read<T: DataType>(reader: &mut ColumnReaderImpl<T>, levels: &mut Vec<i16>, values: &mut Vec<T::T>) -> Result<usize, ParquetError> {
    values.clear();
    let (records, ..) = reader.read_records(ROWS_PER_READ, Some(levels), None, values)?;
    Ok(records)
}
