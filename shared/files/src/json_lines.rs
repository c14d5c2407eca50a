//! JSON lines: an object a line, its bytes as they are, with two members more.

use std::{borrow::Cow, fmt, io::Read};

use memchr::memchr;
use serde::{
    Deserialize, Deserializer as _,
    de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Deserializer, value::RawValue};

use super::{
    Fault,
    column::{self, Column, Target},
    input,
    part::{self, Asks, Part, Place, Row},
};

/// A longer line is most likely no line.
const MAX_LINE_BYTES: usize = 32 << 20;
const STEP: usize = 1 << 18;

/// Reads a file's lines, part by part.
pub(super) struct Reader {
    input: Box<dyn Read + Send>,
    members: Members,
    rest: Vec<u8>,
    whole: bool,
    place: Place,
    request_bytes: usize,
}

/// The members of an object that matter.
#[derive(Clone, Debug)]
struct Members {
    id: String,
    target: Target<String>,
    added: [String; 2],
}

impl Reader {
    /// Looks at the first object, and gives its members' names.
    pub(super) fn new(
        input: Box<dyn Read + Send>,
        column: &Column,
        target: &Target,
        request_bytes: usize,
    ) -> Result<(Self, Vec<String>), Fault> {
        let members = Members {
            id: column.name(),
            target: match target {
                Target::Domain(domain) => Target::Domain(*domain),
                Target::Column(column) => Target::Column(column.name()),
            },
            added: [column.translated(target), column::ERROR_CODE.into()],
        };
        let mut reader = Self { input, members, rest: Vec::new(), whole: false, place: Place::default(), request_bytes };
        let mut start = 0;
        let line = loop {
            let Some(end) = reader.line(start)? else { return Err(Fault::Empty { column: column.name() }) };
            if !reader.rest[start..end].trim_ascii().is_empty() {
                break start..end;
            }
            start = end;
        };
        let names = names(&reader.rest[line]).map_err(|cause| Fault::NotAnObject { row: 1, cause: cause.to_string() })?;
        column::named(column, target, &names)?;
        Ok((reader, names))
    }

    /// Goes on where an earlier run stopped.
    pub(super) fn skip_to(&mut self, place: Place) -> Result<(), Fault> {
        input::skip(&mut self.rest, &mut self.input, place.offset)?;
        self.place = place;
        Ok(())
    }

    /// The next lines; `None` after the last.
    pub(super) fn next(&mut self) -> Result<Option<Part>, Fault> {
        let mut part = Part::after(self.place, self.request_bytes);
        let mut start = 0;
        while !part.is_full(self.request_bytes, start) {
            let Some(end) = self.line(start)? else { break };
            self.place.lines += 1;
            let line = &self.rest[start..end];
            let object = line.trim_ascii_end();
            let asks = if object.is_empty() {
                Asks::NoRow
            } else {
                self.place.rows += 1;
                let row = self.place.rows;
                let fault = |cause: serde_json::Error| Fault::NotAnObject { row, cause: cause.to_string() };
                let (id, target) = self.members.find(object).map_err(fault)?;
                part.push(id.as_bytes(), target.and_then(|target| part::domain(target.as_bytes())))
            };
            // An object's last byte closes it.
            part.rows.push(Row { insert: start + object.len().saturating_sub(1), end, asks });
            start = end;
        }
        part.text = input::split(&mut self.rest, start);
        self.place.offset += start as u64;
        part.after = self.place;
        Ok((!part.rows.is_empty()).then_some(part))
    }

    /// The end of the line that starts at `start`; `None` at the end of the file.
    fn line(&mut self, start: usize) -> Result<Option<usize>, Fault> {
        let mut looked_at = start;
        loop {
            if let Some(end) = memchr(b'\n', &self.rest[looked_at..]) {
                return Ok(Some(looked_at + end + 1));
            }
            if self.whole {
                return Ok((self.rest.len() > start).then_some(self.rest.len()));
            }
            if self.rest.len() - start > MAX_LINE_BYTES {
                return Err(Fault::LongRow { line: self.place.lines + 1, megabytes: MAX_LINE_BYTES >> 20 });
            }
            looked_at = self.rest.len();
            self.whole = input::read_on(&mut self.input, &mut self.rest, STEP)?;
        }
    }
}

/// The members of an object in their order, each with its value as it is written.
pub(super) fn members(object: &[u8]) -> serde_json::Result<Vec<(Cow<'_, str>, &str)>> {
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

/// A text, borrowed where it needs no change.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// A value as a cell: a text's own text, nothing for null, and whatever else as it is written.
pub(super) fn cell(value: &str) -> Option<Cow<'_, str>> {
    match value.as_bytes() {
        b"null" => None,
        [b'"', ..] => Some(serde_json::from_str(value).map_or(Cow::Borrowed(value), |Name(text)| text)),
        _ => Some(Cow::Borrowed(value)),
    }
}

impl Members {
    /// The id and the target of an object; an absent one is as good as null.
    fn find<'a>(&'a self, object: &'a [u8]) -> serde_json::Result<(Cow<'a, str>, Option<Cow<'a, str>>)> {
        let mut deserializer = Deserializer::from_slice(object);
        let found = self.deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(found)
    }
}

type Found<'a> = (Cow<'a, str>, Option<Cow<'a, str>>);

impl<'de> DeserializeSeed<'de> for &'de Members {
    type Value = Found<'de>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Found<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &'de Members {
    type Value = Found<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Found<'de>, M::Error> {
        let (mut id, mut target) = (None, None);
        if let Target::Domain(domain) = &self.target {
            target = Some(Some(Cow::Borrowed(domain.as_str())));
        }
        while let Some(Name(name)) = map.next_key()? {
            let place = match &self.target {
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
            if place.replace(cell(map.next_value::<&RawValue>()?.get())).is_some() {
                return Err(serde::de::Error::custom(format!("it has two members `{name}`")));
            }
        }
        Ok((id.flatten().unwrap_or_default(), target.flatten()))
    }
}
