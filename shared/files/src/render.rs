//! Renders a chunk's rows with the outcomes of their ids.

use client::{Outcomes, Refusal};
use shared::identity::{Code, Domain};

use crate::{
    chunk::{Chunk, RowKind},
    column::REJECT_COLUMNS,
    compress::compress,
    delimited,
    format::Compression,
    input_error::InputError,
    json_lines,
    layout::Layout,
    options::Options,
    rendered::{Rendered, RenderedRows},
    schema::Schema,
    stats::Stats,
    string_column::StringColumn,
};

/// Renders rows of one layout in another.
#[derive(Debug)]
pub(crate) struct Renderer {
    pub(crate) from: Layout,
    pub(crate) to: Layout,
    /// The input's columns, used only if the layouts differ.
    pub(crate) names: Vec<String>,
    /// The names of the added columns.
    pub(crate) added: [String; 2],
    pub(crate) compression: Compression,
    /// Whether refused rows are rendered for the rejects file too.
    pub(crate) rejects: bool,
}

/// The outcome of a row's id; `None` if the id is blank.
type Outcome<'a> = Option<Result<&'a str, Refusal<'a>>>;

impl Renderer {
    pub(crate) fn new(schema: &Schema, options: &Options) -> Self {
        Self {
            from: schema.layout,
            to: options.output_layout(),
            names: schema.names.clone(),
            added: options.added_names(),
            compression: options.output_compression(),
            rejects: options.rejects.is_some(),
        }
    }

    /// Renders the rows of `chunk`, whose ids have these `outcomes`, in order.
    pub(crate) fn render(&self, chunk: Chunk, outcomes: &Outcomes) -> Result<Rendered, InputError> {
        assert_eq!(outcomes.len(), chunk.ids.len(), "the client returns one outcome per id");
        let mut out = ChunkRenderer::new(self, &chunk);
        let mut outcomes_by_id = chunk.ids.iter().zip(outcomes.iter());
        let (mut start, mut number) = (0, chunk.first);
        // Where the layout stays, the text is copied with the new values in between.
        let (stays, mut copied) = (self.from == self.to, 0);
        for row in &chunk.rows {
            let (before, after) = (&chunk.text[start..row.insert], &chunk.text[row.insert..row.end]);
            start = row.end;
            let (id, to, outcome): (&[u8], Option<Domain>, Outcome<'_>) = match row.kind {
                RowKind::EmptyLine => continue,
                RowKind::Blank => (b"", None, None),
                RowKind::InvalidTarget => {
                    let refusal = Refusal { code: Code::E007.code(), message: "the target is not a domain: four letters or digits" };
                    (b"", None, Some(Err(refusal)))
                }
                RowKind::Id => {
                    let ((id, target), outcome) = outcomes_by_id.next().expect("there is one outcome per id");
                    (id, Some(target), Some(outcome))
                }
            };
            match outcome {
                None => out.stats.count_blank(number),
                Some(outcome) => out.stats.count(number, id, to, outcome),
            }
            if stays {
                out.text.extend_from_slice(&chunk.text[copied..row.insert]);
                copied = row.insert;
            }
            out.row(number, before, outcome)?;
            if let Some(Err(refusal)) = outcome.filter(|_| self.rejects) {
                out.reject(number, before, after, id, refusal);
            }
            number += 1;
        }
        if stays {
            out.text.extend_from_slice(&chunk.text[copied..]);
        }
        let ChunkRenderer { text, columns, rejects, mut stats, .. } = out;
        stats.under_previous_key = outcomes.under_previous_key();
        let rows = match self.to {
            Layout::Columns => RenderedRows::Columns(columns),
            Layout::Delimited(_) | Layout::JsonLines => RenderedRows::Text(compress(text, self.compression)),
        };
        Ok(Rendered { rows, rejects, stats, after: chunk.after, ends_group: chunk.ends_group, permit: chunk.permit })
    }
}

/// The rows of one chunk, as far as they are rendered.
struct ChunkRenderer<'a> {
    renderer: &'a Renderer,
    /// The JSON before each of the new values.
    keys: [String; 2],
    text: Vec<u8>,
    columns: Vec<StringColumn>,
    rejects: Vec<u8>,
    stats: Stats,
}

impl<'a> ChunkRenderer<'a> {
    fn new(renderer: &'a Renderer, chunk: &Chunk) -> Self {
        const ADDED_BYTES_PER_ROW: usize = 80;
        let own = if renderer.from == renderer.to { 0 } else { renderer.names.len() };
        let columns = if renderer.to == Layout::Columns { own + 2 } else { 0 };
        let capacity = if columns == 0 { chunk.text.len() + ADDED_BYTES_PER_ROW * chunk.rows.len() } else { 0 };
        Self {
            renderer,
            keys: renderer.added.each_ref().map(|name| format!("{}:", json_string(name))),
            text: Vec::with_capacity(capacity),
            columns: vec![StringColumn::default(); columns],
            rejects: Vec::new(),
            stats: Stats::default(),
        }
    }

    fn row(&mut self, number: u64, before: &[u8], outcome: Outcome<'_>) -> Result<(), InputError> {
        let (id, code) = match outcome {
            None => (None, None),
            Some(Ok(id)) => (Some(id), None),
            Some(Err(refusal)) => (None, Some(refusal.code)),
        };
        match (self.renderer.from, self.renderer.to) {
            (Layout::Delimited(_), Layout::Delimited(delimiter)) if self.renderer.from == self.renderer.to => {
                for value in [id, code] {
                    self.text.push(delimiter);
                    if let Some(value) = value {
                        self.text.extend_from_slice(value.as_bytes());
                    }
                }
            }
            (Layout::JsonLines, Layout::JsonLines) => self.members(before.trim_ascii_end().ends_with(b"{"), id, code),
            (_, Layout::Columns) => {
                if self.renderer.from != Layout::Columns {
                    let columns = &mut self.columns;
                    self.renderer.cells(number, before, |index, cell| columns[index].push(cell))?;
                }
                let last = self.columns.len() - 2;
                self.columns[last].push(id);
                self.columns[last + 1].push(code);
            }
            (_, Layout::Delimited(delimiter)) => {
                let text = &mut self.text;
                self.renderer.cells(number, before, |_, cell| {
                    delimited::write_field(text, cell.unwrap_or_default().as_bytes(), delimiter);
                    text.push(delimiter);
                })?;
                text.extend_from_slice(id.unwrap_or_default().as_bytes());
                text.push(delimiter);
                text.extend_from_slice(code.unwrap_or_default().as_bytes());
                text.push(b'\n');
            }
            (_, Layout::JsonLines) => {
                let text = &mut self.text;
                let names = &self.renderer.names;
                self.renderer.cells(number, before, |index, cell| {
                    text.push(if index == 0 { b'{' } else { b',' });
                    text.extend_from_slice(json_string(&names[index]).as_bytes());
                    text.push(b':');
                    text.extend_from_slice(cell.map_or("null".into(), json_string).as_bytes());
                })?;
                self.members(false, id, code);
                self.text.extend_from_slice(b"}\n");
            }
        }
        Ok(())
    }

    /// Appends the two new members of an object; `first` means that it has none yet.
    fn members(&mut self, mut first: bool, id: Option<&str>, code: Option<&str>) {
        for (key, value) in self.keys.iter().zip([id, code]) {
            if !first {
                self.text.push(b',');
            }
            first = false;
            self.text.extend_from_slice(key.as_bytes());
            match value {
                None => self.text.extend_from_slice(b"null"),
                // The client accepts only ids and codes that need no escapes.
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
            Layout::Delimited(delimiter) => {
                out.extend_from_slice(before);
                for value in [refusal.code, refusal.message] {
                    out.push(delimiter);
                    delimited::write_field(out, value.as_bytes(), delimiter);
                }
                out.extend_from_slice(if after.is_empty() { b"\n" } else { after });
            }
            Layout::JsonLines => {
                out.extend_from_slice(before);
                let comma = if before.trim_ascii_end().ends_with(b"{") { "" } else { "," };
                let [code, message] = REJECT_COLUMNS.map(json_string);
                let members = [comma, &code, ":", &json_string(refusal.code), ",", &message, ":", &json_string(refusal.message), "}\n"];
                out.extend_from_slice(members.concat().as_bytes());
            }
            Layout::Columns => {
                let number = number.to_string();
                for (index, value) in [number.as_bytes(), id, refusal.code.as_bytes(), refusal.message.as_bytes()].into_iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    delimited::write_field(out, value, b',');
                }
                out.push(b'\n');
            }
        }
    }
}

impl Renderer {
    /// Passes each cell of a row to `cell`, in the order of the columns.
    fn cells(&self, row: u64, text: &[u8], mut cell: impl FnMut(usize, Option<&str>)) -> Result<(), InputError> {
        match self.from {
            Layout::Delimited(delimiter) => {
                for (index, field) in delimited::fields(text, delimiter).into_iter().enumerate() {
                    let value = delimited::unquote(&text[field]);
                    let not_utf8 = |_| InputError::NotUtf8 { row, column: self.names[index].clone() };
                    cell(index, Some(std::str::from_utf8(&value).map_err(not_utf8)?));
                }
            }
            Layout::JsonLines => {
                let object = [text, b"}"].concat();
                let invalid = |cause: serde_json::Error| InputError::InvalidObject { row, cause: cause.to_string() };
                let mut members = json_lines::members(&object).map_err(invalid)?;
                for (index, name) in self.names.iter().enumerate() {
                    let member = members.iter().position(|(member, _)| member == name);
                    let value = member.map(|member| members.remove(member).1);
                    cell(index, value.and_then(json_lines::cell).as_deref());
                }
                if let Some((member, _)) = members.first() {
                    return Err(InputError::UnknownMember { row, member: member.to_string() });
                }
            }
            Layout::Columns => {}
        }
        Ok(())
    }
}

fn json_string(text: &str) -> String {
    serde_json::to_string(text).expect("a string always has a JSON form")
}
