//! Parquet: the ids' column is read page by page, and all columns are copied as they are, with two more behind them.

mod cells;
mod objects;
mod sheet;

use std::{
    fs::File,
    io::{self, BufReader, Read},
    os::unix::fs::FileExt,
    sync::Arc,
};

use bytes::Bytes;

use ::parquet::{
    basic::{Compression, Repetition},
    errors::ParquetError,
    file::{
        metadata::ColumnChunkMetaData,
        reader::{ChunkReader, FileReader, Length, SerializedFileReader},
        serialized_reader::ReadOptionsBuilder,
    },
};

use super::{
    Fault, Options,
    column::{self, Chosen, Column, Target},
    input::{self, Reading},
    location::Location,
    part::{self, Part, Place, Row},
    render::Shape,
};
use cells::Cells;
use objects::Objects;
pub(super) use sheet::Sheet;

/// How many rows are read at once.
const ROWS: usize = 8192;

/// A Parquet file.
#[derive(Clone)]
pub(super) struct Input {
    file: Arc<SerializedFileReader<Positioned>>,
    bytes: Positioned,
}

/// A file that several read at once, each in its own place.
#[derive(Clone)]
pub(super) struct Positioned(Arc<File>);

/// A place in it.
pub(super) struct At {
    file: Arc<File>,
    place: u64,
}

impl Read for At {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(room, self.place)?;
        self.place += read as u64;
        Ok(read)
    }
}

impl Length for Positioned {
    fn len(&self) -> u64 {
        self.0.metadata().map_or(0, |metadata| metadata.len())
    }
}

impl ChunkReader for Positioned {
    type T = BufReader<At>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(BufReader::with_capacity(1 << 16, At { file: self.0.clone(), place: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let mut bytes = vec![0; length];
        self.0.read_exact_at(&mut bytes, start)?;
        Ok(bytes.into())
    }
}

/// Reads a file's rows, part by part.
pub(super) struct Reader {
    file: Input,
    rows: Rows,
    place: Place,
    request_bytes: usize,
}

enum Rows {
    /// The ids alone, and their targets.
    Columns { chosen: Chosen, group: Option<Box<Group>> },
    /// Whole rows, as JSON objects.
    Objects(Objects),
}

/// The row group that is being read.
struct Group {
    ids: Cells,
    targets: Option<Cells>,
}

impl Input {
    /// Opens the input; what is no file on this machine is kept in one first.
    pub(super) fn open(options: &Options, reading: &Reading) -> Result<Self, Fault> {
        let file = match &options.input {
            Location::Local(path) => input::open(path)?,
            Location::Object(_) | Location::Standard => input::spooled(options, reading)?,
        };
        let not = |cause: ParquetError| Fault::NotParquet(said(&cause));
        let bytes = Positioned(Arc::new(file));
        let pages = ReadOptionsBuilder::new().with_page_index().build();
        let file = SerializedFileReader::new_with_options(bytes.clone(), pages).map_err(not)?;
        Ok(Self { file: Arc::new(file), bytes })
    }

    /// The same file, read for another purpose.
    fn again(&self) -> Result<Box<dyn FileReader>, ParquetError> {
        Ok(Box::new(SerializedFileReader::new(self.bytes.clone())?))
    }

    /// The columns' names.
    pub(super) fn names(&self) -> Vec<String> {
        self.file.metadata().file_metadata().schema().get_fields().iter().map(|field| field.name().to_owned()).collect()
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> u64 {
        u64::try_from(self.file.metadata().file_metadata().num_rows()).unwrap_or(0)
    }

    /// How the pages of its first column are compressed.
    pub(super) fn compression(&self) -> Compression {
        let column = self.file.metadata().row_groups().first().and_then(|group| group.columns().first());
        column.map_or(Compression::SNAPPY, ColumnChunkMetaData::compression)
    }

    /// The place among all leaves of a column that has one text a row.
    fn leaf(&self, column: usize) -> Result<usize, Fault> {
        let schema = self.file.metadata().file_metadata().schema_descr();
        let field = &schema.root_schema().get_fields()[column];
        let fault = |found: String| Fault::NoTextColumn { column: field.name().into(), found };
        let leaf = (0..schema.num_columns()).find(|leaf| schema.get_column_root_idx(*leaf) == column);
        let leaf = leaf.filter(|_| field.is_primitive()).ok_or_else(|| fault("several values".into()))?;
        if field.get_basic_info().repetition() == Repetition::REPEATED {
            return Err(fault("lists".into()));
        }
        let physical = schema.column(leaf).physical_type();
        if cells::is_text(physical) { Ok(leaf) } else { Err(fault(format!("values of type {physical}"))) }
    }
}

impl Reader {
    /// Finds the columns.
    pub(super) fn new(file: Input, column: &Column, target: &Target, shape: Shape, request_bytes: usize) -> Result<Self, Fault> {
        let chosen = column::named(column, target, &file.names())?;
        let rows = if shape == Shape::Columns {
            let target = match chosen.target {
                Target::Domain(domain) => Target::Domain(domain),
                Target::Column(column) => Target::Column(file.leaf(column)?),
            };
            Rows::Columns { chosen: Chosen { column: file.leaf(chosen.column)?, target }, group: None }
        } else {
            Rows::Objects(Objects::new(&file, chosen)?)
        };
        Ok(Self { file, rows, place: Place::default(), request_bytes })
    }

    /// Goes on where an earlier run stopped.
    pub(super) fn skip_to(&mut self, place: Place) -> Result<(), Fault> {
        if let Rows::Objects(objects) = &mut self.rows {
            objects.skip(place.rows)?;
        }
        self.place = place;
        Ok(())
    }

    /// The next rows; `None` after the last. A part ends where its row group does.
    pub(super) fn next(&mut self) -> Result<Option<Part>, Fault> {
        let mut part = Part::after(self.place, self.request_bytes);
        match &mut self.rows {
            Rows::Objects(objects) => {
                while !part.is_full(self.request_bytes, part.text.len()) && objects.read(&mut part, &mut self.place)? {}
                part.after = self.place;
                Ok((!part.rows.is_empty()).then_some(part))
            }
            Rows::Columns { chosen, group } => {
                let number = usize::try_from(self.place.offset).unwrap_or(usize::MAX);
                if number >= self.file.file.num_row_groups() {
                    return Ok(None);
                }
                let group = match group {
                    Some(group) => group,
                    None => group.insert(Box::new(Group::open(&self.file, number, chosen)?)),
                };
                while !part.is_full(self.request_bytes, 0) {
                    let row = self.place.rows;
                    let Some(id) = group.ids.next(row)? else {
                        part.ends_group = true;
                        break;
                    };
                    let target = match (&chosen.target, &mut group.targets) {
                        (Target::Domain(domain), _) => Some(*domain),
                        (Target::Column(_), Some(targets)) => targets.next(row)?.and_then(part::domain),
                        (Target::Column(_), None) => None,
                    };
                    self.place.rows += 1;
                    let asks = part.push(id, target);
                    part.rows.push(Row { insert: 0, end: 0, asks });
                }
                if part.ends_group {
                    self.place.offset += 1;
                    self.rows = Rows::Columns { chosen: chosen.clone(), group: None };
                }
                part.after = self.place;
                Ok(Some(part))
            }
        }
    }
}

impl Group {
    fn open(file: &Input, number: usize, chosen: &Chosen) -> Result<Self, Fault> {
        let cells = |leaf| Cells::open(file, number, leaf);
        let targets = match chosen.target {
            Target::Domain(_) => None,
            Target::Column(leaf) => Some(cells(leaf)?),
        };
        Ok(Self { ids: cells(chosen.column)?, targets })
    }
}

/// The crate's words without its own name, in one line.
fn said(cause: &ParquetError) -> String {
    let text = cause.to_string();
    let text = text.strip_prefix("Parquet error: ").unwrap_or(&text);
    text.chars().map(|char| if char.is_control() { ' ' } else { char }).take(200).collect()
}
