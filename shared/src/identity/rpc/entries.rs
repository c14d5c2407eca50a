//! Entries of `transcode_data`, read by their patterns, or key by key.

use super::{
    cursor::{Cursor, Fallback, Text},
    pattern::{Item, PatternCache},
    write::Writer,
};
use crate::identity::{domain::Domain, translate::Batch};

/// Reads entries, pushes their ids, and announces the form of each entry to the writer.
pub(super) struct Entries<'b, 's, 'o> {
    batch: &'b mut Batch<'s>,
    writer: Writer<'o>,
    /// Patterns of entries of one id.
    singles: PatternCache,
    /// Patterns of ids in groups.
    members: PatternCache,
}

/// The fields of an entry.
#[derive(Default)]
struct Fields<'a> {
    /// Which of `value`, `target` and `values` were read, to detect duplicates.
    seen: [bool; 3],
    value: Option<Text<'a>>,
    target: Option<Text<'a>>,
    values: Option<Values>,
}

/// How the ids of a group are read.
#[derive(Clone, Copy)]
enum Mode {
    /// Push each id with the target, which is `None` if it is not a domain.
    Push(Option<Domain>),
    /// Only find the end: the target is not known yet.
    Scan,
}

/// The ids of a group.
enum Values {
    /// The ids were pushed, because the target was known.
    Pushed,
    /// The ids begin at this position. They are pushed when the target is known.
    Deferred(usize),
}

impl<'b, 's, 'o> Entries<'b, 's, 'o> {
    pub(super) fn new(batch: &'b mut Batch<'s>, out: &'o mut Vec<u8>, end: u8) -> Self {
        Self { batch, writer: Writer::new(out, end), singles: PatternCache::default(), members: PatternCache::default() }
    }

    /// Reads an array of entries and the white space after it.
    pub(super) fn array(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fallback> {
        cursor.expect(b'[')?;
        if cursor.eat(b']') {
            return Ok(());
        }
        loop {
            while let Some(item) = self.singles.find(cursor.rest()) {
                self.single(&item)?;
                cursor.at += item.length;
            }
            // The separator after the last match may have more white space than its pattern.
            cursor.skip_whitespace();
            let start = cursor.at;
            let spans = self.entry(cursor)?;
            cursor.skip_whitespace();
            if cursor.eat(b',') {
                self.learn(&cursor.text[start..cursor.at], start, spans);
            } else {
                cursor.expect(b']')?;
                self.writer.flush(self.batch);
                return Ok(());
            }
        }
    }

    /// Reads lines of one entry each. A final line end does not begin another line.
    pub(super) fn lines(&mut self, body: &[u8]) -> Result<(), Fallback> {
        let body = body.strip_suffix(b"\n").unwrap_or(body);
        let mut at = 0;
        loop {
            while let Some(item) = self.singles.find(&body[at..]) {
                self.single(&item)?;
                at += item.length;
            }
            let end = memchr::memchr(b'\n', &body[at..]).map(|length| at + length);
            let line = &body[at..end.unwrap_or(body.len())];
            let mut cursor = Cursor::new(line.strip_suffix(b"\r").unwrap_or(line));
            cursor.skip_whitespace();
            let spans = self.entry(&mut cursor)?;
            cursor.skip_whitespace();
            if cursor.peek().is_some() {
                return Err(Fallback);
            }
            let Some(end) = end else {
                self.writer.flush(self.batch);
                return Ok(());
            };
            self.learn(&body[at..=end], 0, spans);
            at = end + 1;
        }
    }

    /// Pushes an entry that matches a pattern.
    #[inline]
    fn single(&mut self, item: &Item<'_>) -> Result<(), Fallback> {
        let target = item.target.and_then(|target| Domain::from_bytes(target).ok());
        self.push(item.id, target)?;
        self.writer.single();
        self.drain_when_full();
        Ok(())
    }

    fn learn(&mut self, item: &[u8], start: usize, spans: Option<Spans>) {
        if let Some((id, target)) = spans {
            let range = |(from, length): Span| from - start..from - start + length;
            self.singles.learn(item, range(id), Some(range(target)));
        }
    }

    /// Reads one entry of either form. Returns the spans of its id and target, if it has one id and
    /// both are written without escapes.
    fn entry(&mut self, cursor: &mut Cursor<'_>) -> Result<Option<Spans>, Fallback> {
        let fields = self.fields(cursor)?;
        let target = fields.target.ok_or(Fallback)?;
        match (fields.value, fields.values) {
            (Some(value), None) => {
                self.push(&value.bytes, domain(&target))?;
                self.writer.single();
                self.drain_when_full();
                Ok(span(&value).zip(span(&target)))
            }
            (None, Some(Values::Pushed)) => {
                self.writer.close();
                Ok(None)
            }
            (None, Some(Values::Deferred(start))) => {
                self.writer.open();
                self.values(&mut Cursor { text: cursor.text, at: start }, Mode::Push(domain(&target)))?;
                self.writer.close();
                Ok(None)
            }
            _ => Err(Fallback),
        }
    }

    fn fields<'a>(&mut self, cursor: &mut Cursor<'a>) -> Result<Fields<'a>, Fallback> {
        let mut fields = Fields::default();
        cursor.expect(b'{')?;
        if cursor.peek() == Some(b'}') {
            return Err(Fallback);
        }
        loop {
            let key = cursor.string()?;
            cursor.skip_whitespace();
            cursor.expect(b':')?;
            let known = [&b"value"[..], b"target", b"values"].iter().position(|name| **name == *key.bytes);
            if let Some(known) = known
                && std::mem::replace(&mut fields.seen[known], true)
            {
                return Err(Fallback);
            }
            match known {
                Some(_) if cursor.eat_null() => {}
                Some(0) => fields.value = Some(cursor.string()?),
                Some(1) => fields.target = Some(cursor.string()?),
                Some(_) => {
                    fields.values = Some(if let Some(target) = &fields.target {
                        self.writer.open();
                        self.values(cursor, Mode::Push(domain(target)))?;
                        Values::Pushed
                    } else {
                        let start = cursor.at;
                        self.values(cursor, Mode::Scan)?;
                        Values::Deferred(start)
                    });
                }
                None => cursor.skip_value()?,
            }
            cursor.skip_whitespace();
            if !cursor.eat(b',') {
                break;
            }
        }
        // White space after the brace does not belong to the entry.
        if cursor.peek() != Some(b'}') {
            return Err(Fallback);
        }
        cursor.at += 1;
        Ok(fields)
    }

    /// Reads the ids of a group.
    fn values(&mut self, cursor: &mut Cursor<'_>, mode: Mode) -> Result<(), Fallback> {
        cursor.expect(b'[')?;
        if cursor.peek() == Some(b']') {
            cursor.at += 1;
            return Ok(());
        }
        loop {
            while let Some(item) = self.members.find(cursor.rest()) {
                self.member(item.id, mode)?;
                cursor.at += item.length;
            }
            // The separator after the last match may have more white space than its pattern.
            cursor.skip_whitespace();
            let start = cursor.at;
            let mut found = None;
            if cursor.eat_null() {
                self.member(b"", mode)?;
            } else {
                let text = cursor.string()?;
                self.member(&text.bytes, mode)?;
                found = span(&text);
            }
            cursor.skip_whitespace();
            if !cursor.eat(b',') {
                break;
            }
            if let Some((from, length)) = found {
                self.members.learn(&cursor.text[start..cursor.at], from - start..from - start + length, None);
            }
        }
        if cursor.peek() != Some(b']') {
            return Err(Fallback);
        }
        cursor.at += 1;
        Ok(())
    }

    #[inline]
    fn member(&mut self, id: &[u8], mode: Mode) -> Result<(), Fallback> {
        if let Mode::Push(target) = mode {
            self.push(id, target)?;
            self.writer.member();
            self.drain_when_full();
        }
        Ok(())
    }

    /// Pushes an id. If the batch fails, the reference translates it again and reports the error.
    #[inline]
    fn push(&mut self, id: &[u8], target: Option<Domain>) -> Result<(), Fallback> {
        self.batch.push(id, target).map_err(|_| Fallback)
    }

    #[inline]
    fn drain_when_full(&mut self) {
        if self.batch.is_full() {
            self.writer.flush(self.batch);
        }
    }
}

/// The start of a string and its length.
type Span = (usize, usize);
/// The spans of an id and of its target.
type Spans = (Span, Span);

fn span(text: &Text<'_>) -> Option<Span> {
    Some((text.start?, text.bytes.len()))
}

fn domain(target: &Text<'_>) -> Option<Domain> {
    Domain::from_bytes(target.bytes.as_ref().try_into().ok()?).ok()
}
