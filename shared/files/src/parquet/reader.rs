//! Reads a Parquet file's rows, chunk by chunk.

use super::{cells::Cells, file::ParquetFile, objects::Objects};
use crate::{
    chunk::{self, Chunk, Row},
    column::{self, Column, SelectedColumns, Target},
    input_error::InputError,
    layout::Layout,
    position::Position,
};

/// Reads a file's rows, chunk by chunk.
pub(crate) struct Reader {
    file: ParquetFile,
    rows: Rows,
    position: Position,
    max_request_bytes: usize,
}

enum Rows {
    /// The columns of ids and targets only.
    Columns { selected: SelectedColumns, group: Option<Box<RowGroup>> },
    /// All columns, as JSON objects.
    Objects(Objects),
}

/// The row group that is being read.
struct RowGroup {
    ids: Cells,
    targets: Option<Cells>,
}

impl Reader {
    /// Selects the columns.
    pub(crate) fn new(
        file: ParquetFile,
        column: &Column,
        target: &Target,
        layout: Layout,
        max_request_bytes: usize,
    ) -> Result<Self, InputError> {
        let selected = column::select_named(column, target, &file.names())?;
        let rows = if layout == Layout::Columns {
            let target = match selected.target {
                Target::Domain(domain) => Target::Domain(domain),
                Target::Column(column) => Target::Column(file.leaf(column)?),
            };
            Rows::Columns { selected: SelectedColumns { id: file.leaf(selected.id)?, target }, group: None }
        } else {
            Rows::Objects(Objects::new(&file, selected)?)
        };
        Ok(Self { file, rows, position: Position::default(), max_request_bytes })
    }

    /// Skips to the position at which an earlier run stopped.
    pub(crate) fn skip_to(&mut self, position: Position) -> Result<(), InputError> {
        if let Rows::Objects(objects) = &mut self.rows {
            objects.skip(position.rows)?;
        }
        self.position = position;
        Ok(())
    }

    /// The next rows; `None` after the last. A chunk of columns ends with its row group.
    pub(crate) fn next(&mut self) -> Result<Option<Chunk>, InputError> {
        let mut chunk = Chunk::after(self.position, self.max_request_bytes);
        match &mut self.rows {
            Rows::Objects(objects) => {
                while !chunk.is_full(self.max_request_bytes, chunk.text.len()) && objects.read(&mut chunk, &mut self.position)? {}
                chunk.after = self.position;
                Ok((!chunk.rows.is_empty()).then_some(chunk))
            }
            Rows::Columns { selected, group } => {
                let number = usize::try_from(self.position.offset).unwrap_or(usize::MAX);
                if number >= self.file.metadata().num_row_groups() {
                    return Ok(None);
                }
                let group = match group {
                    Some(group) => group,
                    None => group.insert(Box::new(RowGroup::open(&self.file, number, selected)?)),
                };
                while !chunk.is_full(self.max_request_bytes, 0) {
                    let row = self.position.rows;
                    let Some(id) = group.ids.next(row)? else {
                        chunk.ends_group = true;
                        break;
                    };
                    let target = match (&selected.target, &mut group.targets) {
                        (Target::Domain(domain), _) => Some(*domain),
                        (Target::Column(_), Some(targets)) => targets.next(row)?.and_then(chunk::parse_domain),
                        (Target::Column(_), None) => None,
                    };
                    self.position.rows += 1;
                    let kind = chunk.push(id, target);
                    chunk.rows.push(Row { insert: 0, end: 0, kind });
                }
                if chunk.ends_group {
                    self.position.offset += 1;
                    self.rows = Rows::Columns { selected: selected.clone(), group: None };
                }
                chunk.after = self.position;
                Ok(Some(chunk))
            }
        }
    }
}

impl RowGroup {
    fn open(file: &ParquetFile, number: usize, selected: &SelectedColumns) -> Result<Self, InputError> {
        let cells = |leaf| Cells::open(file, number, leaf);
        let targets = match selected.target {
            Target::Domain(_) => None,
            Target::Column(leaf) => Some(cells(leaf)?),
        };
        Ok(Self { ids: cells(selected.id)?, targets })
    }
}
