//! Resumes a Parquet output: the footer of its finished row groups is saved beside the journal, and
//! a later run replays them from the draft.

use std::{
    fs::{self, File},
    io,
};

use ::parquet::file::{
    metadata::{FileMetaData, ParquetMetaData, ParquetMetaDataReader, ParquetMetaDataWriter, RowGroupMetaData},
    writer::SerializedFileWriter,
};

use super::{copy::copied_chunk, error::io_error, file::SharedFile};
use crate::{checkpoint::Checkpointer, output::Output};

pub(super) type FileWriter = SerializedFileWriter<Output>;

/// Saves the metadata of the finished row groups.
pub(super) fn save_footer(writer: &FileWriter, checkpointer: &Checkpointer) -> io::Result<()> {
    let Some(journal) = &checkpointer.journal else { return Ok(()) };
    let groups = writer.flushed_row_groups().to_vec();
    let rows = groups.iter().map(RowGroupMetaData::num_rows).sum();
    let schema = groups.first().map(RowGroupMetaData::schema_descr_ptr);
    let Some(schema) = schema else { return Ok(()) };
    let footer = ParquetMetaData::new(FileMetaData::new(1, rows, None, None, schema, None), groups);
    let draft = journal.footer_path().with_extension("footer.new");
    ParquetMetaDataWriter::new(File::create(&draft)?, &footer).finish().map_err(io_error)?;
    fs::rename(draft, journal.footer_path())
}

/// Appends an earlier run's finished row groups from its draft. The output holds these bytes
/// already and only hashes them.
pub(super) fn replay(writer: &mut FileWriter, checkpointer: &Checkpointer) -> io::Result<()> {
    let Some((journal, draft)) = checkpointer.journal.as_ref().zip(writer.inner().draft()) else { return Ok(()) };
    let draft = SharedFile::new(File::open(draft)?);
    let footer = ParquetMetaDataReader::new().parse_and_finish(&File::open(journal.footer_path())?).map_err(io_error)?;
    let groups = checkpointer.checkpoint.row_groups(footer.row_groups().iter().map(RowGroupMetaData::num_rows));
    for metadata in footer.row_groups().iter().take(groups) {
        let mut group = writer.next_row_group().map_err(io_error)?;
        for index in 0..metadata.num_columns() {
            group.append_column(&draft, copied_chunk(metadata, index)).map_err(io_error)?;
        }
        group.close().map_err(io_error)?;
    }
    writer.flush()?;
    if writer.inner().bytes() == checkpointer.checkpoint.output_bytes {
        Ok(())
    } else {
        Err(io::Error::other("the earlier run's draft does not match its journal: remove it to start over"))
    }
}
