//! A column of optional texts, as Parquet takes them: one text for all, and levels that say which are there.

use bytes::Bytes;
use parquet::data_type::ByteArray;

/// A column of optional texts.
#[derive(Clone, Debug, Default)]
pub(super) struct Strings {
    text: Vec<u8>,
    ends: Vec<usize>,
    levels: Vec<i16>,
}

impl Strings {
    /// Adds a text, or nothing.
    pub(super) fn push(&mut self, text: Option<&str>) {
        self.levels.push(i16::from(text.is_some()));
        if let Some(text) = text {
            self.text.extend_from_slice(text.as_bytes());
            self.ends.push(self.text.len());
        }
    }

    /// How many bytes they have.
    pub(super) fn bytes(&self) -> usize {
        self.text.len() + size_of::<usize>() * self.ends.len() + size_of::<i16>() * self.levels.len()
    }

    /// Each of them, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = Option<&str>> {
        let (mut start, mut ends) = (0, self.ends.iter());
        self.levels.iter().map(move |level| {
            if *level == 0 {
                return None;
            }
            let end = *ends.next()?;
            let text = std::str::from_utf8(&self.text[start..end]).ok();
            start = end;
            text
        })
    }

    /// The texts that are there, none of them copied, and the levels.
    pub(super) fn into_values(self) -> (Vec<ByteArray>, Vec<i16>) {
        let text = Bytes::from(self.text);
        let mut start = 0;
        let values = self.ends.into_iter().map(|end| ByteArray::from(text.slice(std::mem::replace(&mut start, end)..end))).collect();
        (values, self.levels)
    }
}
