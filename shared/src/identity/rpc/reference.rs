//! The reference implementation with serde, entry by entry. It is slower than the fast path, and
//! decides which bodies are accepted and how the others are reported.

use std::{borrow::Cow, fmt::Write};

use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{
    csv::{self, Csv},
    error::Error,
    write::write_error,
};
use crate::identity::{domain::Domain, translate::Batch};

/// Translates `transcode_data` and writes the array of answers to `out`: one per entry, in order.
pub fn transcode(data: &RawValue, batch: &mut Batch<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    let mut failure = None;
    let mut deserializer = serde_json::Deserializer::from_str(data.get());
    let entries = Entries { batch, out, failure: &mut failure };
    let read = entries.deserialize(&mut deserializer);
    match (failure, read) {
        (Some(failure), _) => Err(failure),
        (None, Err(error)) => Err(error.into()),
        (None, Ok(())) => Ok(()),
    }
}

/// Translates lines of one entry each and writes a line for each. A final line end does not begin
/// another line.
pub fn transcode_lines(body: &[u8], batch: &mut Batch<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    let body = body.strip_suffix(b"\n").unwrap_or(body);
    for line in body.split(|byte| *byte == b'\n') {
        transcode_entry(line.strip_suffix(b"\r").unwrap_or(line), batch, out)?;
        out.push(b'\n');
    }
    Ok(())
}

/// Translates lines of CSV and writes a line for each.
pub fn transcode_csv(csv: Csv<'_>, batch: &mut Batch<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    let body = csv.lines.strip_suffix(b"\n").unwrap_or(csv.lines);
    for line in body.split(|byte| *byte == b'\n') {
        let (id, target) = csv::fields(line.strip_suffix(b"\r").unwrap_or(line));
        batch.push(id.as_bytes(), csv.target_of(target))?;
        csv::write(batch, out);
    }
    Ok(())
}

fn transcode_entry(entry: &[u8], batch: &mut Batch<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    let entry: Entry<'_> = serde_json::from_slice(entry)?;
    entry.translate(1, batch, out)
}

struct Entries<'a, 'b> {
    batch: &'a mut Batch<'b>,
    out: &'a mut Vec<u8>,
    failure: &'a mut Option<Error>,
}

impl<'de> DeserializeSeed<'de> for Entries<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        self.out.push(b'[');
        let mut index = 0;
        while let Some(entry) = entries.next_element::<Entry<'de>>()? {
            if index > 0 {
                self.out.push(b',');
            }
            index += 1;
            if let Err(error) = entry.translate(index, self.batch, self.out) {
                *self.failure = Some(error);
                return Err(A::Error::custom("the batch has failed"));
            }
        }
        self.out.push(b']');
        Ok(())
    }
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(default, borrow)]
    value: Option<Text<'a>>,
    #[serde(default, borrow)]
    target: Option<Text<'a>>,
    #[serde(default, borrow)]
    values: Option<Vec<Option<Text<'a>>>>,
}

/// A string, borrowed from the body if it is written without escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Entry<'_> {
    fn translate(&self, position: usize, batch: &mut Batch<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        let target = self.target.as_ref().ok_or(Error::Entry(position))?.0.parse::<Domain>().ok();
        match (&self.value, &self.values) {
            (Some(value), None) => {
                batch.push(value.0.as_bytes(), target)?;
                for outcome in batch.drain() {
                    match outcome {
                        Ok(id) => {
                            out.extend_from_slice(b"{\"value\":");
                            write_id(id, out);
                        }
                        Err(error) => {
                            out.extend_from_slice(b"{\"error\":{");
                            write_error(error, out);
                            out.push(b'}');
                        }
                    }
                }
                out.push(b'}');
                Ok(())
            }
            (None, Some(values)) => group(values, target, batch, out),
            _ => Err(Error::Entry(position)),
        }
    }
}

fn group(values: &[Option<Text<'_>>], target: Option<Domain>, batch: &mut Batch<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    let mut errors = Vec::new();
    out.extend_from_slice(b"{\"values\":[");
    for value in values {
        batch.push(value.as_ref().map_or(b"", |value| value.0.as_bytes()), target)?;
    }
    for (index, outcome) in batch.drain().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        match outcome {
            Ok(id) => write_id(id, out),
            Err(error) => {
                out.extend_from_slice(b"null");
                errors.push((index, error));
            }
        }
    }
    out.extend_from_slice(b"],\"errors\":[");
    for (position, (index, error)) in errors.into_iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        let mut head = String::new();
        let _ = write!(head, "{{\"index\":{index},");
        out.extend_from_slice(head.as_bytes());
        write_error(error, out);
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    Ok(())
}

fn write_id(id: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(id);
    out.push(b'"');
}
