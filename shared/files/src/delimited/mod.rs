//! Delimited text, such as CSV: rows whose bytes stay as they are, with two fields appended.

mod scan;

use std::{io::Read, ops::Range};

use shared::identity::Domain;

use crate::{
    chunk::{self, Chunk, Row, RowKind},
    column::{self, Column, SelectedColumns, Target},
    input::{self, READ_BYTES},
    input_error::InputError,
    position::Position,
};
use scan::{Incomplete, RowEnd, Scanner};
pub(crate) use scan::{unquote, write_field};

const BOM: &[u8] = b"\xEF\xBB\xBF";
/// Maximum length of a row. Without it, an unterminated quote reads the whole file into memory.
const MAX_ROW_BYTES: usize = 32 << 20;

/// The header row. A file without one has at most a byte order mark here.
#[derive(Debug, Default)]
pub(crate) struct Header {
    /// Its bytes, with a byte order mark and without its line ending.
    pub(crate) text: Vec<u8>,
    /// Its line ending.
    pub(crate) line_ending: Vec<u8>,
    /// The columns' names; empty if the file has no header.
    pub(crate) names: Vec<Vec<u8>>,
}

impl Header {
    /// Whether the file has a header row.
    pub(crate) const fn is_present(&self) -> bool {
        !self.names.is_empty()
    }

    /// The header row with more columns; the byte order mark alone if there is no header row.
    pub(crate) fn with_columns(&self, names: &[&str], delimiter: u8) -> Vec<u8> {
        let mut row = self.text.clone();
        if self.is_present() {
            for name in names {
                row.push(delimiter);
                write_field(&mut row, name.as_bytes(), delimiter);
            }
            row.extend_from_slice(&self.line_ending);
        }
        row
    }
}

/// The ranges of a row's fields.
pub(crate) fn fields(row: &[u8], delimiter: u8) -> Vec<Range<usize>> {
    let mut scanner = Scanner::new(delimiter);
    // The scanner finds no row in an empty text, which is a row of one empty field here.
    if scanner.row(row, 0, true).is_err() {
        scanner.fields.push(0..0);
    }
    scanner.fields
}

/// Reads a file's rows, chunk by chunk.
pub(crate) struct Reader {
    input: Box<dyn Read + Send>,
    delimiter: u8,
    selected: SelectedColumns,
    /// The number of columns of every row; without a header, the first row gives it.
    width: Option<usize>,
    /// What has been read and not returned yet.
    buf: Vec<u8>,
    /// Whether `buf` holds the end of the input.
    ended: bool,
    position: Position,
    max_request_bytes: usize,
}

impl Reader {
    /// Reads the header, if `column` is named. A byte order mark is not part of the first field.
    pub(crate) fn new(
        input: Box<dyn Read + Send>,
        delimiter: u8,
        column: &Column,
        target: &Target,
        max_request_bytes: usize,
    ) -> Result<(Self, Header), InputError> {
        let (selected, position) = (SelectedColumns::default(), Position::default());
        let mut reader = Self { input, delimiter, selected, width: None, buf: Vec::new(), ended: false, position, max_request_bytes };
        while reader.buf.len() < BOM.len() && !reader.ended {
            reader.read_more()?;
        }
        if reader.buf.starts_with(b"\xFF\xFE") || reader.buf.starts_with(b"\xFE\xFF") {
            return Err(InputError::Utf16);
        }
        let bom = if reader.buf.starts_with(BOM) { BOM.len() } else { 0 };
        let Column::Named(name) = column else {
            reader.selected = column::select_numbered(column, target)?;
            let header = Header { text: reader.buf.drain(..bom).collect(), ..Header::default() };
            reader.position.offset = bom as u64;
            return Ok((reader, header));
        };
        let mut scanner = Scanner::new(delimiter);
        let found = loop {
            match scanner.row(&reader.buf, bom, reader.ended) {
                Ok(found) => break found,
                Err(Incomplete::EndOfInput) => return Err(InputError::Empty { column: name.clone() }),
                Err(incomplete) => reader.read_more_for(incomplete, bom)?,
            }
        };
        let names: Vec<_> = scanner.fields.iter().map(|field| unquote(&reader.buf[field.clone()]).into_owned()).collect();
        reader.selected = column::select_named(column, target, &names)?;
        reader.width = Some(names.len());
        reader.position = Position { offset: found.next as u64, lines: found.inner_lines + 1, rows: 0 };
        let mut text: Vec<_> = reader.buf.drain(..found.next).collect();
        let line_ending = text.split_off(found.end);
        Ok((reader, Header { text, line_ending, names }))
    }

    /// Names for the columns of a file without a header, as many as its first row has fields.
    pub(crate) fn numbered_names(&self) -> Vec<String> {
        let mut scanner = Scanner::new(self.delimiter);
        let first = scanner.row(&self.buf, 0, self.ended);
        let columns = if first.is_ok() { scanner.fields.len() } else { 0 };
        (1..=columns).map(|number| format!("column_{number}")).collect()
    }

    /// Skips to the position at which an earlier run stopped.
    pub(crate) fn skip_to(&mut self, position: Position) -> Result<(), InputError> {
        input::skip(&mut self.buf, &mut self.input, position.offset - self.position.offset)?;
        self.position = position;
        Ok(())
    }

    /// The next rows; `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<Chunk>, InputError> {
        let mut chunk = Chunk::after(self.position, self.max_request_bytes);
        let (mut scanner, mut start) = (Scanner::new(self.delimiter), 0);
        while !chunk.is_full(self.max_request_bytes, start) {
            match scanner.row(&self.buf, start, self.ended) {
                Ok(found) => {
                    let kind = self.read_row(&mut chunk, start, found, &scanner.fields)?;
                    chunk.rows.push(Row { insert: found.end, end: found.next, kind });
                    start = found.next;
                }
                Err(Incomplete::EndOfInput) => break,
                Err(incomplete) => self.read_more_for(incomplete, start)?,
            }
        }
        chunk.text = input::take_front(&mut self.buf, start);
        self.position.offset += start as u64;
        chunk.after = self.position;
        Ok((!chunk.rows.is_empty()).then_some(chunk))
    }

    fn read_row(&mut self, chunk: &mut Chunk, start: usize, found: RowEnd, fields: &[Range<usize>]) -> Result<RowKind, InputError> {
        let line = self.position.lines + 1;
        self.position.lines += found.inner_lines + 1;
        let expected = *self.width.get_or_insert(fields.len());
        if let Some(column) = self.selected.out_of_range(expected) {
            return Err(InputError::ColumnOutOfRange { number: column + 1, columns: expected });
        }
        if found.end == start && expected > 1 {
            return Ok(RowKind::EmptyLine);
        }
        self.position.rows += 1;
        if fields.len() != expected {
            return Err(InputError::RaggedRow { row: self.position.rows, line, found: fields.len(), expected });
        }
        let target: Option<Domain> = match self.selected.target {
            Target::Domain(domain) => Some(domain),
            Target::Column(index) => chunk::parse_domain(&unquote(&self.buf[fields[index].clone()])),
        };
        Ok(chunk.push(&unquote(&self.buf[fields[self.selected.id].clone()]), target))
    }

    /// Reads more of a row that starts at `start`, unless more bytes cannot complete it.
    fn read_more_for(&mut self, incomplete: Incomplete, start: usize) -> Result<(), InputError> {
        let line = self.position.lines + 1;
        if incomplete == Incomplete::UnterminatedQuote {
            return Err(InputError::UnterminatedQuote { line });
        }
        if self.buf.len() - start > MAX_ROW_BYTES {
            return Err(InputError::RowTooLong { line, max_megabytes: MAX_ROW_BYTES >> 20 });
        }
        self.read_more()
    }

    fn read_more(&mut self) -> Result<(), InputError> {
        // Each read scans a long row again from its start, so the reads grow with it.
        let bytes = READ_BYTES.max(self.buf.len() / 2);
        self.ended = input::read_more(&mut self.input, &mut self.buf, bytes)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
