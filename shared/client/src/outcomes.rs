//! The outcomes of a translation, stored in columns: one text for all translated ids, and a list of
//! the refused ones.

use std::ops::Range;

/// The outcome of each id, in the order of the ids.
#[derive(Clone, Debug, Default)]
pub struct Outcomes {
    text: String,
    /// Where each id is in the text. The range of a refused one is empty, which no id is.
    ranges: Vec<(u32, u32)>,
    /// The refused ids, in order.
    refused: Vec<Refused>,
    reasons: Vec<Reason>,
    /// How many ids were encoded under a previous key, if the server says so.
    previous: Option<u64>,
}

/// Why an id was not translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal<'a> {
    /// The documented code.
    pub code: &'a str,
    /// The server's message.
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

/// The number of known reasons that a new one is compared with. There are usually few. The limit
/// bounds the work if a server never repeats a message.
const MAX_COMPARED_REASONS: usize = 32;

impl Outcomes {
    /// Returns an empty list with capacity for `ids` outcomes and `bytes` bytes of text.
    pub(crate) fn with_capacity(ids: usize, bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), ranges: Vec::with_capacity(ids), ..Self::default() }
    }

    /// Returns `ids` refusals for one reason.
    pub(crate) fn all_refused(ids: usize, code: &str, message: &str) -> Self {
        let mut outcomes = Self { previous: Some(0), ..Self::with_capacity(ids, 0) };
        (0..ids).for_each(|_| outcomes.refuse(code, message));
        outcomes
    }

    /// Returns the number of outcomes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Whether there are no outcomes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The outcome with this index, from 0.
    ///
    /// # Panics
    /// When there is none with this index.
    pub fn get(&self, index: usize) -> Result<&str, Refusal<'_>> {
        match self.id(index) {
            "" => {
                let position = self.refused.partition_point(|refused| refused.index < index);
                let Reason { code, message } = &self.reasons[self.refused[position].reason];
                Err(Refusal { code, message })
            }
            id => Ok(id),
        }
    }

    /// Returns how many of the translated ids were encoded under a previous key of their domain, or
    /// `None` if the server does not say so.
    #[must_use]
    pub const fn under_previous_key(&self) -> Option<u64> {
        self.previous
    }

    /// Sets the number of ids under a previous key.
    pub(crate) const fn with_previous(mut self, previous: Option<u64>) -> Self {
        self.previous = previous;
        self
    }

    /// Iterates over the outcomes, in order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Result<&str, Refusal<'_>>> {
        (0..self.len()).map(|index| self.get(index))
    }

    /// Returns the id at `index`. It is empty if it was refused.
    fn id(&self, index: usize) -> &str {
        let (start, end) = self.ranges[index];
        &self.text[start as usize..end as usize]
    }

    /// Appends an id, which must not be empty.
    pub fn push(&mut self, id: &str) {
        let start = self.text.len();
        self.text.push_str(id);
        self.push_range(start..self.text.len());
    }

    /// Appends an id by its range in the text that is set later, by [`with_text`](Self::with_text).
    pub(crate) fn push_range(&mut self, range: Range<usize>) {
        self.ranges.push((offset(range.start), offset(range.end)));
    }

    /// Sets the text that the ranges refer to.
    pub(crate) fn with_text(self, text: String) -> Self {
        Self { text, ..self }
    }

    /// Appends a refusal.
    pub fn refuse(&mut self, code: &str, message: &str) {
        self.leave_gap();
        self.fill_gap(self.len() - 1, code, message);
    }

    /// Appends a gap, which is to become a refusal.
    pub(crate) fn leave_gap(&mut self) {
        self.ranges.push((0, 0));
    }

    /// Whether the outcome at `index` is a gap or a refusal.
    pub(crate) fn is_gap(&self, index: usize) -> bool {
        self.id(index).is_empty()
    }

    /// Turns a gap into a refusal. Gaps are filled in their order.
    pub(crate) fn fill_gap(&mut self, index: usize, code: &str, message: &str) {
        let is_same = |reason: &Reason| reason.code == code && reason.message == message;
        let oldest = self.reasons.len().saturating_sub(MAX_COMPARED_REASONS);
        let known = self.reasons[oldest..].iter().rposition(is_same).map(|index| oldest + index);
        let reason = known.unwrap_or_else(|| {
            self.reasons.push(Reason { code: code.into(), message: message.into() });
            self.reasons.len() - 1
        });
        self.refused.push(Refused { index, reason });
    }

    /// Appends the outcomes of `other`.
    pub(crate) fn append(&mut self, other: &Self) {
        let (ids, bytes, reasons) = (self.len(), offset(self.text.len()), self.reasons.len());
        self.text.push_str(&other.text);
        self.ranges.extend(other.ranges.iter().map(|(start, end)| (bytes + start, bytes + end)));
        self.refused.extend(other.refused.iter().map(|Refused { index, reason }| Refused { index: ids + index, reason: reasons + reason }));
        self.reasons.extend_from_slice(&other.reasons);
        self.previous = self.previous.zip(other.previous).map(|(one, other)| one + other);
    }
}

/// Converts an offset in the text. The text of one slice is far below 4 GiB.
fn offset(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("a response has less than 4 GiB")
}

/// Whether a text has the form of a documented code.
pub(crate) fn is_code(code: &str) -> bool {
    (1..=16).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric())
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
    const NOT_PERMITTED: Refusal<'static> = Refusal { code: "S009", message: "" };

    #[test]
    fn outcomes_keep_their_order() {
        let outcomes = some();
        assert_eq!(outcomes.iter().collect::<Vec<_>>(), [Ok("a"), Err(SHORT), Ok("bc"), Err(NOT_PERMITTED), Err(SHORT)]);
        assert_eq!((outcomes.get(2), outcomes.reasons.len()), (Ok("bc"), 2));
    }

    #[test]
    fn appended_outcomes_follow_the_others() {
        let mut outcomes = some();
        outcomes.append(&some());
        assert_eq!(outcomes.len(), 10);
        assert_eq!(outcomes.iter().skip(5).collect::<Vec<_>>(), some().iter().collect::<Vec<_>>());
        assert_eq!(outcomes.get(8), Err(NOT_PERMITTED));
    }

    #[test]
    fn a_thousand_different_reasons_stay_different() {
        let mut outcomes = Outcomes::default();
        (0..1000).for_each(|number| outcomes.refuse("I001", &number.to_string()));
        assert!(outcomes.iter().enumerate().all(|(index, outcome)| outcome.unwrap_err().message == index.to_string()));
    }
}
