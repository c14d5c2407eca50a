//! Writes one row group: copied columns and the two added ones, or columns of strings only.

use std::io;

use ::parquet::data_type::ByteArrayType;
use tokio::sync::mpsc::Receiver;

use super::{
    copy::copied_chunk,
    error::io_error,
    error_codes::ErrorCodes,
    file::ParquetFile,
    footer::{FileWriter, save_footer},
};
use crate::{
    checkpoint::Checkpointer,
    position::Position,
    rendered::{Message, Rendered, RenderedRows},
    stats::Stats,
    string_column::StringColumn,
};

/// The size in memory at which a row group of strings is written.
const GROUP_BYTES: usize = 48 << 20;

/// How writing a row group ended.
pub(super) enum GroupEnd {
    /// It is written, and more rows may follow.
    Written,
    /// There are no more rows. `None` means that the channel was closed.
    Last(Option<Message>),
}

/// Copies the next row group's columns from `input`, then writes the added ones from the rows that
/// are received.
pub(super) fn write_copied(
    writer: &mut FileWriter,
    input: &ParquetFile,
    checkpointer: &mut Checkpointer,
    messages: &mut Receiver<Message>,
) -> io::Result<GroupEnd> {
    let mut next = messages.blocking_recv();
    if !matches!(next, Some(Message::Rows(_))) {
        return Ok(GroupEnd::Last(next));
    }
    let number = writer.flushed_row_groups().len();
    let mut group = writer.next_row_group().map_err(io_error)?;
    let metadata = input.metadata().row_group(number);
    let page_index = input.metadata().page_index_for_row_group(number);
    for index in 0..metadata.num_columns() {
        let mut chunk = copied_chunk(metadata, index);
        chunk.column_index = page_index.column_index(index).cloned();
        chunk.offset_index = page_index.offset_index(index).cloned();
        group.append_column(input.bytes(), chunk).map_err(io_error)?;
    }
    let (mut codes, mut stats) = (ErrorCodes::default(), Stats::default());
    let mut column = group.next_column().map_err(io_error)?.expect("the schema has two more columns");
    let after = loop {
        let Some(Message::Rows(rendered)) = next else { return Ok(GroupEnd::Last(None)) };
        let Rendered { rows, rejects, stats: chunk_stats, after, ends_group, .. } = *rendered;
        checkpointer.reject(&rejects)?;
        stats.merge(&chunk_stats);
        if let RenderedRows::Columns(columns) = rows {
            let [ids, chunk_codes] = <[StringColumn; 2]>::try_from(columns).expect("the renderer returns the two added columns");
            codes.push(&chunk_codes)?;
            let (values, levels) = ids.into_values();
            column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None).map_err(io_error)?;
        }
        if ends_group {
            break after;
        }
        next = messages.blocking_recv();
    };
    column.close().map_err(io_error)?;
    codes.write(&mut group)?;
    group.close().map_err(io_error)?;
    complete(writer, checkpointer, &stats, after)?;
    Ok(GroupEnd::Written)
}

/// Writes a row group of string columns from the rows that are received.
pub(super) fn write_strings(
    writer: &mut FileWriter,
    checkpointer: &mut Checkpointer,
    messages: &mut Receiver<Message>,
) -> io::Result<GroupEnd> {
    let mut chunks: Vec<Vec<StringColumn>> = Vec::new();
    let (mut bytes, mut stats, mut after) = (0, Stats::default(), None);
    let end = loop {
        match messages.blocking_recv() {
            Some(Message::Rows(rendered)) => {
                checkpointer.reject(&rendered.rejects)?;
                stats.merge(&rendered.stats);
                after = Some(rendered.after);
                if let RenderedRows::Columns(columns) = rendered.rows {
                    bytes += columns.iter().map(StringColumn::bytes).sum::<usize>();
                    chunks.push(columns);
                }
                if bytes >= GROUP_BYTES {
                    break GroupEnd::Written;
                }
            }
            Some(Message::End) => break GroupEnd::Last(Some(Message::End)),
            // The rows of an incomplete row group are read again by a later run.
            stopped => return Ok(GroupEnd::Last(stopped)),
        }
    };
    let Some(after) = after else { return Ok(end) };
    let mut group = writer.next_row_group().map_err(io_error)?;
    let mut columns: Vec<_> = chunks.into_iter().map(Vec::into_iter).collect();
    while let Some(mut column) = group.next_column().map_err(io_error)? {
        for strings in columns.iter_mut().filter_map(Iterator::next) {
            let (values, levels) = strings.into_values();
            column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None).map_err(io_error)?;
        }
        column.close().map_err(io_error)?;
    }
    group.close().map_err(io_error)?;
    complete(writer, checkpointer, &stats, after)?;
    Ok(end)
}

/// Advances the checkpoint after a row group is written.
fn complete(writer: &mut FileWriter, checkpointer: &mut Checkpointer, stats: &Stats, after: Position) -> io::Result<()> {
    writer.flush()?;
    checkpointer.advance(writer.inner().bytes(), stats, after);
    if checkpointer.is_due() {
        save_footer(writer, checkpointer)?;
        checkpointer.write(writer.inner())?;
    }
    Ok(())
}
