//! Counts the outcomes of a file's ids by prefix, source domain, target domain and error code.

use std::collections::{BTreeMap, HashMap};

use client::Refusal;
use serde::{Deserialize, Serialize};
use shared::identity::{Domain, Kind};

/// More combinations than a file has. Beyond it, ids are counted without prefix and domains, so
/// that an invalid file does not fill the memory.
const MAX_ENTRIES: usize = 1000;
/// More than the number of documented codes. Beyond it, refusals are counted as `others`.
const MAX_CODES: usize = 100;

/// The outcomes of a file's ids. The journal holds them as JSON.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Stats {
    pub(crate) rows: u64,
    pub(crate) blank: Count,
    /// The number of ids encrypted under a previous key, if every response states it.
    #[serde(default, rename = "previous")]
    pub(crate) under_previous_key: Option<u64>,
    pub(crate) entries: Vec<Entry>,
    /// The index of each entry by its key.
    #[serde(skip)]
    index: HashMap<Key, usize>,
    /// The last id's prefix and domain, its target, and their entry, which most often is that of
    /// the next id too.
    #[serde(skip)]
    last: Option<([u8; 6], Option<Domain>, usize)>,
}

/// The outcomes of the ids with one prefix, one source domain and one target domain.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// `None` if the ids have no prefix of an id.
    pub(crate) prefix: Option<String>,
    pub(crate) from: Option<Domain>,
    /// `None` if the target is not a domain.
    pub(crate) to: Option<Domain>,
    pub(crate) translated: Count,
    /// By error code.
    pub(crate) refused: BTreeMap<String, Refused>,
}

/// The refusals with one error code.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Refused {
    #[serde(flatten)]
    pub(crate) count: Count,
    /// The message of the first refusal.
    pub(crate) message: String,
}

/// A number of rows, and the first of them, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Count {
    pub(crate) rows: u64,
    pub(crate) first: u64,
}

/// An id's prefix and source domain, and its target.
type Key = (Option<[u8; 6]>, Option<Domain>);

impl Count {
    const fn add(&mut self, row: u64) {
        self.merge(Self { rows: 1, first: row });
    }

    const fn merge(&mut self, other: Self) {
        if self.rows == 0 {
            self.first = other.first;
        }
        self.rows += other.rows;
    }
}

impl Stats {
    /// The stats of a single entry.
    pub(crate) fn from_entry(entry: Entry) -> Self {
        Self { rows: entry.rows(), entries: vec![entry], ..Self::default() }
    }

    /// Counts a row whose id is blank.
    pub(crate) const fn count_blank(&mut self, row: u64) {
        self.rows += 1;
        self.blank.add(row);
    }

    /// Counts the outcome of a row's id.
    pub(crate) fn count(&mut self, row: u64, id: &[u8], to: Option<Domain>, outcome: Result<&str, Refusal<'_>>) {
        self.rows += 1;
        let entry = self.entry(id, to);
        match outcome {
            Ok(_) => entry.translated.add(row),
            Err(refusal) => entry.refuse(refusal.code, refusal.message, Count { rows: 1, first: row }),
        }
    }

    /// Adds the stats of the rows that follow.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.under_previous_key = if self.rows == 0 {
            other.under_previous_key
        } else {
            self.under_previous_key.zip(other.under_previous_key).map(|(own, other)| own + other)
        };
        self.rows += other.rows;
        self.blank.merge(other.blank);
        for theirs in &other.entries {
            let entry = self.entry_of(theirs.key());
            entry.translated.merge(theirs.translated);
            for (code, refused) in &theirs.refused {
                entry.refuse(code, &refused.message, refused.count);
            }
        }
    }

    /// The number of translated ids.
    pub(crate) fn translated(&self) -> u64 {
        self.entries.iter().map(|entry| entry.translated.rows).sum()
    }

    /// The number of refused ids by error code.
    pub(crate) fn refused(&self) -> BTreeMap<&str, u64> {
        let mut codes = BTreeMap::new();
        for (code, refused) in self.entries.iter().flat_map(|entry| &entry.refused) {
            *codes.entry(code.as_str()).or_default() += refused.count.rows;
        }
        codes
    }

    /// The number of ids by prefix, empty for those without one.
    pub(crate) fn prefixes(&self) -> BTreeMap<&str, u64> {
        let mut prefixes = BTreeMap::new();
        for entry in &self.entries {
            *prefixes.entry(entry.prefix.as_deref().unwrap_or("")).or_default() += entry.rows();
        }
        prefixes
    }

    fn entry(&mut self, id: &[u8], to: Option<Domain>) -> &mut Entry {
        let head = id.first_chunk::<6>();
        if let Some((last, target, index)) = &self.last
            && head == Some(last)
            && *target == to
        {
            return &mut self.entries[*index];
        }
        let looks_like_an_id = |head: &&[u8; 6]| {
            let [a, b, domain @ ..] = **head;
            Kind::from_prefix([a, b]).is_some() && Domain::from_bytes(domain).is_ok()
        };
        let known = head.filter(looks_like_an_id).copied();
        let index = self.index_of((known, to));
        self.last = head.map(|head| (*head, to, index));
        &mut self.entries[index]
    }

    fn entry_of(&mut self, key: Key) -> &mut Entry {
        let index = self.index_of(key);
        &mut self.entries[index]
    }

    fn index_of(&mut self, key: Key) -> usize {
        // The index is empty after deserialization.
        if self.index.len() != self.entries.len() {
            self.index = self.entries.iter().enumerate().map(|(index, entry)| (entry.key(), index)).collect();
        }
        if let Some(index) = self.index.get(&key) {
            return *index;
        }
        if self.entries.len() >= MAX_ENTRIES && key != (None, None) {
            return self.index_of((None, None));
        }
        self.entries.push(Entry::new(key));
        self.index.insert(key, self.entries.len() - 1);
        self.entries.len() - 1
    }
}

impl Entry {
    fn new((head, to): Key) -> Self {
        let prefix = head.map(|head| String::from_utf8_lossy(&head[..2]).into_owned());
        let from = head.and_then(|[_, _, domain @ ..]| Domain::from_bytes(domain).ok());
        Self { prefix, from, to, ..Self::default() }
    }

    fn key(&self) -> Key {
        let head = self.prefix.as_deref().zip(self.from).and_then(|(prefix, from)| {
            let mut head = [0; 6];
            head[..2].copy_from_slice(prefix.as_bytes().first_chunk::<2>()?);
            head[2..].copy_from_slice(from.as_bytes());
            Some(head)
        });
        (head, self.to)
    }

    /// The number of rows.
    pub(crate) fn rows(&self) -> u64 {
        self.translated.rows + self.refused.values().map(|refused| refused.count.rows).sum::<u64>()
    }

    fn refuse(&mut self, code: &str, message: &str, count: Count) {
        const MAX_MESSAGE_CHARS: usize = 100;
        let fits = self.refused.len() < MAX_CODES || self.refused.contains_key(code);
        let code = if fits { code } else { "others" };
        if let Some(refused) = self.refused.get_mut(code) {
            return refused.count.merge(count);
        }
        let message = message.chars().filter(|char| !char.is_control()).take(MAX_MESSAGE_CHARS).collect();
        self.refused.insert(code.into(), Refused { count, message });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: &str) -> Result<&str, Refusal<'_>> {
        Err(Refusal { code, message: "why\u{1b}" })
    }

    #[test]
    fn merged_stats_equal_those_of_the_whole() {
        let to = |text: &str| text.parse::<Domain>().ok();
        let rows = [
            ("XY1005a", to("1006"), Ok("XY1006a")),
            ("XY1007a", to("1006"), refusal("S009")),
            ("hello world", to("1006"), refusal("I001")),
            ("Xi1005b", to("1008"), Ok("Xi1008b")),
            ("XY1005c", None, refusal("E007")),
        ];
        let mut whole = Stats::default();
        let mut chunks = [Stats::default(), Stats::default()];
        for (row, (id, to, outcome)) in (1..).zip(rows) {
            whole.count(row, id.as_bytes(), to, outcome);
            chunks[usize::from(row > 2)].count(row, id.as_bytes(), to, outcome);
        }
        whole.count_blank(6);
        chunks[1].count_blank(6);
        let [mut first, second] = chunks;
        first.merge(&second);
        assert_eq!(format!("{:?}", first.entries), format!("{:?}", whole.entries));
        assert_eq!((first.rows, first.blank, first.translated()), (6, Count { rows: 1, first: 6 }, 2));
        assert_eq!(first.refused(), BTreeMap::from([("I001", 1), ("S009", 1), ("E007", 1)]));
        assert_eq!(first.prefixes(), BTreeMap::from([("", 1), ("XY", 3), ("Xi", 1)]));

        let text = serde_json::to_string(&whole).unwrap();
        let mut read: Stats = serde_json::from_str(&text).unwrap();
        read.count(7, b"XY1005z", to("1006"), Ok("XY1006z"));
        assert_eq!((read.entries.len(), read.entries[0].translated), (5, Count { rows: 2, first: 1 }));
    }

    #[test]
    fn the_number_of_entries_is_bounded() {
        let mut stats = Stats::default();
        for row in 1..=5000_u64 {
            stats.count(row, format!("XY{row:04}").as_bytes(), None, Ok(""));
        }
        assert_eq!(stats.translated(), 5000);
        assert!(stats.entries.len() <= MAX_ENTRIES + 1);
    }
}
