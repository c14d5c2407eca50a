//! The cells of one column of a row group, read page by page.

use ::parquet::{
    basic::Type,
    column::reader::{ColumnReader, ColumnReaderImpl},
    data_type::{AsBytes, ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType},
    errors::ParquetError,
    file::reader::FileReader,
};

use super::{Fault, Input, ROWS, said};

/// The cells of one column.
pub(super) struct Cells {
    column: String,
    values: Values,
    /// For each cell that was read ahead whether it is there, where some may not be.
    levels: Vec<i16>,
    optional: bool,
    /// How many cells were read ahead, and how many of them and of their values are used.
    ahead: usize,
    used: usize,
    used_values: usize,
}

enum Values {
    Any(ColumnReaderImpl<ByteArrayType>, Vec<ByteArray>),
    Fixed(ColumnReaderImpl<FixedLenByteArrayType>, Vec<FixedLenByteArray>),
}

/// Whether a column of this type may hold text.
pub(super) const fn is_text(physical: Type) -> bool {
    matches!(physical, Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY)
}

impl Cells {
    /// The cells of the column `leaf` in row group `group`.
    pub(super) fn open(file: &Input, group: usize, leaf: usize) -> Result<Self, Fault> {
        let description = file.file.metadata().file_metadata().schema_descr().column(leaf);
        let column = description.name().to_owned();
        let damaged = |cause: ParquetError| Fault::Damaged { row: 0, column: column.clone(), cause: said(&cause) };
        let reader = file.file.get_row_group(group).and_then(|group| group.get_column_reader(leaf)).map_err(damaged)?;
        let values = match reader {
            ColumnReader::ByteArrayColumnReader(reader) => Values::Any(reader, Vec::with_capacity(ROWS)),
            ColumnReader::FixedLenByteArrayColumnReader(reader) => Values::Fixed(reader, Vec::with_capacity(ROWS)),
            _ => return Err(Fault::NoTextColumn { column, found: "other values".into() }),
        };
        let optional = description.max_def_level() > 0;
        Ok(Self { column, values, levels: Vec::with_capacity(ROWS), optional, ahead: 0, used: 0, used_values: 0 })
    }

    /// The next cell, which is empty where it is null; `None` after the last. So far `row` rows have been read.
    pub(super) fn next(&mut self, row: u64) -> Result<Option<&[u8]>, Fault> {
        if self.used == self.ahead && !self.read_ahead(row)? {
            return Ok(None);
        }
        self.used += 1;
        if self.optional && self.levels[self.used - 1] == 0 {
            return Ok(Some(b""));
        }
        self.used_values += 1;
        Ok(Some(match &self.values {
            Values::Any(_, values) => values[self.used_values - 1].data(),
            Values::Fixed(_, values) => values[self.used_values - 1].as_bytes(),
        }))
    }

    fn read_ahead(&mut self, row: u64) -> Result<bool, Fault> {
        self.levels.clear();
        let read = match &mut self.values {
            Values::Any(reader, values) => read(reader, &mut self.levels, values),
            Values::Fixed(reader, values) => read(reader, &mut self.levels, values),
        };
        let damaged = |cause| Fault::Damaged { row, column: self.column.clone(), cause: said(&cause) };
        (self.ahead, self.used, self.used_values) = (read.map_err(damaged)?, 0, 0);
        Ok(self.ahead > 0)
    }
}

fn read<T: DataType>(reader: &mut ColumnReaderImpl<T>, levels: &mut Vec<i16>, values: &mut Vec<T::T>) -> Result<usize, ParquetError> {
    values.clear();
    let (records, ..) = reader.read_records(ROWS, Some(levels), None, values)?;
    Ok(records)
}
