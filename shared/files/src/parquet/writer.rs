//! Writes a Parquet file: a copy of the input's columns and two added ones, or string columns only.

use std::{io, sync::Arc};

use ::parquet::{
    basic::{Compression, LogicalType, Repetition, Type as Physical},
    errors::ParquetError,
    file::{
        metadata::KeyValue,
        properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder},
        writer::SerializedFileWriter,
    },
    schema::types::{ColumnPath, Type},
};
use tokio::sync::mpsc::Receiver;

use super::{
    error::io_error,
    file::ParquetFile,
    footer::{FileWriter, replay, save_footer},
    row_group::{self, GroupEnd},
};
use crate::{
    checkpoint::{Checkpointer, WriteError, WriteOutcome},
    options::Options,
    output::Output,
    position::Position,
    rendered::Message,
    schema::Schema,
};

/// The metadata key of Arrow's schema. It is not copied, because it lacks the added columns.
const ARROW_SCHEMA: &str = "ARROW:schema";

/// Writes a Parquet file.
pub(crate) struct ParquetWriter {
    /// The file whose columns are copied; without it, all columns are strings.
    copied: Option<ParquetFile>,
    schema: Arc<Type>,
    properties: Arc<WriterProperties>,
}

impl ParquetWriter {
    /// A writer of the input's columns and two added ones.
    pub(crate) fn new(schema: &Schema, options: &Options) -> io::Result<Self> {
        Self::build(schema, options).map_err(io::Error::other)
    }

    fn build(input: &Schema, options: &Options) -> Result<Self, ParquetError> {
        let string = |name: &String| {
            let column = Type::primitive_type_builder(name, Physical::BYTE_ARRAY).with_repetition(Repetition::OPTIONAL);
            column.with_logical_type(Some(LogicalType::String)).build().map(Arc::new)
        };
        let names = options.added_names();
        let added = names.iter().map(string).collect::<Result<Vec<_>, _>>()?;
        let [translated, code] = names.map(|name| ColumnPath::new(vec![name]));
        // Translated ids are distinct: dictionary and statistics only cost space and time.
        let properties = WriterProperties::builder()
            .set_column_dictionary_enabled(translated.clone(), false)
            .set_column_statistics_enabled(translated, EnabledStatistics::None)
            .set_column_statistics_enabled(code, EnabledStatistics::Chunk);
        let (name, fields, properties) = if let Some(file) = &input.copied {
            let metadata = file.metadata().file_metadata();
            let root = metadata.schema();
            let key_values = metadata.key_value_metadata().cloned().unwrap_or_default();
            let key_values: Vec<KeyValue> = key_values.into_iter().filter(|entry| entry.key != ARROW_SCHEMA).collect();
            let properties = properties.set_compression(file.compression()).set_key_value_metadata(Some(key_values));
            (root.name().to_owned(), root.get_fields().to_vec(), properties)
        } else {
            let fields = input.names.iter().map(string).collect::<Result<_, _>>()?;
            let ids = ColumnPath::new(vec![options.column.name()]);
            let properties = properties.set_compression(Compression::SNAPPY).set_column_dictionary_enabled(ids, false);
            ("schema".into(), fields, properties)
        };
        let schema = Type::group_type_builder(&name).with_fields([fields, added].concat()).build()?;
        let properties = Arc::new(WriterPropertiesBuilder::build(properties));
        Ok(Self { copied: input.copied.clone(), schema: Arc::new(schema), properties })
    }

    /// Writes rows, row group by row group, until the last message.
    pub(crate) fn write(
        self,
        output: Output,
        mut checkpointer: Checkpointer,
        rejects_header: &[u8],
        mut messages: Receiver<Message>,
    ) -> Result<WriteOutcome, WriteError> {
        let started = self.start(output, &mut checkpointer, rejects_header);
        let mut writer = started.map_err(|cause| WriteError { cause, kept_rows: None })?;
        let last = loop {
            let group = match &self.copied {
                Some(file) => row_group::write_copied(&mut writer, file, &mut checkpointer, &mut messages),
                None => row_group::write_strings(&mut writer, &mut checkpointer, &mut messages),
            };
            match group {
                Ok(GroupEnd::Written) => {}
                Ok(GroupEnd::Last(last)) => break Ok(last),
                Err(cause) => break Err(cause),
            }
        };
        match last {
            Ok(Some(Message::End)) => match writer.into_inner() {
                Ok(output) => checkpointer.finish(output),
                Err(cause) => Err(WriteError { cause: io_error(cause), kept_rows: None }),
            },
            Ok(Some(Message::Discard)) => {
                checkpointer.discard();
                Ok(WriteOutcome::Suspended(None))
            }
            Ok(_) => Ok(WriteOutcome::Suspended(suspend(&mut writer, &mut checkpointer))),
            Err(cause) => Err(WriteError { cause, kept_rows: suspend(&mut writer, &mut checkpointer) }),
        }
    }

    /// Starts the file, with an earlier run's row groups if the run is resumed.
    fn start(&self, output: Output, checkpointer: &mut Checkpointer, rejects_header: &[u8]) -> io::Result<FileWriter> {
        let mut writer = SerializedFileWriter::new(output, self.schema.clone(), self.properties.clone()).map_err(io_error)?;
        if checkpointer.checkpoint.position == Position::default() {
            checkpointer.reject(rejects_header)?;
        } else {
            replay(&mut writer, checkpointer)?;
        }
        Ok(writer)
    }
}

/// Keeps the finished row groups for a later run and returns their number of rows.
fn suspend(writer: &mut FileWriter, checkpointer: &mut Checkpointer) -> Option<u64> {
    if save_footer(writer, checkpointer).is_err() {
        checkpointer.discard();
        return None;
    }
    checkpointer.suspend(writer.inner_mut())
}
