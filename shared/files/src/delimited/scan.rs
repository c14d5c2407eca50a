//! Finds rows and fields in delimited text without changing it.
//!
//! The rules are those of RFC 4180, and where it says nothing those of the `csv` crate, against
//! which the tests compare. A quote opens a quoted field only at the field's start. A doubled quote
//! is one literal quote. A row ends with LF or CRLF.

use std::{borrow::Cow, ops::Range};

use memchr::{memchr, memchr_iter, memchr2, memchr3};
use wide::u8x16;

/// The end of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowEnd {
    /// The offset of its line ending.
    pub(crate) end: usize,
    /// The offset of the next row.
    pub(crate) next: usize,
    /// The number of line endings within its quotes.
    pub(crate) inner_lines: u64,
}

/// Why no row was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Incomplete {
    /// The row may continue after the text.
    NeedMore,
    /// There is no row after the last one.
    EndOfInput,
    /// The text ends within quotes.
    UnterminatedQuote,
}

/// Finds one row after another.
#[derive(Debug)]
pub(crate) struct Scanner {
    delimiter: u8,
    /// The ranges of the last row's fields.
    pub(crate) fields: Vec<Range<usize>>,
    /// One bit for each of the `BLOCK_BYTES` bytes before `end`, set for delimiters and line
    /// endings. A row has several of them, so a block is classified once.
    mask: u64,
    end: usize,
}

/// How many bytes are classified at once.
const BLOCK_BYTES: usize = 64;

impl Scanner {
    pub(crate) const fn new(delimiter: u8) -> Self {
        Self { delimiter, fields: Vec::new(), mask: 0, end: 0 }
    }

    /// Finds the row that starts at `start` and its fields. `complete` means that the input ends
    /// with the text; otherwise the text may grow between calls, but must not change.
    pub(crate) fn row(&mut self, text: &[u8], start: usize, complete: bool) -> Result<RowEnd, Incomplete> {
        self.fields.clear();
        let (mut field, mut at, mut inner_lines) = (start, start, 0);
        loop {
            if text.get(field) == Some(&b'"') && at == field {
                let Some(close) = closing_quote(text, field + 1) else {
                    return Err(if complete { Incomplete::UnterminatedQuote } else { Incomplete::NeedMore });
                };
                // A quote at the end of the text may be the first of a doubled one.
                if close + 1 == text.len() && !complete {
                    return Err(Incomplete::NeedMore);
                }
                inner_lines += memchr_iter(b'\n', &text[field..close]).count() as u64;
                at = close + 1;
            }
            // Bytes between a closing quote and the field's end are literal, quotes included.
            match self.next_structural(text, at) {
                Some(offset) if text[offset] == self.delimiter => {
                    self.fields.push(field..offset);
                    (field, at) = (offset + 1, offset + 1);
                }
                Some(offset) => {
                    let end = if offset > start && text[offset - 1] == b'\r' { offset - 1 } else { offset };
                    self.fields.push(field..end.max(field));
                    return Ok(RowEnd { end, next: offset + 1, inner_lines });
                }
                None if !complete => return Err(Incomplete::NeedMore),
                None if text.len() == start => return Err(Incomplete::EndOfInput),
                None => {
                    self.fields.push(field..text.len());
                    return Ok(RowEnd { end: text.len(), next: text.len(), inner_lines });
                }
            }
        }
    }

    /// The offset of the first delimiter or line ending from `at` on.
    fn next_structural(&mut self, text: &[u8], mut at: usize) -> Option<usize> {
        loop {
            if at < self.end && at + BLOCK_BYTES >= self.end {
                let mask = self.mask >> (at + BLOCK_BYTES - self.end);
                if mask != 0 {
                    return Some(at + mask.trailing_zeros() as usize);
                }
                at = self.end;
            }
            let Some(block) = text[at..].first_chunk() else {
                return memchr2(self.delimiter, b'\n', &text[at..]).map(|found| at + found);
            };
            (self.mask, self.end) = (structural_mask(block, self.delimiter), at + BLOCK_BYTES);
        }
    }
}

/// One bit per byte, set for delimiters and line endings.
fn structural_mask(block: &[u8; BLOCK_BYTES], delimiter: u8) -> u64 {
    let (delimiter, line_ending) = (u8x16::splat(delimiter), u8x16::splat(b'\n'));
    let (vectors, _) = block.as_chunks();
    vectors.iter().rev().fold(0, |mask, vector| {
        let vector = u8x16::new(*vector);
        mask << 16 | u64::from((vector.simd_eq(delimiter) | vector.simd_eq(line_ending)).to_bitmask())
    })
}

/// The offset of the quote that closes a field whose content starts at `at`.
fn closing_quote(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let quote = at + memchr(b'"', &text[at..])?;
        if text.get(quote + 1) != Some(&b'"') {
            return Some(quote);
        }
        at = quote + 2;
    }
}

/// A field's value: without its quotes, and each doubled quote as one.
pub(crate) fn unquote(field: &[u8]) -> Cow<'_, [u8]> {
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
            // The quotes are closed: the remaining bytes are literal.
            after => {
                value.extend(after);
                value.extend(rest);
                break;
            }
        }
    }
    Cow::Owned(value)
}

/// Writes a value as a field, quoted if necessary.
pub(crate) fn write_field(out: &mut Vec<u8>, value: &[u8], delimiter: u8) {
    if memchr3(delimiter, b'"', b'\n', value).is_none() && memchr(b'\r', value).is_none() {
        return out.extend_from_slice(value);
    }
    out.push(b'"');
    let mut rest = value;
    while let Some(quote) = memchr(b'"', rest) {
        out.extend_from_slice(&rest[..=quote]);
        out.push(b'"');
        rest = &rest[quote + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    type Values = Vec<Vec<u8>>;

    /// Reads all rows of a text that grows by `step` bytes.
    fn read(text: &[u8], step: usize) -> Result<Vec<Values>, Incomplete> {
        let (mut start, mut available, mut all) = (0, step.min(text.len()), Vec::new());
        let mut scanner = Scanner::new(b',');
        loop {
            match scanner.row(&text[..available], start, available == text.len()) {
                Ok(found) => {
                    all.push(scanner.fields.iter().map(|field| unquote(&text[field.clone()]).into_owned()).collect());
                    start = found.next;
                }
                Err(Incomplete::NeedMore) => available = (available + step).min(text.len()),
                Err(Incomplete::EndOfInput) => return Ok(all),
                Err(unterminated) => return Err(unterminated),
            }
        }
    }

    /// Compares on every text over this alphabet up to a length: all combinations of quotes,
    /// delimiters and line endings, in a short text and across the boundary of two blocks.
    #[test]
    fn fields_equal_those_of_the_csv_crate() {
        let alphabet = [b'a', b',', b'"', b'\n'];
        for (longest, before, after) in [(7, 0, 0), (5, BLOCK_BYTES - 2, 0), (5, BLOCK_BYTES - 2, BLOCK_BYTES), (5, 0, 2 * BLOCK_BYTES)] {
            for length in 0..=longest {
                for number in 0..4_usize.pow(length) {
                    let letters = (0..length).map(|index| alphabet[number / 4_usize.pow(index) % 4]);
                    let text = [vec![b'b'; before], letters.collect(), vec![b'b'; after]].concat();
                    compare(&text);
                }
            }
        }
    }

    fn compare(text: &[u8]) {
        let mut csv = csv::ReaderBuilder::new();
        csv.has_headers(false).flexible(true).terminator(csv::Terminator::Any(b'\n'));
        let theirs: Vec<Values> =
            csv.from_reader(text).byte_records().map(|record| record.unwrap().iter().map(<[u8]>::to_vec).collect()).collect();
        let ours = read(text, 3);
        assert_eq!(ours, read(text, 200));
        match ours {
            Ok(rows) => {
                // The csv crate skips empty lines, which are rows here.
                let empty = |row: &[Vec<u8>]| row.len() == 1 && row[0].is_empty();
                let ours: Vec<_> = rows.into_iter().filter(|row| !empty(row)).collect();
                let theirs: Vec<_> = theirs.into_iter().filter(|row| !empty(row)).collect();
                assert_eq!(ours, theirs, "{:?}", String::from_utf8_lossy(text));
            }
            Err(Incomplete::UnterminatedQuote) => {
                let closed = [text, b"\""].concat();
                assert!(read(&closed, 3).is_ok(), "{:?}", String::from_utf8_lossy(text));
            }
            Err(incomplete) => panic!("{incomplete:?}"),
        }
    }

    #[test]
    fn a_row_end_counts_the_line_endings_within_quotes() {
        let text = b"a,\"x\ny\"\r\nb,c\n\nd,e";
        let (mut start, mut scanner, mut ends) = (0, Scanner::new(b','), Vec::new());
        while let Ok(RowEnd { end, next, inner_lines }) = scanner.row(text, start, true) {
            ends.push((end - start, next - end, inner_lines));
            start = next;
        }
        assert_eq!(ends, [(7, 2, 1), (3, 1, 0), (0, 1, 0), (3, 0, 0)]);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_accepted() {
        assert_eq!(read(b"\xE9\x80,a\n", 1).unwrap(), [[b"\xE9\x80".to_vec(), b"a".to_vec()]]);
    }

    #[test]
    fn a_value_is_quoted_if_necessary() {
        let field = |value: &str, delimiter| {
            let mut out = Vec::new();
            write_field(&mut out, value.as_bytes(), delimiter);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(field("a\"b,c", b','), "\"a\"\"b,c\"");
        assert_eq!(field("a,b", b';'), "a,b");
    }
}
