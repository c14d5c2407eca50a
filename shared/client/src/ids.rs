//! Ids to translate, in columns: one text for all of them, and their targets in runs.

use std::ops::Range;

use shared::identity::{Domain, Kind};

use super::answer::is_of_ids;

/// Ids to translate, each with the domain to translate it into. There is one text for all of them: no id has an allocation of its own.
#[derive(Clone, Debug)]
pub struct Ids {
    /// A line for each id.
    lines: Vec<u8>,
    /// Where each id ends in the lines.
    ends: Vec<usize>,
    runs: Vec<Run>,
    /// Whether all of them are plain: see [`is_plain`].
    plain: bool,
}

/// Ids that follow one another and have one target.
#[derive(Clone, Copy, Debug)]
struct Run {
    target: Domain,
    /// The index after the last id.
    end: usize,
}

/// Whether an id consists of characters that ids consist of: it may be a line as it is.
#[must_use]
pub fn is_plain(id: &[u8]) -> bool {
    !id.is_empty() && is_of_ids(id)
}

impl Default for Ids {
    fn default() -> Self {
        Self { lines: Vec::new(), ends: Vec::new(), runs: Vec::new(), plain: true }
    }
}

impl Ids {
    /// No ids.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// No ids, and room for so many of the shortest kind.
    #[must_use]
    pub fn with_capacity(ids: usize) -> Self {
        let line = Kind::Maintained.text_len() + 1;
        Self { lines: Vec::with_capacity(ids * line), ends: Vec::with_capacity(ids), ..Self::default() }
    }

    /// Adds an id that is to be translated into the domain `target`.
    pub fn push(&mut self, id: &str, target: Domain) {
        self.plain &= is_plain(id.as_bytes());
        self.add(id.as_bytes(), target);
    }

    /// The same for an id that is known to be plain: it is not looked at again.
    pub fn push_plain(&mut self, id: &[u8], target: Domain) {
        debug_assert!(is_plain(id), "an id that was looked at");
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

    /// Forgets the ids and keeps their room, for the next ones.
    pub fn clear(&mut self) {
        self.lines.clear();
        self.ends.clear();
        self.runs.clear();
        self.plain = true;
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Each id with its target, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], Domain)> {
        self.all().runs().flat_map(|run| run.ids().map(move |id| (id, run.target)))
    }

    /// Where the line of an id begins.
    fn start(&self, index: usize) -> usize {
        index.checked_sub(1).map_or(0, |before| self.ends[before] + 1)
    }

    /// All of them, as one part.
    pub(super) const fn all(&self) -> Part<'_> {
        Part { ids: self, start: 0, end: self.len() }
    }
}

/// Some of the ids, which follow one another: what one request carries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    ids: &'a Ids,
    start: usize,
    end: usize,
}

/// The ids of a part that follow one another and have one target.
#[derive(Clone, Debug)]
pub(super) struct Group<'a> {
    ids: &'a Ids,
    pub(super) target: Domain,
    indices: Range<usize>,
}

impl<'a> Part<'a> {
    /// How many ids there are.
    pub(super) const fn len(self) -> usize {
        self.end - self.start
    }

    /// The ids, a line each.
    pub(super) fn lines(self) -> &'a [u8] {
        &self.ids.lines[self.ids.start(self.start)..self.ids.start(self.end)]
    }

    /// Whether all of them are known to be plain: see [`is_plain`].
    pub(super) const fn is_plain(self) -> bool {
        self.ids.plain
    }

    /// The first half and the second.
    pub(super) const fn halves(self) -> (Self, Self) {
        let middle = self.start + self.len() / 2;
        (Self { end: middle, ..self }, Self { start: middle, ..self })
    }

    /// The ids, run by run of one target.
    pub(super) fn runs(self) -> impl Iterator<Item = Group<'a>> + Clone {
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
    /// How many ids there are.
    pub(super) fn len(&self) -> usize {
        self.indices.len()
    }

    /// The ids, in order.
    pub(super) fn ids(&self) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a> {
        let ids = self.ids;
        self.indices.clone().map(|index| &ids.lines[ids.start(index)..ids.ends[index]])
    }

    /// The same as texts.
    pub(super) fn texts(&self) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
        self.ids().map(|id| str::from_utf8(id).expect("plain ids and texts are text"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::ids;

    fn runs(part: Part<'_>) -> Vec<(String, Vec<&str>)> {
        part.runs().map(|run| (run.target.to_string(), run.texts().collect())).collect()
    }

    #[test]
    fn ids_come_out_as_they_went_in() {
        let pairs = [("a", "1006"), ("", "1006"), ("é", "1007"), ("b", "1006")];
        let ids = ids(&pairs);
        let found: Vec<_> = ids.iter().map(|(id, target)| (id, target.to_string())).collect();
        assert_eq!(found, pairs.map(|(id, target)| (id.as_bytes(), target.to_owned())));
        assert_eq!((ids.len(), ids.all().lines()), (4, "a\n\né\nb\n".as_bytes()));
        assert!(!ids.all().is_plain());
    }

    #[test]
    fn halves_keep_their_runs() {
        let ids = ids(&[("a", "1006"), ("b", "1007"), ("c", "1007"), ("d", "1007"), ("e", "1008")]);
        let (left, right) = ids.all().halves();
        assert_eq!(runs(left), [("1006".to_owned(), vec!["a"]), ("1007".to_owned(), vec!["b"])]);
        assert_eq!(runs(right), [("1007".to_owned(), vec!["c", "d"]), ("1008".to_owned(), vec!["e"])]);
        assert_eq!((left.lines(), right.lines(), right.is_plain()), (&b"a\nb\n"[..], &b"c\nd\ne\n"[..], true));
        assert!(runs(Ids::new().all()).is_empty());
    }

    #[test]
    fn room_is_used_again() {
        let mut ids = ids(&[("a", "1006")]);
        ids.clear();
        assert!(ids.is_empty());
        ids.push("b", "1007".parse().unwrap());
        assert_eq!(runs(ids.all()), [("1007".to_owned(), vec!["b"])]);
    }
}
