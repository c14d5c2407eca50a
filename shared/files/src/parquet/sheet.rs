//! Writes a Parquet file: columns that are copied as they are and two new ones, or columns of text alone.

use std::{
    fs::{self, File},
    io,
    sync::Arc,
};

use ::parquet::{
    basic::{Compression, LogicalType, Repetition, Type as Physical},
    column::writer::ColumnCloseResult,
    data_type::ByteArrayType,
    errors::ParquetError,
    file::{
        metadata::{
            ColumnChunkMetaData, FileMetaData, KeyValue, ParquetMetaData, ParquetMetaDataReader, ParquetMetaDataWriter, RowGroupMetaData,
        },
        properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder},
        reader::FileReader,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::types::{ColumnPath, Type},
};
use tokio::sync::mpsc::Receiver;

use super::{
    super::{
        column::Column,
        output::Output,
        part::Place,
        render::{Piece, Rendered, Renderer},
        strings::Strings,
        tally::Tally,
        writing::{Failed, Ledger, Next, Written},
    },
    Input, Positioned, said,
};

/// How much text makes a row group.
const GROUP_BYTES: usize = 48 << 20;
/// How many codes are written at once.
const CODES: usize = 1 << 16;
/// What Arrow's writers say of their schema in a file, which has two columns less than this one.
const ARROW_SCHEMA: &str = "ARROW:schema";

/// A Parquet file that is to be written.
pub(crate) struct Sheet {
    copied: Option<Input>,
    schema: Arc<Type>,
    properties: Arc<WriterProperties>,
}

type Writer = SerializedFileWriter<Output>;

/// How writing a row group ended.
enum Ended {
    /// It is written.
    Group,
    /// There are no more rows, or somebody stopped it.
    All(Option<Next>),
}

/// The codes of a row group's rows, of which there are few.
#[derive(Default)]
struct Codes {
    known: Vec<String>,
    /// The code of each row, from 1.
    rows: Vec<u16>,
}

impl Sheet {
    /// A file with the columns of `copied`, or else with the columns that the renderer names, and two more.
    pub(crate) fn new(copied: Option<Input>, renderer: &Renderer, ids: &Column) -> Result<Self, ParquetError> {
        let text = |name: &String| {
            let column = Type::primitive_type_builder(name, Physical::BYTE_ARRAY).with_repetition(Repetition::OPTIONAL);
            column.with_logical_type(Some(LogicalType::String)).build().map(Arc::new)
        };
        let added = renderer.added.iter().map(text).collect::<Result<Vec<_>, _>>()?;
        let [translated, code] = renderer.added.each_ref().map(|name| ColumnPath::new(vec![name.clone()]));
        // Every translated id is a new value: neither a dictionary nor statistics help to find one.
        let properties = WriterProperties::builder()
            .set_column_dictionary_enabled(translated.clone(), false)
            .set_column_statistics_enabled(translated, EnabledStatistics::None)
            .set_column_statistics_enabled(code, EnabledStatistics::Chunk);
        let (name, fields, properties) = if let Some(input) = &copied {
            let metadata = input.file.metadata().file_metadata();
            let root = metadata.schema();
            let told = metadata.key_value_metadata().cloned().unwrap_or_default();
            let told: Vec<KeyValue> = told.into_iter().filter(|told| told.key != ARROW_SCHEMA).collect();
            let properties = properties.set_compression(input.compression()).set_key_value_metadata(Some(told));
            (root.name().to_owned(), root.get_fields().to_vec(), properties)
        } else {
            let fields = renderer.names.iter().map(text).collect::<Result<_, _>>()?;
            let ids = ColumnPath::new(vec![ids.name()]);
            let properties = properties.set_compression(Compression::SNAPPY).set_column_dictionary_enabled(ids, false);
            ("schema".into(), fields, properties)
        };
        let schema = Type::group_type_builder(&name).with_fields([fields, added].concat()).build()?;
        Ok(Self { copied, schema: Arc::new(schema), properties: Arc::new(WriterPropertiesBuilder::build(properties)) })
    }

    /// Writes rows until there are no more.
    pub(crate) fn write(self, output: Output, mut ledger: Ledger, head: &[u8], mut rows: Receiver<Next>) -> Result<Written, Failed> {
        let begun = SerializedFileWriter::new(output, self.schema.clone(), self.properties.clone()).map_err(io_error);
        let begun = begun.and_then(|mut writer| {
            if ledger.done.place == Place::default() {
                ledger.reject(head)?;
            } else {
                replay(&mut writer, &ledger)?;
            }
            Ok(writer)
        });
        let mut writer = begun.map_err(|cause| Failed { cause, left: None })?;
        let last = loop {
            let group = match &self.copied {
                Some(input) => copied_group(&mut writer, input, &mut ledger, &mut rows),
                None => text_group(&mut writer, &mut ledger, &mut rows),
            };
            match group {
                Ok(Ended::Group) => {}
                Ok(Ended::All(last)) => break Ok(last),
                Err(cause) => break Err(cause),
            }
        };
        match last {
            Ok(Some(Next::End)) => match writer.into_inner() {
                Ok(output) => ledger.finish(output),
                Err(cause) => Err(Failed { cause: io_error(cause), left: None }),
            },
            Ok(Some(Next::Discard)) => {
                ledger.discard();
                Ok(Written::Left(None))
            }
            Ok(_) => Ok(Written::Left(suspend(&mut writer, &mut ledger))),
            Err(cause) => Err(Failed { cause, left: suspend(&mut writer, &mut ledger) }),
        }
    }
}

impl Codes {
    fn push(&mut self, refused: &Strings) -> io::Result<()> {
        for code in refused.iter() {
            let number = match code {
                None => 0,
                Some(code) => {
                    let place = self.known.iter().position(|known| known == code);
                    1 + place.unwrap_or_else(|| {
                        self.known.push(code.into());
                        self.known.len() - 1
                    })
                }
            };
            self.rows.push(u16::try_from(number).map_err(|_| io::Error::other("the server answers with too many codes"))?);
        }
        Ok(())
    }

    fn write(&self, group: &mut SerializedRowGroupWriter<'_, Output>) -> io::Result<()> {
        let mut column = group.next_column().map_err(io_error)?.expect("the schema has a column for the codes");
        for rows in self.rows.chunks(CODES) {
            let mut strings = Strings::default();
            for row in rows {
                strings.push(usize::from(*row).checked_sub(1).map(|place| &*self.known[place]));
            }
            let (values, levels) = strings.into_values();
            column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None).map_err(io_error)?;
        }
        column.close().map_err(io_error)
    }
}

/// What there is to say about a column chunk that is copied.
fn copied(group: &RowGroupMetaData, index: usize, metadata: ColumnChunkMetaData) -> ColumnCloseResult {
    ColumnCloseResult {
        bytes_written: u64::try_from(group.column(index).compressed_size()).unwrap_or(0),
        rows_written: u64::try_from(group.num_rows()).unwrap_or(0),
        metadata,
        bloom_filter: None,
        column_index: None,
        offset_index: None,
    }
}

/// The cause of what the crate says, where it is the system's.
fn io_error(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(cause) => match cause.downcast::<io::Error>() {
            Ok(cause) => *cause,
            Err(cause) => io::Error::other(cause),
        },
        error => io::Error::other(said(&error)),
    }
}

/// Copies the next row group's columns, and writes the new ones behind them as their rows come.
fn copied_group(writer: &mut Writer, input: &Input, ledger: &mut Ledger, rows: &mut Receiver<Next>) -> io::Result<Ended> {
    let mut next = rows.blocking_recv();
    if !matches!(next, Some(Next::Rows(_))) {
        return Ok(Ended::All(next));
    }
    let number = writer.flushed_row_groups().len();
    let metadata = input.file.metadata();
    let mut group = writer.next_row_group().map_err(io_error)?;
    let indexes = metadata.page_index_for_row_group(number);
    for (index, column) in metadata.row_group(number).columns().iter().enumerate() {
        let mut close = copied(metadata.row_group(number), index, column.clone());
        close.column_index = indexes.column_index(index).cloned();
        close.offset_index = indexes.offset_index(index).cloned();
        group.append_column(&input.bytes, close).map_err(io_error)?;
    }
    let (mut codes, mut tally) = (Codes::default(), Tally::default());
    let mut column = group.next_column().map_err(io_error)?.expect("the schema has two columns more");
    let after = loop {
        let Some(Next::Rows(rendered)) = next else { return Ok(Ended::All(None)) };
        let Rendered { rows: piece, rejects, tally: counted, after, ends_group, .. } = *rendered;
        ledger.reject(&rejects)?;
        tally.merge(&counted);
        if let Piece::Columns(columns) = piece {
            let [ids, refused] = <[Strings; 2]>::try_from(columns).expect("the renderer makes the two new columns");
            codes.push(&refused)?;
            let (values, levels) = ids.into_values();
            column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None).map_err(io_error)?;
        }
        if ends_group {
            break after;
        }
        next = rows.blocking_recv();
    };
    column.close().map_err(io_error)?;
    codes.write(&mut group)?;
    group.close().map_err(io_error)?;
    finished(writer, ledger, &tally, after)?;
    Ok(Ended::Group)
}

/// Writes a row group of text, as large as memory allows.
fn text_group(writer: &mut Writer, ledger: &mut Ledger, rows: &mut Receiver<Next>) -> io::Result<Ended> {
    let mut parts: Vec<Vec<Strings>> = Vec::new();
    let (mut bytes, mut tally, mut after) = (0, Tally::default(), None);
    let ended = loop {
        match rows.blocking_recv() {
            Some(Next::Rows(rendered)) => {
                ledger.reject(&rendered.rejects)?;
                tally.merge(&rendered.tally);
                after = Some(rendered.after);
                if let Piece::Columns(columns) = rendered.rows {
                    bytes += columns.iter().map(Strings::bytes).sum::<usize>();
                    parts.push(columns);
                }
                if bytes >= GROUP_BYTES {
                    break Ended::Group;
                }
            }
            Some(Next::End) => break Ended::All(Some(Next::End)),
            // What was stopped is no whole row group: it is read again later.
            stopped => return Ok(Ended::All(stopped)),
        }
    };
    let Some(after) = after else { return Ok(ended) };
    let mut group = writer.next_row_group().map_err(io_error)?;
    let mut columns: Vec<_> = parts.into_iter().map(Vec::into_iter).collect();
    while let Some(mut column) = group.next_column().map_err(io_error)? {
        for strings in columns.iter_mut().filter_map(Iterator::next) {
            let (values, levels) = strings.into_values();
            column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None).map_err(io_error)?;
        }
        column.close().map_err(io_error)?;
    }
    group.close().map_err(io_error)?;
    finished(writer, ledger, &tally, after)?;
    Ok(ended)
}

/// Accounts for a row group that is written.
fn finished(writer: &mut Writer, ledger: &mut Ledger, tally: &Tally, after: Place) -> io::Result<()> {
    writer.flush()?;
    ledger.account(writer.inner().bytes(), tally, after);
    if ledger.is_due() {
        leave_footer(writer, ledger)?;
        ledger.checkpoint(writer.inner())?;
    }
    Ok(())
}

fn suspend(writer: &mut Writer, ledger: &mut Ledger) -> Option<u64> {
    if leave_footer(writer, ledger).is_err() {
        ledger.discard();
        return None;
    }
    ledger.suspend(writer.inner_mut())
}

/// Writes down where the finished row groups' columns are, beside the journal.
fn leave_footer(writer: &Writer, ledger: &Ledger) -> io::Result<()> {
    let Some(journal) = &ledger.journal else { return Ok(()) };
    let groups = writer.flushed_row_groups().to_vec();
    let rows = groups.iter().map(RowGroupMetaData::num_rows).sum();
    let schema = groups.first().map(RowGroupMetaData::schema_descr_ptr);
    let Some(schema) = schema else { return Ok(()) };
    let footer = ParquetMetaData::new(FileMetaData::new(1, rows, None, None, schema, None), groups);
    let draft = journal.companion().with_extension("footer.new");
    ParquetMetaDataWriter::new(File::create(&draft)?, &footer).finish().map_err(io_error)?;
    fs::rename(draft, journal.companion())
}

/// Takes an earlier run's finished row groups from its draft. The output has these bytes already, and only takes their digest.
fn replay(writer: &mut Writer, ledger: &Ledger) -> io::Result<()> {
    let Some((journal, draft)) = ledger.journal.as_ref().zip(writer.inner().draft()) else { return Ok(()) };
    let draft = Positioned(Arc::new(File::open(draft)?));
    let footer = ParquetMetaDataReader::new().parse_and_finish(&File::open(journal.companion())?).map_err(io_error)?;
    let groups = ledger.done.groups(footer.row_groups().iter().map(RowGroupMetaData::num_rows));
    for metadata in footer.row_groups().iter().take(groups) {
        let mut group = writer.next_row_group().map_err(io_error)?;
        for (index, column) in metadata.columns().iter().enumerate() {
            group.append_column(&draft, copied(metadata, index, column.clone())).map_err(io_error)?;
        }
        group.close().map_err(io_error)?;
    }
    writer.flush()?;
    if writer.inner().bytes() == ledger.done.output {
        Ok(())
    } else {
        Err(io::Error::other("the earlier run's draft is not what its journal says: remove it to start over"))
    }
}
