//! The ids of a request, wherever they stand.

use serde_json::value::RawValue;

use super::{
    Body, Csv, Error,
    cursor::{Cursor, Fallback},
    entries::Entries,
    reference,
};
use crate::identity::translate::{Batch, Usage};

/// The longest that may stand before `transcode_data` for a body to be read in one go: tokens, with room.
const MAX_HEAD_BYTES: usize = 1 << 18;

/// The ids of a request, not yet looked at.
#[derive(Clone, Copy, Debug)]
pub enum Ids<'a> {
    /// The array of `transcode_data`, known to be JSON.
    Array(&'a RawValue),
    /// A JSON body from that array to its end, not known to be JSON: see [`Body::begin`].
    Unvalidated(&'a [u8]),
    /// Lines, each an entry.
    Lines(&'a [u8]),
    /// Lines of `text/csv`.
    Csv(Csv<'a>),
}

impl<'a> Body<'a> {
    /// Reads what stands before the array of a body that ends with `transcode_data`, in one go; the array is for [`Ids::transcode`].
    ///
    /// `None` says nothing of the body but that [`Body::parse`] has to read it.
    #[must_use]
    pub fn begin(text: &'a [u8]) -> Option<(Body<'static>, Ids<'a>)> {
        const KEY: &[u8] = b"\"transcode_data\"";
        text.trim_ascii_end().strip_suffix(b"}")?.trim_ascii_end().strip_suffix(b"]")?;
        let key = memchr::memmem::find(&text[..text.len().min(MAX_HEAD_BYTES)], KEY)?;
        let mut cursor = Cursor { text, at: key + KEY.len() };
        cursor.space();
        cursor.take(b':').ok()?;
        if cursor.peek() != Some(b'[') {
            return None;
        }
        // With nothing in the array's place and the object closed, it is a body only if the key is one of the object itself.
        let head = [&text[..cursor.at], b"null}"].concat();
        let Body { rpc, client_id, client_secret, smart_token, init_token, transcode_data: None } = Body::parse(&head).ok()? else {
            return None;
        };
        let head = Body { rpc, client_id, client_secret, smart_token, init_token, transcode_data: None };
        Some((head, Ids::Unvalidated(cursor.rest())))
    }
}

impl Ids<'_> {
    /// Translates the ids in batches that `begin` begins, writing the answers to `out`: one an entry or a line, in order.
    ///
    /// What is not read by shape and key is read again by the [`mod@reference`], in a new batch. An [`Ids::Unvalidated`] is not, but
    /// [`Error::Unvalidated`]: what it stands in has to be read as a whole.
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

    /// Translates the ids by shape and key alone.
    fn scan(self, batch: &mut Batch<'_>, out: &mut Vec<u8>) -> Result<(), Fallback> {
        match self {
            Self::Array(data) => array(&mut Cursor::new(data.get().as_bytes()), batch, out),
            Self::Unvalidated(text) => {
                let mut cursor = Cursor::new(text);
                array(&mut cursor, batch, out)?;
                cursor.take(b'}')?;
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
