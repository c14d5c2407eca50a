//! Writes a part's rows again, with what became of their ids.

use std::{borrow::Cow, io::Write};

use flate2::write::GzEncoder;
use shared::identity::{Code, Domain};

use super::{
    Fault, Options,
    column::ERROR_CODE,
    format::Compression,
    json_lines,
    part::{Asks, Part, Place},
    separated,
    strings::Strings,
    tally::Tally,
};
use client::{Outcomes, Refusal};
use tokio::sync::OwnedSemaphorePermit;

/// How the text of rows is to be understood, or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Values with this byte between them.
    Separated(u8),
    /// An object a line.
    JsonLines,
    /// In columns: there is no text.
    Columns,
}

/// How rows are written.
#[derive(Debug)]
pub(super) struct Renderer {
    pub(super) from: Shape,
    pub(super) to: Shape,
    /// The input's columns. Where both shapes are the same nobody asks for them.
    pub(super) names: Vec<String>,
    /// The names of the new columns.
    pub(super) added: [String; 2],
    pub(super) compression: Compression,
    /// Whether anybody wants the bad rows.
    pub(super) rejects: bool,
}

/// A part's rows as they are written.
#[derive(Debug)]
pub(super) struct Rendered {
    pub(super) rows: Piece,
    pub(super) rejects: Vec<u8>,
    pub(super) tally: Tally,
    pub(super) after: Place,
    pub(super) ends_group: bool,
    #[expect(dead_code, reason = "it is held until the rows are written")]
    pub(super) room: Option<OwnedSemaphorePermit>,
}

/// Rows as they are written.
#[derive(Debug)]
pub(super) enum Piece {
    /// As text, which may be compressed.
    Text(Vec<u8>),
    /// As columns: all of them, or the new ones where the others are copied.
    Columns(Vec<Strings>),
}

/// What became of a row's id.
type Outcome<'a> = Option<Result<&'a str, Refusal<'a>>>;

impl Renderer {
    pub(super) fn new(from: Shape, to: Shape, names: Vec<String>, added: [String; 2], options: &Options) -> Self {
        let compression = if to == Shape::Columns { Compression::None } else { options.compression() };
        Self { from, to, names, added, compression, rejects: options.rejects.is_some() }
    }

    /// Writes the rows of `part`, whose ids had these `outcomes`.
    pub(super) fn render(&self, part: Part, outcomes: &Outcomes) -> Result<Rendered, Fault> {
        assert_eq!(outcomes.len(), part.ids.len(), "the client answers each id once");
        let mut drawing = Drawing::new(self, &part);
        let mut answers = part.ids.iter().zip(outcomes.iter());
        let (mut start, mut number) = (0, part.first);
        // Where the shape stays, all text stays, with the new values in between.
        let (stays, mut copied) = (self.from == self.to, 0);
        for row in &part.rows {
            let (before, after) = (&part.text[start..row.insert], &part.text[row.insert..row.end]);
            start = row.end;
            let (id, to, outcome): (&[u8], Option<Domain>, Outcome<'_>) = match row.asks {
                Asks::NoRow => continue,
                Asks::Blank => (b"", None, None),
                Asks::NoDomain => {
                    let refusal = Refusal { code: Code::E007.code(), message: "the target is not a domain: four letters or digits" };
                    (b"", None, Some(Err(refusal)))
                }
                Asks::Translation => {
                    let ((id, target), outcome) = answers.next().expect("there is an answer for each id");
                    (id, Some(target), Some(outcome))
                }
            };
            match outcome {
                None => drawing.tally.blank(number),
                Some(outcome) => drawing.tally.count(number, id, to, outcome),
            }
            if stays {
                drawing.text.extend_from_slice(&part.text[copied..row.insert]);
                copied = row.insert;
            }
            drawing.row(number, before, outcome)?;
            if let Some(Err(refusal)) = outcome.filter(|_| self.rejects) {
                drawing.reject(number, before, after, id, refusal);
            }
            number += 1;
        }
        if stays {
            drawing.text.extend_from_slice(&part.text[copied..]);
        }
        let Drawing { text, columns, rejects, mut tally, .. } = drawing;
        tally.previous = outcomes.under_previous_key();
        let rows = if self.to == Shape::Columns { Piece::Columns(columns) } else { Piece::Text(compressed(text, self.compression)) };
        Ok(Rendered { rows, rejects, tally, after: part.after, ends_group: part.ends_group, room: part.room })
    }

    /// The first row of the output, where it is a header that is made anew.
    pub(super) fn header(&self) -> Vec<u8> {
        let mut head = Vec::new();
        if let Shape::Separated(delimiter) = self.to {
            for (index, name) in self.names.iter().chain(&self.added).enumerate() {
                if index > 0 {
                    head.push(delimiter);
                }
                separated::write_field(&mut head, name.as_bytes(), delimiter);
            }
            head.push(b'\n');
        }
        head
    }

    /// The header of a file of bad rows where it is of our own making.
    pub(super) fn rejects_header(column: &str) -> Vec<u8> {
        let mut head = b"row,".to_vec();
        separated::write_field(&mut head, column.as_bytes(), b',');
        for name in Self::reject_columns() {
            head.push(b',');
            head.extend_from_slice(name.as_bytes());
        }
        head.push(b'\n');
        head
    }

    /// The names of the columns that a file of bad rows has more.
    pub(super) const fn reject_columns() -> [&'static str; 2] {
        [ERROR_CODE, "error_message"]
    }
}

/// Rows in the making.
struct Drawing<'a> {
    renderer: &'a Renderer,
    /// What stands before each of the new values in JSON.
    keys: [String; 2],
    text: Vec<u8>,
    columns: Vec<Strings>,
    rejects: Vec<u8>,
    tally: Tally,
}

impl<'a> Drawing<'a> {
    fn new(renderer: &'a Renderer, part: &Part) -> Self {
        let added = if renderer.from == renderer.to { 0 } else { renderer.names.len() };
        let columns = if renderer.to == Shape::Columns { added + 2 } else { 0 };
        let capacity = if columns == 0 { part.text.len() + 80 * part.rows.len() } else { 0 };
        Self {
            renderer,
            keys: renderer.added.each_ref().map(|name| format!("{}:", json_text(name))),
            text: Vec::with_capacity(capacity),
            columns: vec![Strings::default(); columns],
            rejects: Vec::new(),
            tally: Tally::default(),
        }
    }

    fn row(&mut self, number: u64, before: &[u8], outcome: Outcome<'_>) -> Result<(), Fault> {
        let (id, code) = match outcome {
            None => (None, None),
            Some(Ok(id)) => (Some(id), None),
            Some(Err(refusal)) => (None, Some(refusal.code)),
        };
        match (self.renderer.from, self.renderer.to) {
            (Shape::Separated(_), Shape::Separated(delimiter)) if self.renderer.from == self.renderer.to => {
                for value in [id, code] {
                    self.text.push(delimiter);
                    if let Some(value) = value {
                        self.text.extend_from_slice(value.as_bytes());
                    }
                }
            }
            (Shape::JsonLines, Shape::JsonLines) => self.members(before.trim_ascii_end().ends_with(b"{"), id, code),
            (_, Shape::Columns) => {
                if self.renderer.from != Shape::Columns {
                    let columns = &mut self.columns;
                    self.renderer.cells(number, before, |index, cell| columns[index].push(cell))?;
                }
                let last = self.columns.len() - 2;
                self.columns[last].push(id);
                self.columns[last + 1].push(code);
            }
            (_, Shape::Separated(delimiter)) => {
                let text = &mut self.text;
                self.renderer.cells(number, before, |_, cell| {
                    separated::write_field(text, cell.unwrap_or_default().as_bytes(), delimiter);
                    text.push(delimiter);
                })?;
                text.extend_from_slice(id.unwrap_or_default().as_bytes());
                text.push(delimiter);
                text.extend_from_slice(code.unwrap_or_default().as_bytes());
                text.push(b'\n');
            }
            (_, Shape::JsonLines) => {
                let text = &mut self.text;
                let names = &self.renderer.names;
                self.renderer.cells(number, before, |index, cell| {
                    text.push(if index == 0 { b'{' } else { b',' });
                    text.extend_from_slice(json_text(&names[index]).as_bytes());
                    text.push(b':');
                    text.extend_from_slice(cell.map_or("null".into(), json_text).as_bytes());
                })?;
                self.members(false, id, code);
                self.text.extend_from_slice(b"}\n");
            }
        }
        Ok(())
    }

    fn members(&mut self, mut first: bool, id: Option<&str>, code: Option<&str>) {
        for (key, value) in self.keys.iter().zip([id, code]) {
            if !first {
                self.text.push(b',');
            }
            first = false;
            self.text.extend_from_slice(key.as_bytes());
            match value {
                None => self.text.extend_from_slice(b"null"),
                // The client has looked at both: they need no escapes.
                Some(value) => {
                    self.text.push(b'"');
                    self.text.extend_from_slice(value.as_bytes());
                    self.text.push(b'"');
                }
            }
        }
    }

    fn reject(&mut self, number: u64, before: &[u8], after: &[u8], id: &[u8], refusal: Refusal<'_>) {
        let out = &mut self.rejects;
        match self.renderer.from {
            Shape::Separated(delimiter) => {
                out.extend_from_slice(before);
                for value in [refusal.code, refusal.message] {
                    out.push(delimiter);
                    separated::write_field(out, value.as_bytes(), delimiter);
                }
                out.extend_from_slice(if after.is_empty() { b"\n" } else { after });
            }
            Shape::JsonLines => {
                out.extend_from_slice(before);
                let comma = if before.trim_ascii_end().ends_with(b"{") { "" } else { "," };
                let [code, message] = Renderer::reject_columns().map(json_text);
                let members = [comma, &code, ":", &json_text(refusal.code), ",", &message, ":", &json_text(refusal.message), "}\n"];
                out.extend_from_slice(members.concat().as_bytes());
            }
            Shape::Columns => {
                let number = number.to_string();
                for (index, value) in [number.as_bytes(), id, refusal.code.as_bytes(), refusal.message.as_bytes()].into_iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    separated::write_field(out, value, b',');
                }
                out.push(b'\n');
            }
        }
    }
}

impl Renderer {
    /// Gives each cell of a row in the order of the columns.
    fn cells(&self, row: u64, text: &[u8], mut cell: impl FnMut(usize, Option<&str>)) -> Result<(), Fault> {
        match self.from {
            Shape::Separated(delimiter) => {
                for (index, field) in separated::fields(text, delimiter).into_iter().enumerate() {
                    let value = separated::value(&text[field]);
                    let fault = |_| Fault::NotText { row, column: self.names[index].clone() };
                    cell(index, Some(std::str::from_utf8(&value).map_err(fault)?));
                }
            }
            Shape::JsonLines => {
                let object = [text, b"}"].concat();
                let fault = |cause: serde_json::Error| Fault::NotAnObject { row, cause: cause.to_string() };
                let mut members = json_lines::members(&object).map_err(fault)?;
                for (index, name) in self.names.iter().enumerate() {
                    let place = members.iter().position(|(member, _)| member == name);
                    let value = place.map(|place| members.remove(place).1);
                    cell(index, value.and_then(json_lines::cell).as_deref());
                }
                if let Some((member, _)) = members.first() {
                    return Err(Fault::UnknownMember { row, member: member.to_string() });
                }
            }
            Shape::Columns => {}
        }
        Ok(())
    }
}

fn json_text(text: &str) -> String {
    serde_json::to_string(text).expect("a text always has a JSON form")
}

/// A part of a compressed file: a whole member or frame, so that a file can be cut after any of them.
pub(super) fn compressed(text: Vec<u8>, compression: Compression) -> Vec<u8> {
    const INFALLIBLE: &str = "memory takes all that is written";
    match compression {
        _ if text.is_empty() => text,
        Compression::None => text,
        Compression::Gzip => {
            let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 2), flate2::Compression::default());
            encoder.write_all(&text).expect(INFALLIBLE);
            encoder.finish().expect(INFALLIBLE)
        }
        Compression::Zstd => zstd::encode_all(&text[..], zstd::DEFAULT_COMPRESSION_LEVEL).expect(INFALLIBLE),
    }
}

/// Names as text, which they are in most files.
pub(super) fn texts(names: &[Vec<u8>]) -> Vec<String> {
    names.iter().map(|name| String::from_utf8_lossy(name)).map(Cow::into_owned).collect()
}
