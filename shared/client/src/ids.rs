//! Ids to translate, stored in columns: one text for all ids, and their targets in runs.

use std::ops::Range;

use shared::identity::{Domain, Kind};

/// Ids to translate, each with its target domain.
///
/// All ids share one text, so that an id needs no allocation of its own.
#[derive(Clone, Debug)]
pub struct Ids {
    /// One line for each id.
    lines: Vec<u8>,
    /// Where each id ends in the lines.
    ends: Vec<usize>,
    runs: Vec<Run>,
    /// Whether all ids are plain: see [`is_plain`].
    plain: bool,
}

/// Consecutive ids with one target.
#[derive(Clone, Copy, Debug)]
struct Run {
    target: Domain,
    /// The index after the last id.
    end: usize,
}

/// Whether an id is not empty and holds only characters of ids, so that it can be sent as a line.
#[must_use]
pub fn is_plain(id: &[u8]) -> bool {
    !id.is_empty() && has_id_alphabet(id)
}

/// Whether `value` has the form of an id of `domain`: prefix, domain, and a body of base64url.
pub(crate) fn is_id_of(value: &str, domain: Domain) -> bool {
    let bytes = value.as_bytes();
    bytes.len() > 6 && bytes[2..6] == *domain.as_bytes() && has_id_alphabet(bytes)
}

/// Whether at most 255 bytes are all letters, digits, `-` or `_`.
fn has_id_alphabet(bytes: &[u8]) -> bool {
    // Other bytes are counted, in a byte, instead of searched: the loop is vectorised.
    let other = |byte: u8| u8::from(!byte.is_ascii_alphanumeric()) & u8::from(byte != b'-') & u8::from(byte != b'_');
    bytes.len() < 256 && bytes.iter().fold(0, |count: u8, byte| count.wrapping_add(other(*byte))) == 0
}

impl Default for Ids {
    fn default() -> Self {
        Self { lines: Vec::new(), ends: Vec::new(), runs: Vec::new(), plain: true }
    }
}

impl Ids {
    /// Returns an empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns an empty list with capacity for `ids` ids of the shortest kind.
    #[must_use]
    pub fn with_capacity(ids: usize) -> Self {
        let line = Kind::Maintained.text_len() + 1;
        Self { lines: Vec::with_capacity(ids * line), ends: Vec::with_capacity(ids), ..Self::default() }
    }

    /// Appends an id to translate into the domain `target`.
    pub fn push(&mut self, id: &str, target: Domain) {
        self.plain &= is_plain(id.as_bytes());
        self.add(id.as_bytes(), target);
    }

    /// Appends an id that is already known to be plain ([`is_plain`]).
    pub fn push_plain(&mut self, id: &[u8], target: Domain) {
        debug_assert!(is_plain(id), "the id was checked");
        self.add(id, target);
    }

    fn add(&mut self, id: &[u8], target: Domain) {
        self.lines.extend_from_slice(id);
        self.ends.push(self.lines.len());
        self.lines.push(b'\n');
        match self.runs.last_mut() {
            Some(run) if run.target == target => run.end = self.ends.len(),
            _ => self.runs.push(Run { target, end: self.ends.len() }),
        }
    }

    /// Removes all ids and keeps the capacity.
    pub fn clear(&mut self) {
        self.lines.clear();
        self.ends.clear();
        self.runs.clear();
        self.plain = true;
    }

    /// Returns the number of ids.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no ids.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Iterates over each id with its target, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], Domain)> {
        self.as_slice().groups().flat_map(|group| group.ids().map(move |id| (id, group.target)))
    }

    /// Where the line of an id starts.
    fn start(&self, index: usize) -> usize {
        index.checked_sub(1).map_or(0, |before| self.ends[before] + 1)
    }

    /// Returns all ids as one slice.
    pub(crate) const fn as_slice(&self) -> IdSlice<'_> {
        IdSlice { ids: self, start: 0, end: self.len() }
    }
}

/// Consecutive ids: what one request carries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IdSlice<'a> {
    ids: &'a Ids,
    start: usize,
    end: usize,
}

/// Consecutive ids of a slice with one target.
#[derive(Clone, Debug)]
pub(crate) struct Group<'a> {
    ids: &'a Ids,
    pub(crate) target: Domain,
    indices: Range<usize>,
}

impl<'a> IdSlice<'a> {
    /// Returns the number of ids.
    pub(crate) const fn len(self) -> usize {
        self.end - self.start
    }

    /// Returns the ids, one on each line.
    pub(crate) fn lines(self) -> &'a [u8] {
        &self.ids.lines[self.ids.start(self.start)..self.ids.start(self.end)]
    }

    /// Whether all ids are known to be plain: see [`is_plain`].
    pub(crate) const fn is_plain(self) -> bool {
        self.ids.plain
    }

    /// Returns the first half and the second.
    pub(crate) const fn halves(self) -> (Self, Self) {
        let middle = self.start + self.len() / 2;
        (Self { end: middle, ..self }, Self { start: middle, ..self })
    }

    /// Iterates over the runs of one target.
    pub(crate) fn groups(self) -> impl Iterator<Item = Group<'a>> + Clone {
        let Self { ids, start, end } = self;
        let first = ids.runs.partition_point(|run| run.end <= start);
        ids.runs[first..]
            .iter()
            .scan(start, move |from, run| {
                let indices = *from..run.end.min(end);
                *from = indices.end;
                Some(Group { ids, target: run.target, indices })
            })
            .take_while(|group| !group.indices.is_empty())
    }
}

impl<'a> Group<'a> {
    /// Returns the number of ids.
    pub(crate) fn len(&self) -> usize {
        self.indices.len()
    }

    /// Iterates over the ids, in order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a> {
        let ids = self.ids;
        self.indices.clone().map(|index| &ids.lines[ids.start(index)..ids.ends[index]])
    }

    /// Iterates over the ids as texts.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
        self.ids().map(|id| str::from_utf8(id).expect("ids are pushed as text, or are plain"))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Returns ids with their targets.
    pub(crate) fn ids(pairs: &[(&str, &str)]) -> Ids {
        let mut ids = Ids::new();
        for (id, target) in pairs {
            ids.push(id, target.parse().unwrap());
        }
        ids
    }

    fn groups(slice: IdSlice<'_>) -> Vec<(String, Vec<&str>)> {
        slice.groups().map(|group| (group.target.to_string(), group.texts().collect())).collect()
    }

    #[test]
    fn iteration_returns_what_was_pushed() {
        let pairs = [("a", "1006"), ("", "1006"), ("é", "1007"), ("b", "1006")];
        let ids = ids(&pairs);
        let found: Vec<_> = ids.iter().map(|(id, target)| (id, target.to_string())).collect();
        assert_eq!(found, pairs.map(|(id, target)| (id.as_bytes(), target.to_owned())));
        assert_eq!((ids.len(), ids.as_slice().lines()), (4, "a\n\né\nb\n".as_bytes()));
        assert!(!ids.as_slice().is_plain());
    }

    #[test]
    fn halves_keep_their_runs() {
        let ids = ids(&[("a", "1006"), ("b", "1007"), ("c", "1007"), ("d", "1007"), ("e", "1008")]);
        let (left, right) = ids.as_slice().halves();
        assert_eq!(groups(left), [("1006".to_owned(), vec!["a"]), ("1007".to_owned(), vec!["b"])]);
        assert_eq!(groups(right), [("1007".to_owned(), vec!["c", "d"]), ("1008".to_owned(), vec!["e"])]);
        assert_eq!((left.lines(), right.lines(), right.is_plain()), (&b"a\nb\n"[..], &b"c\nd\ne\n"[..], true));
        assert!(groups(Ids::new().as_slice()).is_empty());
    }

    #[test]
    fn a_cleared_list_is_reused() {
        let mut ids = ids(&[("a", "1006")]);
        ids.clear();
        assert!(ids.is_empty());
        ids.push("b", "1007".parse().unwrap());
        assert_eq!(groups(ids.as_slice()), [("1007".to_owned(), vec!["b"])]);
    }
}
