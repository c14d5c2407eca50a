//! Finds rows and fields in separated values without changing a byte of them.
//!
//! The rules are RFC 4180's, and where it is silent those of the `csv` crate, which the tests compare with: a quote opens
//! a quoted field only at the field's start, a doubled quote stands for one. A row ends with LF or CRLF.

use std::{borrow::Cow, ops::Range};

use memchr::{memchr, memchr_iter, memchr2, memchr3};
use wide::u8x16;

/// Where a row ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Its end without what ends it.
    pub(crate) end: usize,
    /// Where the next row starts.
    pub(crate) next: usize,
    /// The line ends within its quotes.
    pub(crate) lines: u64,
}

/// Why no row was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// The text ends before the row does, as far as it is there.
    More,
    /// The text is over.
    Nothing,
    /// The text is over within quotes.
    OpenQuote,
}

/// Finds rows, one after another.
#[derive(Debug)]
pub(crate) struct Scanner {
    delimiter: u8,
    /// The places of the last row's fields.
    pub(crate) fields: Vec<Range<usize>>,
    /// The delimiters and line ends among the `BLOCK` bytes before `end`, a bit each: a row has several of them.
    marks: u64,
    end: usize,
}

/// How many bytes are looked at together.
const BLOCK: usize = 64;

impl Scanner {
    pub(crate) const fn new(delimiter: u8) -> Self {
        Self { delimiter, fields: Vec::new(), marks: 0, end: 0 }
    }

    /// Finds the row that starts at `start`, and its fields' places. Nothing comes after a text that is `whole`; any other may only grow
    /// from call to call.
    pub(crate) fn row(&mut self, text: &[u8], start: usize, whole: bool) -> Result<Found, Missing> {
        self.fields.clear();
        let (mut field, mut at, mut lines) = (start, start, 0);
        loop {
            if text.get(field) == Some(&b'"') && at == field {
                let Some(close) = closing_quote(text, field + 1) else {
                    return Err(if whole { Missing::OpenQuote } else { Missing::More });
                };
                // A quote at the end of what is there may be half of a doubled one.
                if close + 1 == text.len() && !whole {
                    return Err(Missing::More);
                }
                lines += memchr_iter(b'\n', &text[field..close]).count() as u64;
                at = close + 1;
            }
            // Whatever stands between closing quotes and the field's end is literal, and so is any quote in there.
            match self.mark(text, at) {
                Some(place) if text[place] == self.delimiter => {
                    self.fields.push(field..place);
                    (field, at) = (place + 1, place + 1);
                }
                Some(place) => {
                    let end = if place > start && text[place - 1] == b'\r' { place - 1 } else { place };
                    self.fields.push(field..end.max(field));
                    return Ok(Found { end, next: place + 1, lines });
                }
                None if !whole => return Err(Missing::More),
                None if text.len() == start => return Err(Missing::Nothing),
                None => {
                    self.fields.push(field..text.len());
                    return Ok(Found { end: text.len(), next: text.len(), lines });
                }
            }
        }
    }

    /// The first delimiter or line end from `at` on.
    fn mark(&mut self, text: &[u8], mut at: usize) -> Option<usize> {
        loop {
            if at < self.end && at + BLOCK >= self.end {
                let marks = self.marks >> (at + BLOCK - self.end);
                if marks != 0 {
                    return Some(at + marks.trailing_zeros() as usize);
                }
                at = self.end;
            }
            let Some(block) = text[at..].first_chunk() else {
                return memchr2(self.delimiter, b'\n', &text[at..]).map(|found| at + found);
            };
            (self.marks, self.end) = (marks(block, self.delimiter), at + BLOCK);
        }
    }
}

/// A bit for each delimiter or line end.
fn marks(block: &[u8; BLOCK], delimiter: u8) -> u64 {
    let (delimiter, line_end) = (u8x16::splat(delimiter), u8x16::splat(b'\n'));
    let (pieces, _) = block.as_chunks();
    pieces.iter().rev().fold(0, |marks, piece| {
        let piece = u8x16::new(*piece);
        marks << 16 | u64::from((piece.simd_eq(delimiter) | piece.simd_eq(line_end)).to_bitmask())
    })
}

/// The quote that closes a field whose content starts at `at`.
fn closing_quote(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let place = at + memchr(b'"', &text[at..])?;
        if text.get(place + 1) != Some(&b'"') {
            return Some(place);
        }
        at = place + 2;
    }
}

/// A field's value: without its quotes, and with each doubled quote as one.
pub(crate) fn value(field: &[u8]) -> Cow<'_, [u8]> {
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

    /// Reads all rows, as if the text came in pieces of `piece` bytes.
    fn read(text: &[u8], piece: usize) -> Result<Vec<Values>, Missing> {
        let (mut start, mut there, mut all) = (0, piece.min(text.len()), Vec::new());
        let mut scanner = Scanner::new(b',');
        loop {
            match scanner.row(&text[..there], start, there == text.len()) {
                Ok(found) => {
                    all.push(scanner.fields.iter().map(|field| value(&text[field.clone()]).into_owned()).collect());
                    start = found.next;
                }
                Err(Missing::More) => there = (there + piece).min(text.len()),
                Err(Missing::Nothing) => return Ok(all),
                Err(open) => return Err(open),
            }
        }
    }

    /// Every text over this alphabet up to a length: all that quotes, separators and line ends can do to each other, in a short text and
    /// where one block meets the next.
    #[test]
    fn fields_are_those_that_the_csv_crate_finds() {
        let alphabet = [b'a', b',', b'"', b'\n'];
        for (longest, before, after) in [(7, 0, 0), (5, BLOCK - 2, 0), (5, BLOCK - 2, BLOCK), (5, 0, 2 * BLOCK)] {
            for length in 0..=longest {
                for number in 0..4_usize.pow(length) {
                    let letters = (0..length).map(|place| alphabet[number / 4_usize.pow(place) % 4]);
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
            Err(Missing::OpenQuote) => {
                let closed = [text, b"\""].concat();
                assert!(read(&closed, 3).is_ok(), "{:?}", String::from_utf8_lossy(text));
            }
            Err(missing) => panic!("{missing:?}"),
        }
    }

    #[test]
    fn rows_know_their_ends_and_the_lines_within() {
        let text = b"a,\"x\ny\"\r\nb,c\n\nd,e";
        let (mut start, mut scanner, mut ends) = (0, Scanner::new(b','), Vec::new());
        while let Ok(Found { end, next, lines }) = scanner.row(text, start, true) {
            ends.push((end - start, next - end, lines));
            start = next;
        }
        assert_eq!(ends, [(7, 2, 1), (3, 1, 0), (0, 1, 0), (3, 0, 0)]);
    }

    #[test]
    fn bytes_that_are_no_text_pass() {
        assert_eq!(read(b"\xE9\x80,a\n", 1).unwrap(), [[b"\xE9\x80".to_vec(), b"a".to_vec()]]);
    }

    #[test]
    fn a_value_that_needs_quotes_gets_them() {
        let field = |value: &str, delimiter| {
            let mut out = Vec::new();
            write_field(&mut out, value.as_bytes(), delimiter);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(field("a\"b,c", b','), "\"a\"\"b,c\"");
        assert_eq!(field("a,b", b';'), "a,b");
    }
}
