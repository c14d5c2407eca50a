//! Where rendered rows go: a text file or a Parquet file, and the rejects file beside it.

use std::io;

use tokio::sync::mpsc::Receiver;

use crate::{
    checkpoint::{Checkpointer, WriteError, WriteOutcome},
    error::Error,
    header::Headers,
    journal::Checkpoint,
    layout::Layout,
    location::Location,
    options::Options,
    output::Output,
    parquet::writer::ParquetWriter,
    rendered::Message,
    schema::Schema,
    text_writer::write_text,
};

/// Writes rendered rows in the output's format.
pub(crate) struct Sink {
    headers: Headers,
    /// `None` for text.
    parquet: Option<Box<ParquetWriter>>,
}

impl Sink {
    pub(crate) fn new(schema: &Schema, options: &Options) -> io::Result<Self> {
        let parquet = match options.output_layout() {
            Layout::Columns => Some(Box::new(ParquetWriter::new(schema, options)?)),
            Layout::Delimited(_) | Layout::JsonLines => None,
        };
        Ok(Self { headers: Headers::new(schema, options), parquet })
    }

    /// Creates the output and the rejects file, of which the rows of `checkpoint` are kept.
    pub(crate) fn create_outputs(&self, options: &Options, checkpoint: &Checkpoint) -> Result<(Output, Option<Output>), Error> {
        // A Parquet writer has to write the row groups again that the draft holds.
        let create = if self.parquet.is_some() { Output::create_replayed } else { Output::create };
        let output = create(&options.output, options.store.as_ref(), checkpoint.output_bytes);
        let output = output.map_err(|cause| Error::output(&options.output, cause))?;
        let rejects = options.rejects.clone().map(|path| {
            let location = Location::Local(path);
            Output::create(&location, None, checkpoint.rejects_bytes).map_err(|cause| Error::output(&location, cause))
        });
        Ok((output, rejects.transpose()?))
    }

    /// Writes rows until the last message.
    pub(crate) fn write(self, output: Output, checkpointer: Checkpointer, messages: Receiver<Message>) -> Result<WriteOutcome, WriteError> {
        match self.parquet {
            Some(writer) => writer.write(output, checkpointer, &self.headers.rejects, messages),
            None => write_text(output, checkpointer, &self.headers, messages),
        }
    }
}
