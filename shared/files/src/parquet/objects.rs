//! The rows of a Parquet file as JSON objects, for output formats without Parquet's types.

use ::parquet::{
    errors::ParquetError,
    record::{Field, reader::RowIter},
};

use super::{error::message, file::ParquetFile};
use crate::{
    chunk::{self, Chunk, Row},
    column::{SelectedColumns, Target},
    input_error::InputError,
    position::Position,
};

/// Reads a file's rows.
pub(super) struct Objects {
    rows: RowIter<'static>,
    selected: SelectedColumns,
}

impl Objects {
    pub(super) fn new(file: &ParquetFile, selected: SelectedColumns) -> Result<Self, InputError> {
        let reader = file.reopen().map_err(|cause| InputError::InvalidParquet(message(&cause)))?;
        Ok(Self { rows: RowIter::from_file_into(reader), selected })
    }

    /// Skips `rows`.
    pub(super) fn skip(&mut self, rows: u64) -> Result<(), InputError> {
        for row in 0..rows {
            self.rows.next().transpose().map_err(|cause| corrupt(row, &cause))?;
        }
        Ok(())
    }

    /// Appends the next row to `chunk`; returns false after the last.
    pub(super) fn read(&mut self, chunk: &mut Chunk, position: &mut Position) -> Result<bool, InputError> {
        let Some(row) = self.rows.next() else { return Ok(false) };
        let row = row.map_err(|cause| corrupt(position.rows, &cause))?;
        position.rows += 1;
        position.offset = position.rows;
        let (mut id, mut target) = (String::new(), None);
        if let Target::Domain(domain) = self.selected.target {
            target = Some(domain);
        }
        for (index, (name, field)) in row.get_column_iter().enumerate() {
            chunk.text.push(if index == 0 { b'{' } else { b',' });
            let write =
                |text: &mut Vec<u8>, value: &serde_json::Value| serde_json::to_writer(text, value).expect("a value always has a JSON form");
            write(&mut chunk.text, &name.as_str().into());
            chunk.text.push(b':');
            let value = field.to_json_value();
            write(&mut chunk.text, &value);
            if index == self.selected.id {
                id = cell(field, &value);
            }
            if self.selected.target == Target::Column(index) {
                target = chunk::parse_domain(cell(field, &value).as_bytes());
            }
        }
        let kind = chunk.push(id.as_bytes(), target);
        chunk.rows.push(Row { insert: chunk.text.len(), end: chunk.text.len() + 2, kind });
        chunk.text.extend_from_slice(b"}\n");
        Ok(true)
    }
}

/// A field as a cell: a string as it is, null as empty, and any other value as its JSON.
fn cell(field: &Field, value: &serde_json::Value) -> String {
    match field {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        _ => value.to_string(),
    }
}

fn corrupt(row: u64, cause: &ParquetError) -> InputError {
    InputError::CorruptColumn { row, column: "*".into(), cause: message(cause) }
}
