//! Ids to translate, in columns: one text for all of them, and their targets in runs.

use std::ops::Range;

use shared::identity::Domain;

/// Ids to translate, each with the domain to translate it into. There is one text for all of them: no id has an allocation of its own.
#[derive(Clone, Debug, Default)]
pub struct Ids {
    text: String,
    /// Where each id ends in the text.
    ends: Vec<usize>,
    runs: Vec<Run>,
}

/// Ids that follow one another and have one target.
#[derive(Clone, Copy, Debug)]
struct Run {
    target: Domain,
    /// The index after the last id.
    end: usize,
}

impl Ids {
    /// No ids.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an id that is to be translated into the domain `target`.
    pub fn push(&mut self, id: &str, target: Domain) {
        self.text.push_str(id);
        self.ends.push(self.text.len());
        match self.runs.last_mut() {
            Some(run) if run.target == target => run.end = self.ends.len(),
            _ => self.runs.push(Run { target, end: self.ends.len() }),
        }
    }

    /// Forgets the ids and keeps their room, for the next ones.
    pub fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.runs.clear();
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

    /// The id with this index, from 0.
    #[must_use]
    pub fn text(&self, index: usize) -> &str {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[index]]
    }

    /// Each id with its target, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Domain)> {
        self.all().runs().flat_map(|run| run.ids().map(move |id| (id, run.target)))
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

    /// How many bytes the ids have.
    pub(super) fn bytes(self) -> usize {
        let place = |index: usize| index.checked_sub(1).map_or(0, |before| self.ids.ends[before]);
        place(self.end) - place(self.start)
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
    pub(super) fn ids(&self) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
        let ids = self.ids;
        self.indices.clone().map(|index| ids.text(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::tests::ids;

    fn runs(part: Part<'_>) -> Vec<(String, Vec<&str>)> {
        part.runs().map(|run| (run.target.to_string(), run.ids().collect())).collect()
    }

    #[test]
    fn ids_come_out_as_they_went_in() {
        let pairs = [("a", "1006"), ("", "1006"), ("é", "1007"), ("b", "1006")];
        let ids = ids(&pairs);
        let found: Vec<_> = ids.iter().map(|(id, target)| (id, target.to_string())).collect();
        assert_eq!(found, pairs.map(|(id, target)| (id, target.to_owned())));
        assert_eq!((ids.len(), ids.text(2), ids.all().bytes()), (4, "é", 4));
    }

    #[test]
    fn halves_keep_their_runs() {
        let ids = ids(&[("a", "1006"), ("b", "1007"), ("c", "1007"), ("d", "1007"), ("e", "1008")]);
        let (left, right) = ids.all().halves();
        assert_eq!(runs(left), [("1006".to_owned(), vec!["a"]), ("1007".to_owned(), vec!["b"])]);
        assert_eq!(runs(right), [("1007".to_owned(), vec!["c", "d"]), ("1008".to_owned(), vec!["e"])]);
        assert_eq!((left.len(), right.len(), right.bytes()), (2, 3, 3));
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
