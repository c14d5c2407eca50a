//! What became of ids, in columns: one text for all that were translated, and a list of those that were not.

use std::ops::Range;

/// What became of ids, in their order.
#[derive(Clone, Debug, Default)]
pub struct Outcomes {
    text: String,
    /// Where each id is in the text; a refused one has no length, which no id has.
    places: Vec<(u32, u32)>,
    /// The refused ones, in order.
    refused: Vec<Refused>,
    reasons: Vec<Reason>,
    /// How many of them came under a previous key, where the server tells it.
    previous: Option<u64>,
}

/// Why an id was not translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal<'a> {
    /// The documented code.
    pub code: &'a str,
    /// The server's words.
    pub message: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Refused {
    index: usize,
    reason: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Reason {
    code: String,
    message: String,
}

/// How many reasons are compared with a new one: there are few, and a server that invents new ones does not make us slow.
const COMPARED: usize = 32;

impl Outcomes {
    /// Room for the outcomes of `ids` ids, which have `bytes` bytes.
    pub(super) fn with_capacity(ids: usize, bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), places: Vec::with_capacity(ids), ..Self::default() }
    }

    /// As many refusals for one reason.
    pub(super) fn all_refused(ids: usize, code: &str, message: &str) -> Self {
        let mut outcomes = Self { previous: Some(0), ..Self::with_capacity(ids, 0) };
        (0..ids).for_each(|_| outcomes.refuse(code, message));
        outcomes
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The outcome with this index, from 0.
    ///
    /// # Panics
    /// When there is none with this index.
    pub fn get(&self, index: usize) -> Result<&str, Refusal<'_>> {
        match self.id(index) {
            "" => {
                let place = self.refused.partition_point(|refused| refused.index < index);
                let Reason { code, message } = &self.reasons[self.refused[place].reason];
                Err(Refusal { code, message })
            }
            id => Ok(id),
        }
    }

    /// How many of the translated ids came under a previous key of their domain; `None` where the server does not tell.
    #[must_use]
    pub const fn under_previous_key(&self) -> Option<u64> {
        self.previous
    }

    /// The same outcomes, of which so many came under a previous key.
    pub(super) const fn with_previous(mut self, previous: Option<u64>) -> Self {
        self.previous = previous;
        self
    }

    /// Each of them, in order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Result<&str, Refusal<'_>>> {
        (0..self.len()).map(|index| self.get(index))
    }

    /// The id with this index, or nothing when it was refused.
    fn id(&self, index: usize) -> &str {
        let (start, end) = self.places[index];
        &self.text[start as usize..end as usize]
    }

    /// Adds an id, which is not empty.
    pub fn push(&mut self, id: &str) {
        let start = self.text.len();
        self.text.push_str(id);
        self.place(start..self.text.len());
    }

    /// Adds an id, which will be at this place of the text that these are [`of`](Self::of).
    pub(super) fn place(&mut self, place: Range<usize>) {
        self.places.push((offset(place.start), offset(place.end)));
    }

    /// The same outcomes, of which the ids are in this text.
    pub(super) fn of(self, text: String) -> Self {
        Self { text, ..self }
    }

    /// Adds a refusal.
    pub fn refuse(&mut self, code: &str, message: &str) {
        self.leave_gap();
        self.fill_gap(self.len() - 1, code, message);
    }

    /// Adds what is to become a refusal.
    pub(super) fn leave_gap(&mut self) {
        self.places.push((0, 0));
    }

    /// Whether the outcome with this index is a gap.
    pub(super) fn is_gap(&self, index: usize) -> bool {
        self.id(index).is_empty()
    }

    /// Makes a gap a refusal; gaps are filled in their order.
    pub(super) fn fill_gap(&mut self, index: usize, code: &str, message: &str) {
        let is_it = |reason: &Reason| reason.code == code && reason.message == message;
        let oldest = self.reasons.len().saturating_sub(COMPARED);
        let known = self.reasons[oldest..].iter().rposition(is_it).map(|place| oldest + place);
        let reason = known.unwrap_or_else(|| {
            self.reasons.push(Reason { code: code.into(), message: message.into() });
            self.reasons.len() - 1
        });
        self.refused.push(Refused { index, reason });
    }

    /// Adds what came after these.
    pub(super) fn append(&mut self, other: &Self) {
        let (ids, bytes, reasons) = (self.len(), offset(self.text.len()), self.reasons.len());
        self.text.push_str(&other.text);
        self.places.extend(other.places.iter().map(|(start, end)| (bytes + start, bytes + end)));
        self.refused.extend(other.refused.iter().map(|Refused { index, reason }| Refused { index: ids + index, reason: reasons + reason }));
        self.reasons.extend_from_slice(&other.reasons);
        self.previous = self.previous.zip(other.previous).map(|(one, other)| one + other);
    }
}

/// A place in a text.
fn offset(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("answers to a part have less than 4 GiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Outcomes {
        let mut outcomes = Outcomes::default();
        outcomes.push("a");
        outcomes.refuse("I001", "short");
        outcomes.push("bc");
        outcomes.refuse("S009", "");
        outcomes.refuse("I001", "short");
        outcomes
    }

    const SHORT: Refusal<'static> = Refusal { code: "I001", message: "short" };
    const NO_WAY: Refusal<'static> = Refusal { code: "S009", message: "" };

    #[test]
    fn outcomes_keep_their_order() {
        let outcomes = some();
        assert_eq!(outcomes.iter().collect::<Vec<_>>(), [Ok("a"), Err(SHORT), Ok("bc"), Err(NO_WAY), Err(SHORT)]);
        assert_eq!((outcomes.get(2), outcomes.reasons.len()), (Ok("bc"), 2));
    }

    #[test]
    fn what_comes_after_is_added() {
        let mut outcomes = some();
        outcomes.append(&some());
        assert_eq!(outcomes.len(), 10);
        assert_eq!(outcomes.iter().skip(5).collect::<Vec<_>>(), some().iter().collect::<Vec<_>>());
        assert_eq!(outcomes.get(8), Err(NO_WAY));
    }

    #[test]
    fn a_thousand_reasons_are_kept_apart() {
        let mut outcomes = Outcomes::default();
        (0..1000).for_each(|number| outcomes.refuse("I001", &number.to_string()));
        assert!(outcomes.iter().enumerate().all(|(index, outcome)| outcome.unwrap_err().message == index.to_string()));
    }
}
