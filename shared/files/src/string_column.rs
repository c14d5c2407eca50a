//! A column of optional strings in Parquet's form: one buffer, and a definition level per row.

use bytes::Bytes;
use parquet::data_type::ByteArray;

/// A column of optional strings.
#[derive(Clone, Debug, Default)]
pub(crate) struct StringColumn {
    text: Vec<u8>,
    /// The end of each present string in `text`.
    ends: Vec<usize>,
    /// Per row 1 if the string is present, 0 if it is null.
    levels: Vec<i16>,
}

impl StringColumn {
    /// Appends a string, or null.
    pub(crate) fn push(&mut self, text: Option<&str>) {
        self.levels.push(i16::from(text.is_some()));
        if let Some(text) = text {
            self.text.extend_from_slice(text.as_bytes());
            self.ends.push(self.text.len());
        }
    }

    /// The size of the column in memory, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len() + size_of::<usize>() * self.ends.len() + size_of::<i16>() * self.levels.len()
    }

    /// The strings in order, `None` for null.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Option<&str>> {
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

    /// The present strings, which share one buffer, and the definition levels.
    pub(crate) fn into_values(self) -> (Vec<ByteArray>, Vec<i16>) {
        let text = Bytes::from(self.text);
        let mut start = 0;
        let values = self.ends.into_iter().map(|end| ByteArray::from(text.slice(std::mem::replace(&mut start, end)..end))).collect();
        (values, self.levels)
    }
}
