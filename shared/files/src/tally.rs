//! Counts what became of a file's ids, by prefix, pair of domains and code.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use shared::identity::{Domain, Kind};

use client::Refusal;

/// More pairs than anybody has in a file; past them, what looks like a domain is most likely none.
const MAX_ENTRIES: usize = 1000;
/// More than all the documented codes.
const MAX_CODES: usize = 100;

/// What became of a file's ids.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Tally {
    pub(super) rows: u64,
    pub(super) blank: Count,
    /// How many ids came under a previous key, where the server tells it of all of them.
    #[serde(default)]
    pub(super) previous: Option<u64>,
    pub(super) entries: Vec<Entry>,
    /// Where each entry is.
    #[serde(skip)]
    places: HashMap<Key, usize>,
    /// The last id's head and target, and their entry: most often the next id has them too.
    #[serde(skip)]
    last: Option<([u8; 6], Option<Domain>, usize)>,
}

/// What became of the ids of one prefix and domain, on their way to another domain.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Entry {
    /// `None` for what does not look like an id.
    pub(super) prefix: Option<String>,
    pub(super) from: Option<Domain>,
    /// `None` where the target is no domain.
    pub(super) to: Option<Domain>,
    pub(super) translated: Count,
    pub(super) refused: BTreeMap<String, Refused>,
}

/// Refusals with one code.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Refused {
    #[serde(flatten)]
    pub(super) count: Count,
    /// The words about the first.
    pub(super) message: String,
}

/// How many rows, and the first of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Count {
    pub(super) rows: u64,
    pub(super) first: u64,
}

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

impl Tally {
    /// A tally of one entry.
    pub(super) fn of(entry: Entry) -> Self {
        Self { rows: entry.rows(), entries: vec![entry], ..Self::default() }
    }

    /// Counts a row whose id is blank.
    pub(super) const fn blank(&mut self, row: u64) {
        self.rows += 1;
        self.blank.add(row);
    }

    /// Counts a row with its id, its target, and what became of it.
    pub(super) fn count(&mut self, row: u64, id: &[u8], to: Option<Domain>, outcome: Result<&str, Refusal<'_>>) {
        self.rows += 1;
        let entry = self.entry(id, to);
        match outcome {
            Ok(_) => entry.translated.add(row),
            Err(refusal) => entry.refuse(refusal.code, refusal.message, Count { rows: 1, first: row }),
        }
    }

    /// Adds what became of the rows that follow.
    pub(super) fn merge(&mut self, other: &Self) {
        self.previous = if self.rows == 0 { other.previous } else { self.previous.zip(other.previous).map(|(one, other)| one + other) };
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

    /// How many ids were translated.
    pub(super) fn translated(&self) -> u64 {
        self.entries.iter().map(|entry| entry.translated.rows).sum()
    }

    /// How many ids were refused, by code.
    pub(super) fn refused(&self) -> BTreeMap<&str, u64> {
        let mut codes = BTreeMap::new();
        for (code, refused) in self.entries.iter().flat_map(|entry| &entry.refused) {
            *codes.entry(code.as_str()).or_default() += refused.count.rows;
        }
        codes
    }

    /// How many ids there are of each prefix.
    pub(super) fn prefixes(&self) -> BTreeMap<&str, u64> {
        let mut prefixes = BTreeMap::new();
        for entry in &self.entries {
            *prefixes.entry(entry.prefix.as_deref().unwrap_or("")).or_default() += entry.rows();
        }
        prefixes
    }

    fn entry(&mut self, id: &[u8], to: Option<Domain>) -> &mut Entry {
        let head = id.first_chunk::<6>();
        if let Some((last, target, place)) = &self.last
            && head == Some(last)
            && *target == to
        {
            return &mut self.entries[*place];
        }
        let looks_like_an_id = |head: &&[u8; 6]| {
            let [a, b, domain @ ..] = **head;
            Kind::from_prefix([a, b]).is_some() && Domain::from_bytes(domain).is_ok()
        };
        let known = head.filter(looks_like_an_id).copied();
        let place = self.place_of((known, to));
        self.last = head.map(|head| (*head, to, place));
        &mut self.entries[place]
    }

    fn entry_of(&mut self, key: Key) -> &mut Entry {
        let place = self.place_of(key);
        &mut self.entries[place]
    }

    fn place_of(&mut self, key: Key) -> usize {
        if self.places.len() != self.entries.len() {
            self.places = self.entries.iter().enumerate().map(|(place, entry)| (entry.key(), place)).collect();
        }
        if let Some(place) = self.places.get(&key) {
            return *place;
        }
        if self.entries.len() >= MAX_ENTRIES && key != (None, None) {
            return self.place_of((None, None));
        }
        self.entries.push(Entry::new(key));
        self.places.insert(key, self.entries.len() - 1);
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

    /// How many rows it counts.
    pub(super) fn rows(&self) -> u64 {
        self.translated.rows + self.refused.values().map(|refused| refused.count.rows).sum::<u64>()
    }

    fn refuse(&mut self, code: &str, message: &str, count: Count) {
        let room = self.refused.len() < MAX_CODES || self.refused.contains_key(code);
        let code = if room { code } else { "others" };
        if let Some(refused) = self.refused.get_mut(code) {
            return refused.count.merge(count);
        }
        let message = message.chars().filter(|char| !char.is_control()).take(100).collect();
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
    fn parts_make_the_same_tally_as_the_whole() {
        let to = |text: &str| text.parse::<Domain>().ok();
        let rows = [
            ("XY1005a", to("1006"), Ok("XY1006a")),
            ("XY1007a", to("1006"), refusal("S009")),
            ("hello world", to("1006"), refusal("I001")),
            ("Xi1005b", to("1008"), Ok("Xi1008b")),
            ("XY1005c", None, refusal("E007")),
        ];
        let mut whole = Tally::default();
        let mut parts = [Tally::default(), Tally::default()];
        for (row, (id, to, outcome)) in (1..).zip(rows) {
            whole.count(row, id.as_bytes(), to, outcome);
            parts[usize::from(row > 2)].count(row, id.as_bytes(), to, outcome);
        }
        whole.blank(6);
        parts[1].blank(6);
        let [mut first, second] = parts;
        first.merge(&second);
        assert_eq!(format!("{:?}", first.entries), format!("{:?}", whole.entries));
        assert_eq!((first.rows, first.blank, first.translated()), (6, Count { rows: 1, first: 6 }, 2));
        assert_eq!(first.refused(), BTreeMap::from([("I001", 1), ("S009", 1), ("E007", 1)]));
        assert_eq!(first.prefixes(), BTreeMap::from([("", 1), ("XY", 3), ("Xi", 1)]));

        let text = serde_json::to_string(&whole).unwrap();
        let mut read: Tally = serde_json::from_str(&text).unwrap();
        read.count(7, b"XY1005z", to("1006"), Ok("XY1006z"));
        assert_eq!((read.entries.len(), read.entries[0].translated), (5, Count { rows: 2, first: 1 }));
    }

    #[test]
    fn what_only_looks_like_domains_does_not_fill_the_memory() {
        let mut tally = Tally::default();
        for row in 1..=5000_u64 {
            tally.count(row, format!("XY{row:04}").as_bytes(), None, Ok(""));
        }
        assert_eq!(tally.translated(), 5000);
        assert!(tally.entries.len() <= MAX_ENTRIES + 1);
    }
}
