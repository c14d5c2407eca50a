//! JSON lines: one object per line, whose bytes stay as they are, with two members appended.

use std::{borrow::Cow, fmt, io::Read};

use memchr::memchr;
use serde::{
    Deserialize, Deserializer as _,
    de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Deserializer, value::RawValue};

use crate::{
    chunk::{self, Chunk, Row, RowKind},
    column::{self, Column, Target},
    input::{self, READ_BYTES},
    input_error::InputError,
    position::Position,
};

/// Maximum length of a line. A longer one is most likely not JSON lines.
const MAX_LINE_BYTES: usize = 32 << 20;

/// Reads a file's lines, chunk by chunk.
pub(crate) struct Reader {
    input: Box<dyn Read + Send>,
    members: Members,
    /// What has been read and not returned yet.
    buf: Vec<u8>,
    /// Whether `buf` holds the end of the input.
    ended: bool,
    position: Position,
    max_request_bytes: usize,
}

/// The names of the members that are read or added.
#[derive(Clone, Debug)]
struct Members {
    id: String,
    target: Target<String>,
    added: [String; 2],
}

impl Reader {
    /// Reads up to the first object and returns its members' names too.
    pub(crate) fn new(
        input: Box<dyn Read + Send>,
        column: &Column,
        target: &Target,
        max_request_bytes: usize,
    ) -> Result<(Self, Vec<String>), InputError> {
        let members = Members {
            id: column.name(),
            target: match target {
                Target::Domain(domain) => Target::Domain(*domain),
                Target::Column(column) => Target::Column(column.name()),
            },
            added: column::added_names(column, target),
        };
        let mut reader = Self { input, members, buf: Vec::new(), ended: false, position: Position::default(), max_request_bytes };
        let mut start = 0;
        let line = loop {
            let Some(end) = reader.line(start)? else { return Err(InputError::Empty { column: column.name() }) };
            if !reader.buf[start..end].trim_ascii().is_empty() {
                break start..end;
            }
            start = end;
        };
        let names = names(&reader.buf[line]).map_err(|cause| InputError::InvalidObject { row: 1, cause: cause.to_string() })?;
        column::select_named(column, target, &names)?;
        Ok((reader, names))
    }

    /// Skips to the position at which an earlier run stopped.
    pub(crate) fn skip_to(&mut self, position: Position) -> Result<(), InputError> {
        input::skip(&mut self.buf, &mut self.input, position.offset)?;
        self.position = position;
        Ok(())
    }

    /// The next lines; `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<Chunk>, InputError> {
        let mut chunk = Chunk::after(self.position, self.max_request_bytes);
        let mut start = 0;
        while !chunk.is_full(self.max_request_bytes, start) {
            let Some(end) = self.line(start)? else { break };
            self.position.lines += 1;
            let line = &self.buf[start..end];
            let object = line.trim_ascii_end();
            let kind = if object.is_empty() {
                RowKind::EmptyLine
            } else {
                self.position.rows += 1;
                let row = self.position.rows;
                let invalid = |cause: serde_json::Error| InputError::InvalidObject { row, cause: cause.to_string() };
                let (id, target) = self.members.find(object).map_err(invalid)?;
                chunk.push(id.as_bytes(), target.and_then(|target| chunk::parse_domain(target.as_bytes())))
            };
            // The last byte of an object is its closing brace.
            chunk.rows.push(Row { insert: start + object.len().saturating_sub(1), end, kind });
            start = end;
        }
        chunk.text = input::take_front(&mut self.buf, start);
        self.position.offset += start as u64;
        chunk.after = self.position;
        Ok((!chunk.rows.is_empty()).then_some(chunk))
    }

    /// The end of the line that starts at `start`; `None` at the end of the file.
    fn line(&mut self, start: usize) -> Result<Option<usize>, InputError> {
        let mut searched = start;
        loop {
            if let Some(end) = memchr(b'\n', &self.buf[searched..]) {
                return Ok(Some(searched + end + 1));
            }
            if self.ended {
                return Ok((self.buf.len() > start).then_some(self.buf.len()));
            }
            if self.buf.len() - start > MAX_LINE_BYTES {
                return Err(InputError::RowTooLong { line: self.position.lines + 1, max_megabytes: MAX_LINE_BYTES >> 20 });
            }
            searched = self.buf.len();
            self.ended = input::read_more(&mut self.input, &mut self.buf, READ_BYTES)?;
        }
    }
}

/// The members of an object in order: their names, and their values as raw JSON.
pub(crate) fn members(object: &[u8]) -> serde_json::Result<Vec<(Cow<'_, str>, &str)>> {
    struct All;
    impl<'de> Visitor<'de> for All {
        type Value = Vec<(Cow<'de, str>, &'de str)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
            let mut members = Vec::new();
            while let Some((Name(name), value)) = map.next_entry::<Name<'de>, &RawValue>()? {
                members.push((name, value.get()));
            }
            Ok(members)
        }
    }
    let mut deserializer = Deserializer::from_slice(object);
    let members = deserializer.deserialize_map(All)?;
    deserializer.end()?;
    Ok(members)
}

fn names(object: &[u8]) -> serde_json::Result<Vec<String>> {
    Ok(members(object)?.into_iter().map(|(name, _)| name.into_owned()).collect())
}

/// A string, borrowed unless it has escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// A raw JSON value as a cell: a string without quotes and escapes, null as `None`, and any other
/// value as its JSON.
pub(crate) fn cell(value: &str) -> Option<Cow<'_, str>> {
    match value.as_bytes() {
        b"null" => None,
        [b'"', ..] => Some(serde_json::from_str(value).map_or(Cow::Borrowed(value), |Name(text)| text)),
        _ => Some(Cow::Borrowed(value)),
    }
}

impl Members {
    /// The id and the target of an object. An absent member is treated as null.
    fn find<'a>(&'a self, object: &'a [u8]) -> serde_json::Result<IdAndTarget<'a>> {
        let mut deserializer = Deserializer::from_slice(object);
        let found = self.deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(found)
    }
}

type IdAndTarget<'a> = (Cow<'a, str>, Option<Cow<'a, str>>);

impl<'de> DeserializeSeed<'de> for &'de Members {
    type Value = IdAndTarget<'de>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<IdAndTarget<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &'de Members {
    type Value = IdAndTarget<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<IdAndTarget<'de>, M::Error> {
        let (mut id, mut target) = (None, None);
        if let Target::Domain(domain) = &self.target {
            target = Some(Some(Cow::Borrowed(domain.as_str())));
        }
        while let Some(Name(name)) = map.next_key()? {
            let member = match &self.target {
                _ if name == *self.id => &mut id,
                Target::Column(column) if name == **column => &mut target,
                _ if self.added.iter().any(|added| name == **added) => {
                    return Err(serde::de::Error::custom(format!("there is already a member `{name}`, which the translation adds")));
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if member.replace(cell(map.next_value::<&RawValue>()?.get())).is_some() {
                return Err(serde::de::Error::custom(format!("it has two members `{name}`")));
            }
        }
        Ok((id.flatten().unwrap_or_default(), target.flatten()))
    }
}
