//! Reads rows of separated values without changing a byte of them.
//!
//! The rules are RFC 4180's, and where it is silent those of the `csv` crate, which the tests compare with: a quote opens
//! a quoted field only at the field's start, a doubled quote stands for one. A row ends with LF or CRLF.

use std::{
    borrow::Cow,
    io::{BufRead, Chain, Cursor, Read},
    ops::Range,
};

use super::Fault;

const BOM: &[u8] = b"\xEF\xBB\xBF";
/// More than any honest row has: a quote that nothing closes would otherwise read the whole file into memory.
const MAX_ROW_BYTES: usize = 64 << 20;

/// How a row ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Lf,
    CrLf,
    /// The file's last row, when no newline follows it.
    None,
}

impl Ending {
    pub(super) const fn bytes(self) -> &'static [u8] {
        match self {
            Self::Lf => b"\n",
            Self::CrLf => b"\r\n",
            Self::None => b"",
        }
    }
}

/// Where a row is, and how it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// The line that it starts in, from 1; a quoted field may hold several lines.
    pub(super) line: u64,
    pub(super) ending: Ending,
}

/// The rows of a file.
#[derive(Debug)]
pub(super) struct Rows<R> {
    input: Chain<Cursor<Vec<u8>>, R>,
    delimiter: u8,
    lines: u64,
    has_bom: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Plain,
    Quoted,
    /// After a quote within quotes: the field's end, or half of a doubled quote.
    QuoteInQuoted,
}

impl<R: BufRead> Rows<R> {
    /// Looks at the first bytes: a byte order mark is not part of the first field.
    pub(super) fn new(mut input: R, delimiter: u8) -> Result<Self, Fault> {
        let mut first = Vec::with_capacity(BOM.len());
        (&mut input).take(BOM.len() as u64).read_to_end(&mut first)?;
        if first.starts_with(b"\xFF\xFE") || first.starts_with(b"\xFE\xFF") {
            return Err(Fault::Utf16);
        }
        let has_bom = first == BOM;
        if has_bom {
            first.clear();
        }
        Ok(Self { input: Cursor::new(first).chain(input), delimiter, lines: 0, has_bom })
    }

    /// The byte order mark, if the file starts with one.
    pub(super) const fn bom(&self) -> &'static [u8] {
        if self.has_bom { BOM } else { b"" }
    }

    /// Appends the next row to `text`, without its ending, and its fields' places in `text` to the emptied `fields`.
    pub(super) fn read(&mut self, text: &mut Vec<u8>, fields: &mut Vec<Range<usize>>) -> Result<Option<Row>, Fault> {
        fields.clear();
        let (row_start, line) = (text.len(), self.lines + 1);
        let (mut field_start, mut state) = (row_start, State::FieldStart);
        loop {
            let chunk = self.input.fill_buf()?;
            if chunk.is_empty() {
                if state == State::Quoted {
                    return Err(Fault::OpenQuote { line });
                }
                if text.len() == row_start {
                    return Ok(None);
                }
                fields.push(field_start..text.len());
                return Ok(Some(Row { line, ending: Ending::None }));
            }
            let chunk_start = text.len();
            let mut ended = false;
            let mut used = 0;
            for &byte in chunk {
                state = match (state, byte) {
                    (State::Quoted, b'"') => State::QuoteInQuoted,
                    (State::Quoted, _) => {
                        self.lines += u64::from(byte == b'\n');
                        State::Quoted
                    }
                    (State::FieldStart | State::QuoteInQuoted, b'"') => State::Quoted,
                    (_, b'\n') => {
                        ended = true;
                        break;
                    }
                    (_, byte) if byte == self.delimiter => {
                        fields.push(field_start..chunk_start + used);
                        field_start = chunk_start + used + 1;
                        State::FieldStart
                    }
                    _ => State::Plain,
                };
                used += 1;
            }
            text.extend_from_slice(&chunk[..used]);
            self.input.consume(used + usize::from(ended));
            if text.len() - row_start > MAX_ROW_BYTES {
                return Err(Fault::LongRow { line, megabytes: MAX_ROW_BYTES >> 20 });
            }
            if ended {
                self.lines += 1;
                let ending = if text.len() > row_start && text.ends_with(b"\r") {
                    text.pop();
                    Ending::CrLf
                } else {
                    Ending::Lf
                };
                fields.push(field_start..text.len());
                return Ok(Some(Row { line, ending }));
            }
        }
    }
}

/// A field's value: without its quotes, and with each doubled quote as one.
pub(super) fn value(field: &[u8]) -> Cow<'_, [u8]> {
    let Some(quoted) = field.strip_prefix(b"\"") else { return Cow::Borrowed(field) };
    if let Some(inner) = quoted.strip_suffix(b"\"").filter(|inner| !inner.contains(&b'"')) {
        return Cow::Borrowed(inner);
    }
    let mut value = Vec::with_capacity(quoted.len());
    let mut rest = quoted.iter().copied();
    while let Some(byte) = rest.next() {
        if byte != b'"' {
            value.push(byte);
            continue;
        }
        match rest.next() {
            Some(b'"') => value.push(b'"'),
            // The quotes are closed: whatever follows is literal.
            after => {
                value.extend(after);
                value.extend(rest);
                break;
            }
        }
    }
    Cow::Owned(value)
}

/// Writes a value as a field, in quotes where it needs them.
pub(super) fn field(value: &str, delimiter: u8) -> Vec<u8> {
    let needs_quotes = value.bytes().any(|byte| byte == delimiter || matches!(byte, b'"' | b'\r' | b'\n'));
    if needs_quotes { format!("\"{}\"", value.replace('"', "\"\"")).into_bytes() } else { value.into() }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    type Values = Vec<Vec<u8>>;

    /// Reads all rows, the input coming in buffers of `capacity` bytes.
    fn read(text: &[u8], capacity: usize) -> Result<Vec<(Row, Values)>, Fault> {
        let mut rows = Rows::new(BufReader::with_capacity(capacity, text), b',')?;
        let (mut text, mut fields, mut all) = (Vec::new(), Vec::new(), Vec::new());
        while let Some(row) = rows.read(&mut text, &mut fields)? {
            all.push((row, fields.iter().map(|field| value(&text[field.clone()]).into_owned()).collect()));
        }
        Ok(all)
    }

    fn values(text: &[u8]) -> Vec<Values> {
        read(text, 1 << 16).unwrap().into_iter().map(|(_, values)| values).collect()
    }

    /// Every text over this alphabet up to a length: all that quotes, separators and line ends can do to each other.
    #[test]
    fn fields_are_those_that_the_csv_crate_finds() {
        let alphabet = [b'a', b',', b'"', b'\n'];
        for length in 0..=7_u32 {
            for number in 0..4_usize.pow(length) {
                let text: Vec<u8> = (0..length).map(|place| alphabet[number / 4_usize.pow(place) % 4]).collect();
                let mut csv = csv::ReaderBuilder::new();
                csv.has_headers(false).flexible(true).terminator(csv::Terminator::Any(b'\n'));
                let theirs: Vec<Values> =
                    csv.from_reader(&text[..]).byte_records().map(|record| record.unwrap().iter().map(<[u8]>::to_vec).collect()).collect();
                match read(&text, 3) {
                    Ok(rows) => {
                        // The csv crate skips empty lines, which are rows here.
                        let empty = |row: &[Vec<u8>]| row.len() == 1 && row[0].is_empty();
                        let ours: Vec<_> = rows.into_iter().map(|(_, row)| row).filter(|row| !empty(row)).collect();
                        let theirs: Vec<_> = theirs.into_iter().filter(|row| !empty(row)).collect();
                        assert_eq!(ours, theirs, "{:?}", String::from_utf8_lossy(&text));
                    }
                    Err(Fault::OpenQuote { .. }) => {
                        let closed = [&text[..], b"\""].concat();
                        assert!(read(&closed, 3).is_ok(), "{:?}", String::from_utf8_lossy(&text));
                    }
                    Err(fault) => panic!("{fault}"),
                }
            }
        }
    }

    #[test]
    fn rows_know_their_line_and_their_ending() {
        let text = b"a,\"x\ny\"\r\nb,c\n\nd,e";
        for capacity in [1, 2, 3, 5, 100] {
            let places: Vec<_> = read(text, capacity).unwrap().into_iter().map(|(row, _)| (row.line, row.ending)).collect();
            assert_eq!(places, [(1, Ending::CrLf), (3, Ending::Lf), (4, Ending::Lf), (5, Ending::None)]);
        }
    }

    #[test]
    fn a_byte_order_mark_is_not_part_of_the_first_field() {
        assert_eq!(values(b"\xEF\xBB\xBF\"id\",x\n"), [[b"id".to_vec(), b"x".to_vec()]]);
        assert_eq!(values(b"\xEF\xBB\xBF"), Vec::<Values>::new());
        assert!(matches!(read(b"\xFF\xFEi\0d\0", 10), Err(Fault::Utf16)));
    }

    #[test]
    fn bytes_that_are_no_text_pass() {
        assert_eq!(values(b"\xE9\x80,a\n"), [[b"\xE9\x80".to_vec(), b"a".to_vec()]]);
    }

    #[test]
    fn a_quote_that_nothing_closes_is_told_with_its_line() {
        assert!(matches!(read(b"a,b\n\nc,\"d\n,e\n", 4), Err(Fault::OpenQuote { line: 3 })));
    }

    #[test]
    fn a_value_that_needs_quotes_gets_them() {
        assert_eq!(field("a\"b,c", b','), b"\"a\"\"b,c\"");
        assert_eq!(field("a,b", b';'), b"a,b");
    }
}
