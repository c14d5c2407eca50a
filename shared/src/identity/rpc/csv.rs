//! Ids as `text/csv`: lines `id,target`, or ids alone if the request names the target.
//!
//! Lines that begin with `#` before the first id carry tokens: `#smart_token=…` and
//! `#init_token=…`.

use super::{cursor::Fallback, error::Error, pattern::PatternCache, write::write_around};
use crate::identity::{domain::Domain, translate::Batch};

/// A body of `text/csv`.
#[derive(Clone, Copy, Debug)]
pub struct Csv<'a> {
    /// The smart token of the header lines.
    pub smart_token: Option<&'a str>,
    /// The init token of the header lines.
    pub init_token: Option<&'a str>,
    pub(super) lines: &'a [u8],
    /// The target of lines without a target.
    target: Option<Domain>,
}

impl<'a> Csv<'a> {
    /// Parses the header lines of a body. `target` is the target of lines without one.
    pub fn parse(body: &'a [u8], target: Option<Domain>) -> Result<Self, Error> {
        let mut csv = Self { smart_token: None, init_token: None, lines: body, target };
        let mut line_number = 0;
        while csv.lines.first() == Some(&b'#') {
            line_number += 1;
            let (line, rest) = split(csv.lines);
            csv.lines = rest.unwrap_or_default();
            let malformed = Error::Data { line: line_number, column: 1 };
            let line = str::from_utf8(line).map_err(|_| malformed.clone())?;
            let field = match line.split_once('=') {
                Some(("#smart_token", token)) => csv.smart_token.replace(token.trim()),
                Some(("#init_token", token)) => csv.init_token.replace(token.trim()),
                // Unknown fields are ignored, as in JSON.
                _ => None,
            };
            if field.is_some() {
                return Err(malformed);
            }
        }
        Ok(csv)
    }

    /// Translates lines by their patterns, or one by one if they have none.
    pub(super) fn scan(self, batch: &mut Batch<'_>, out: &mut Vec<u8>) -> Result<(), Fallback> {
        let mut patterns = PatternCache::default();
        let mut push = |id: &[u8], target: Option<Domain>, out: &mut Vec<u8>| {
            batch.push(id, target).map_err(|_| Fallback)?;
            if batch.is_full() {
                write(batch, out);
            }
            Ok(())
        };
        let body = self.lines.strip_suffix(b"\n").unwrap_or(self.lines);
        let mut at = 0;
        loop {
            while let Some(item) = patterns.find(&body[at..]) {
                let target = item.target.map_or(self.target, |target| Domain::from_bytes(target).ok());
                push(item.id, target, out)?;
                at += item.length;
            }
            let (line, rest) = split(&body[at..]);
            let (id, field) = fields(line);
            push(id.as_bytes(), self.target_of(field), out)?;
            let Some(rest) = rest else { break };
            let end = body.len() - rest.len();
            // The fields of a line that is not UTF-8 do not point into the body.
            if !id.is_empty() {
                let range = |field: &str| {
                    let start = field.as_ptr().addr() - body[at..].as_ptr().addr();
                    start..start + field.len()
                };
                patterns.learn(&body[at..end], range(id), field.map(range));
            }
            at = end;
        }
        write(batch, out);
        Ok(())
    }

    /// The target of a line with this target field.
    pub(super) fn target_of(&self, field: Option<&str>) -> Option<Domain> {
        field.map_or(self.target, |field| field.parse().ok())
    }
}

/// Splits off the first line, without its line end. The rest is `None` if there is no line end.
fn split(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    let (line, rest) = memchr::memchr(b'\n', text).map_or((text, None), |end| (&text[..end], Some(&text[end + 1..])));
    (line.strip_suffix(b"\r").unwrap_or(line), rest)
}

/// The id of a line and its target field, if it has one. A line that is not UTF-8 counts as empty.
pub(super) fn fields(line: &[u8]) -> (&str, Option<&str>) {
    let line = str::from_utf8(line).unwrap_or_default();
    let (id, target) = line.split_once(',').map_or((line, None), |(id, target)| (id, Some(target.trim())));
    (id.trim().trim_matches('"'), target)
}

/// Translates the pending ids and writes their lines.
pub(super) fn write(batch: &mut Batch<'_>, out: &mut Vec<u8>) {
    for outcome in batch.drain() {
        match outcome {
            Ok(id) => write_around(out, b"", id, *b",\n"),
            Err(error) => {
                out.push(b',');
                out.extend_from_slice(error.code().code().as_bytes());
                out.push(b'\n');
            }
        }
    }
}
