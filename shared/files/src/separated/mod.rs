//! Separated values: rows as they are, with two columns more.

mod scan;

use std::{io::Read, ops::Range};

use shared::identity::Domain;

use super::{
    Fault,
    column::{self, Chosen, Column, Target},
    input,
    part::{self, Asks, Part, Place, Row},
};
use scan::{Found, Missing, Scanner};
pub(super) use scan::{value, write_field};

const BOM: &[u8] = b"\xEF\xBB\xBF";
/// More than any honest row has: a quote that nothing closes would otherwise read the whole file into memory.
const MAX_ROW_BYTES: usize = 32 << 20;
/// How much is read at once.
const STEP: usize = 1 << 18;

impl Head {
    /// The header with more columns.
    pub(super) fn with(&self, names: &[&str], delimiter: u8) -> Vec<u8> {
        let mut head = self.text.clone();
        for name in names {
            head.push(delimiter);
            write_field(&mut head, name.as_bytes(), delimiter);
        }
        head.extend_from_slice(&self.ending);
        head
    }
}

/// The fields' places in a row.
pub(super) fn fields(row: &[u8], delimiter: u8) -> Vec<Range<usize>> {
    let mut scanner = Scanner::new(delimiter);
    // Of an empty text no row is found, which has one empty field all the same.
    if scanner.row(row, 0, true).is_err() {
        scanner.fields.push(0..0);
    }
    scanner.fields
}

/// Reads a file's rows, part by part.
pub(super) struct Reader {
    input: Box<dyn Read + Send>,
    delimiter: u8,
    chosen: Chosen,
    /// How many columns each row has; without a header the first row says it.
    width: Option<usize>,
    /// What is read and belongs to the next part.
    rest: Vec<u8>,
    whole: bool,
    place: Place,
    request_bytes: usize,
}

/// The first row, where it is a header.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// Its bytes, with a byte order mark before it and without its end.
    pub(super) text: Vec<u8>,
    /// What ends it.
    pub(super) ending: Vec<u8>,
    /// The columns' names.
    pub(super) names: Vec<Vec<u8>>,
}

impl Reader {
    /// Reads the header, if there is one. A byte order mark is not part of the first field.
    pub(super) fn new(
        input: Box<dyn Read + Send>,
        delimiter: u8,
        column: &Column,
        target: &Target,
        request_bytes: usize,
    ) -> Result<(Self, Head), Fault> {
        let chosen = Chosen::default();
        let mut reader =
            Self { input, delimiter, chosen, width: None, rest: Vec::new(), whole: false, place: Place::default(), request_bytes };
        while reader.rest.len() < BOM.len() && !reader.whole {
            reader.read_more()?;
        }
        if reader.rest.starts_with(b"\xFF\xFE") || reader.rest.starts_with(b"\xFE\xFF") {
            return Err(Fault::Utf16);
        }
        let bom = if reader.rest.starts_with(BOM) { BOM.len() } else { 0 };
        let Column::Named(name) = column else {
            reader.chosen = column::numbered(column, target)?;
            let head = Head { text: reader.rest.drain(..bom).collect(), ..Head::default() };
            reader.place.offset = bom as u64;
            return Ok((reader, head));
        };
        let mut scanner = Scanner::new(delimiter);
        let found = loop {
            match scanner.row(&reader.rest, bom, reader.whole) {
                Ok(found) => break found,
                Err(Missing::Nothing) => return Err(Fault::Empty { column: name.clone() }),
                Err(missing) => reader.more_for(missing, bom)?,
            }
        };
        let names: Vec<_> = scanner.fields.iter().map(|field| value(&reader.rest[field.clone()]).into_owned()).collect();
        reader.chosen = column::named(column, target, &names)?;
        reader.width = Some(names.len());
        reader.place = Place { offset: found.next as u64, lines: found.lines + 1, rows: 0 };
        let mut text: Vec<_> = reader.rest.drain(..found.next).collect();
        let ending = text.split_off(found.end);
        Ok((reader, Head { text, ending, names }))
    }

    /// Names for the columns of a file without a header, as many as its first row has.
    pub(super) fn numbers(&self) -> Vec<String> {
        let mut scanner = Scanner::new(self.delimiter);
        let first = scanner.row(&self.rest, 0, self.whole);
        let columns = if first.is_ok() { scanner.fields.len() } else { 0 };
        (1..=columns).map(|number| format!("column_{number}")).collect()
    }

    /// Goes on where an earlier run stopped.
    pub(super) fn skip_to(&mut self, place: Place) -> Result<(), Fault> {
        input::skip(&mut self.rest, &mut self.input, place.offset - self.place.offset)?;
        self.place = place;
        Ok(())
    }

    /// The next rows; `None` after the last.
    pub(super) fn next(&mut self) -> Result<Option<Part>, Fault> {
        let mut part = Part::after(self.place, self.request_bytes);
        let (mut scanner, mut start) = (Scanner::new(self.delimiter), 0);
        while !part.is_full(self.request_bytes, start) {
            match scanner.row(&self.rest, start, self.whole) {
                Ok(found) => {
                    let asks = self.read_row(&mut part, start, found, &scanner.fields)?;
                    part.rows.push(Row { insert: found.end, end: found.next, asks });
                    start = found.next;
                }
                Err(Missing::Nothing) => break,
                Err(missing) => self.more_for(missing, start)?,
            }
        }
        part.text = input::split(&mut self.rest, start);
        self.place.offset += start as u64;
        part.after = self.place;
        Ok((!part.rows.is_empty()).then_some(part))
    }

    fn read_row(&mut self, part: &mut Part, start: usize, found: Found, fields: &[Range<usize>]) -> Result<Asks, Fault> {
        let line = self.place.lines + 1;
        self.place.lines += found.lines + 1;
        let expected = *self.width.get_or_insert(fields.len());
        if let Some(column) = self.chosen.beyond(expected) {
            return Err(Fault::NoNumber { number: column + 1, columns: expected });
        }
        if found.end == start && expected > 1 {
            return Ok(Asks::NoRow);
        }
        self.place.rows += 1;
        if fields.len() != expected {
            return Err(Fault::Ragged { row: self.place.rows, line, found: fields.len(), expected });
        }
        let target: Option<Domain> = match self.chosen.target {
            Target::Domain(domain) => Some(domain),
            Target::Column(index) => part::domain(&value(&self.rest[fields[index].clone()])),
        };
        Ok(part.push(&value(&self.rest[fields[self.chosen.column].clone()]), target))
    }

    /// Reads on, unless nothing could help a row that starts at `start`.
    fn more_for(&mut self, missing: Missing, start: usize) -> Result<(), Fault> {
        let line = self.place.lines + 1;
        if missing == Missing::OpenQuote {
            return Err(Fault::OpenQuote { line });
        }
        if self.rest.len() - start > MAX_ROW_BYTES {
            return Err(Fault::LongRow { line, megabytes: MAX_ROW_BYTES >> 20 });
        }
        self.read_more()
    }

    fn read_more(&mut self) -> Result<(), Fault> {
        // A long row is read in ever longer steps, as it is looked at from its start each time.
        let step = STEP.max(self.rest.len() / 2);
        self.whole = input::read_on(&mut self.input, &mut self.rest, step)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
