//! Whole rows of a Parquet file as JSON objects: how they come to formats that do not know its types.

use ::parquet::{
    errors::ParquetError,
    record::{Field, reader::RowIter},
};

use super::{Chosen, Fault, Input, Part, Place, Row, Target, part, said};

/// A file's rows.
pub(super) struct Objects {
    rows: RowIter<'static>,
    chosen: Chosen,
}

impl Objects {
    pub(super) fn new(file: &Input, chosen: Chosen) -> Result<Self, Fault> {
        let own = file.again().map_err(|cause| Fault::NotParquet(said(&cause)))?;
        Ok(Self { rows: RowIter::from_file_into(own), chosen })
    }

    /// Passes over rows.
    pub(super) fn skip(&mut self, rows: u64) -> Result<(), Fault> {
        for row in 0..rows {
            self.rows.next().transpose().map_err(|cause| damaged(row, &cause))?;
        }
        Ok(())
    }

    /// Adds the next row to `part`; false after the last.
    pub(super) fn read(&mut self, part: &mut Part, place: &mut Place) -> Result<bool, Fault> {
        let Some(row) = self.rows.next() else { return Ok(false) };
        let row = row.map_err(|cause| damaged(place.rows, &cause))?;
        place.rows += 1;
        place.offset = place.rows;
        let (mut id, mut target) = (String::new(), None);
        if let Target::Domain(domain) = self.chosen.target {
            target = Some(domain);
        }
        for (index, (name, field)) in row.get_column_iter().enumerate() {
            part.text.push(if index == 0 { b'{' } else { b',' });
            let write =
                |text: &mut Vec<u8>, value: &serde_json::Value| serde_json::to_writer(text, value).expect("a value always has a JSON form");
            write(&mut part.text, &name.as_str().into());
            part.text.push(b':');
            let value = field.to_json_value();
            write(&mut part.text, &value);
            if index == self.chosen.column {
                id = cell(field, &value);
            }
            if self.chosen.target == Target::Column(index) {
                target = part::domain(cell(field, &value).as_bytes());
            }
        }
        let asks = part.push(id.as_bytes(), target);
        part.rows.push(Row { insert: part.text.len(), end: part.text.len() + 2, asks });
        part.text.extend_from_slice(b"}\n");
        Ok(true)
    }
}

/// A field as a cell: a text's own text, nothing for null, and whatever else as JSON has it.
fn cell(field: &Field, value: &serde_json::Value) -> String {
    match field {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        _ => value.to_string(),
    }
}

fn damaged(row: u64, cause: &ParquetError) -> Fault {
    Fault::Damaged { row, column: "*".into(), cause: said(cause) }
}
