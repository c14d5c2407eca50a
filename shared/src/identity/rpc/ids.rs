//! The ids of a request, in JSON, JSON lines or CSV.

use serde_json::value::RawValue;

use super::{
    body::Body,
    csv::Csv,
    cursor::{Cursor, Fallback},
    entries::Entries,
    error::Error,
    reference,
};
use crate::identity::translate::{Batch, Usage};

/// Maximum offset of `transcode_data` in a body that the fast path reads: enough for the tokens.
const MAX_HEAD_BYTES: usize = 1 << 18;

/// The ids of a request, not parsed.
#[derive(Clone, Copy, Debug)]
pub enum Ids<'a> {
    /// The array of `transcode_data`, validated as JSON.
    Array(&'a RawValue),
    /// A JSON body from that array to its end, not validated: see [`Body::begin`].
    Unvalidated(&'a [u8]),
    /// Lines of one entry each.
    Lines(&'a [u8]),
    /// Lines of `text/csv`.
    Csv(Csv<'a>),
}

impl<'a> Body<'a> {
    /// Reads the fields before the array of a body whose last field is `transcode_data`. The rest
    /// is for [`Ids::transcode`].
    ///
    /// `None` means that [`Body::parse`] must read the body, whether it is valid or not.
    #[must_use]
    pub fn begin(text: &'a [u8]) -> Option<(Body<'static>, Ids<'a>)> {
        const KEY: &[u8] = b"\"transcode_data\"";
        text.trim_ascii_end().strip_suffix(b"}")?.trim_ascii_end().strip_suffix(b"]")?;
        let key = memchr::memmem::find(&text[..text.len().min(MAX_HEAD_BYTES)], KEY)?;
        let mut cursor = Cursor { text, at: key + KEY.len() };
        cursor.skip_whitespace();
        cursor.expect(b':').ok()?;
        if cursor.peek() != Some(b'[') {
            return None;
        }
        // With `null` instead of the array and the object closed, this is a body only if the key is
        // a key of the outer object.
        let head = [&text[..cursor.at], b"null}"].concat();
        let Body { rpc, client_id, client_secret, smart_token, init_token, transcode_data: None } = Body::parse(&head).ok()? else {
            return None;
        };
        let head = Body { rpc, client_id, client_secret, smart_token, init_token, transcode_data: None };
        Some((head, Ids::Unvalidated(cursor.rest())))
    }
}

impl Ids<'_> {
    /// Translates the ids and writes the answers to `out`: one per entry or line, in order. `begin`
    /// makes a batch.
    ///
    /// Input that the fast path does not accept is read again by [`mod@reference`], in a new batch.
    ///
    /// # Errors
    /// [`Error::Unvalidated`] if the fast path does not accept [`Ids::Unvalidated`]: the body must
    /// be parsed as a whole.
    pub fn transcode<'s>(self, begin: impl Fn() -> Batch<'s>, out: &mut Vec<u8>) -> Result<Usage, Error> {
        let start = out.len();
        let mut batch = begin();
        if self.scan(&mut batch, out).is_ok() {
            return Ok(batch.finish()?);
        }
        out.truncate(start);
        let mut batch = begin();
        match self {
            Self::Array(data) => reference::transcode(data, &mut batch, out)?,
            Self::Lines(lines) => reference::transcode_lines(lines, &mut batch, out)?,
            Self::Csv(csv) => reference::transcode_csv(csv, &mut batch, out)?,
            Self::Unvalidated(_) => return Err(Error::Unvalidated),
        }
        Ok(batch.finish()?)
    }

    /// Translates the ids on the fast path.
    fn scan(self, batch: &mut Batch<'_>, out: &mut Vec<u8>) -> Result<(), Fallback> {
        match self {
            Self::Array(data) => array(&mut Cursor::new(data.get().as_bytes()), batch, out),
            Self::Unvalidated(text) => {
                let mut cursor = Cursor::new(text);
                array(&mut cursor, batch, out)?;
                cursor.expect(b'}')?;
                cursor.rest().is_empty().then_some(()).ok_or(Fallback)
            }
            Self::Lines(lines) => Entries::new(batch, out, b'\n').lines(lines),
            Self::Csv(csv) => csv.scan(batch, out),
        }
    }
}

fn array(cursor: &mut Cursor<'_>, batch: &mut Batch<'_>, out: &mut Vec<u8>) -> Result<(), Fallback> {
    out.push(b'[');
    Entries::new(batch, out, b',').array(cursor)?;
    if out.last() == Some(&b',') {
        out.pop();
    }
    out.push(b']');
    Ok(())
}
