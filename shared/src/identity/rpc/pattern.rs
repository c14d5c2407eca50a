//! Patterns of items: the bytes that are the same in each item, and the positions of its id and
//! target.

use std::ops::Range;

/// Maximum length of an item that has a pattern, in bytes.
const MAX_ITEM_BYTES: usize = 192;
/// Bytes that are compared at once.
const CHUNK_BYTES: usize = 16;
const MAX_CHUNKS: usize = MAX_ITEM_BYTES / CHUNK_BYTES;
/// Number of patterns in the cache: a batch has few kinds of ids, each of one length.
const MAX_PATTERNS: usize = 4;
/// Number of patterns to learn before the hit rate is considered.
const WARM_UP_PATTERNS: usize = 32;
/// Number of hits that pay for learning one more pattern.
const HITS_PER_PATTERN: usize = 16;
/// Length of a target's code, in bytes.
const TARGET_BYTES: usize = 4;

/// The bytes of ids and targets are between these. Quotes, commas, blanks and bytes that are not
/// ASCII are not.
const MIN_ID_BYTE: u8 = b'-';
const MAX_ID_BYTE: u8 = b'~';
/// The only byte between them that has a meaning in JSON.
const ESCAPE: u8 = b'\\';

/// The pattern of an item and of the separator after it.
pub(super) struct Pattern {
    length: usize,
    chunks: usize,
    /// The minimum of the byte at each position.
    min: [[u8; CHUNK_BYTES]; MAX_CHUNKS],
    /// The range of the byte at each position: its maximum minus its minimum.
    range: [[u8; CHUNK_BYTES]; MAX_CHUNKS],
    /// 0xFF at the positions of the id and the target, 0 elsewhere.
    wildcard: [[u8; CHUNK_BYTES]; MAX_CHUNKS],
    id: Range<usize>,
    target: Option<usize>,
}

/// An item that matches a pattern.
pub(super) struct Item<'a> {
    /// The id. All its bytes are plain: see [`is_plain`].
    pub(super) id: &'a [u8],
    /// The target.
    pub(super) target: Option<[u8; TARGET_BYTES]>,
    /// The length of the item and the separator after it.
    pub(super) length: usize,
}

impl Pattern {
    /// Makes the pattern of `item`, which includes the separator after it. `id` and `target` are
    /// ranges in it.
    fn new(item: &[u8], id: Range<usize>, target: Option<Range<usize>>) -> Option<Self> {
        let plain = |range: &Range<usize>| item.get(range.clone()).is_some_and(|bytes| bytes.iter().copied().all(is_plain));
        let valid_target = target.as_ref().is_none_or(|target| target.len() == TARGET_BYTES && plain(target));
        if item.len() > MAX_ITEM_BYTES || !item.is_ascii() || id.is_empty() || !plain(&id) || !valid_target {
            return None;
        }
        // After the item, any byte matches.
        let (mut min, mut range, mut wildcard) =
            ([[0; CHUNK_BYTES]; MAX_CHUNKS], [[u8::MAX; CHUNK_BYTES]; MAX_CHUNKS], [[0; CHUNK_BYTES]; MAX_CHUNKS]);
        for (index, &byte) in item.iter().enumerate() {
            let is_wildcard = id.contains(&index) || target.as_ref().is_some_and(|target| target.contains(&index));
            let (chunk, at) = (index / CHUNK_BYTES, index % CHUNK_BYTES);
            (min[chunk][at], range[chunk][at]) = if is_wildcard { (MIN_ID_BYTE, MAX_ID_BYTE - MIN_ID_BYTE) } else { (byte, 0) };
            wildcard[chunk][at] = if is_wildcard { u8::MAX } else { 0 };
        }
        let chunks = item.len().div_ceil(CHUNK_BYTES);
        Some(Self { length: item.len(), chunks, min, range, wildcard, id, target: target.map(|target| target.start) })
    }

    /// Returns the item at the start of a text, if it matches. Never matches if the text is shorter
    /// than the pattern's chunks.
    #[inline]
    fn find<'a>(&self, text: &'a [u8]) -> Option<Item<'a>> {
        let window = text.get(..self.chunks * CHUNK_BYTES)?.as_chunks::<CHUNK_BYTES>().0;
        let mut chunks = window.iter().zip(&self.min).zip(&self.range).zip(&self.wildcard);
        if !chunks.all(|(((bytes, min), range), wildcard)| matches(bytes, min, range, wildcard)) {
            return None;
        }
        let target = self.target.and_then(|start| text[start..].first_chunk().copied());
        Some(Item { id: &text[self.id.clone()], target, length: self.length })
    }
}

/// Whether each byte is in its range, and no wildcard an escape.
#[inline]
fn matches(bytes: &[u8; CHUNK_BYTES], min: &[u8; CHUNK_BYTES], range: &[u8; CHUNK_BYTES], wildcard: &[u8; CHUNK_BYTES]) -> bool {
    // The loop has no branches, so it compiles to vector instructions.
    let mismatch: [u8; CHUNK_BYTES] = std::array::from_fn(|index| {
        let above = bytes[index].wrapping_sub(min[index]).saturating_sub(range[index]);
        above | (u8::from(bytes[index] == ESCAPE) & wildcard[index])
    });
    u128::from_ne_bytes(mismatch) == 0
}

/// Whether a byte of an id has no meaning of its own: it ends no string and no field, begins no
/// escape, and is not trimmed.
const fn is_plain(byte: u8) -> bool {
    byte >= MIN_ID_BYTE && byte <= MAX_ID_BYTE && byte != ESCAPE
}

/// A cache of the patterns of a body's items. The oldest pattern is evicted first.
#[derive(Default)]
pub(super) struct PatternCache {
    patterns: Vec<Pattern>,
    /// Number of patterns learned.
    learned: usize,
    /// Number of items found.
    hits: usize,
    /// Index of the pattern that matched last.
    last_hit: usize,
    /// Index of the oldest pattern.
    oldest: usize,
}

impl PatternCache {
    /// Returns the item at the start of a text, if it matches a cached pattern.
    #[inline]
    pub(super) fn find<'a>(&mut self, text: &'a [u8]) -> Option<Item<'a>> {
        if let Some(item) = self.patterns.get(self.last_hit)?.find(text) {
            self.hits += 1;
            return Some(item);
        }
        if self.is_thrashing() {
            return None;
        }
        let (index, item) = self.patterns.iter().enumerate().find_map(|(index, pattern)| Some((index, pattern.find(text)?)))?;
        self.last_hit = index;
        self.hits += 1;
        Some(item)
    }

    /// Learns the pattern of an item, if it has one. The arguments are those of [`Pattern::new`].
    pub(super) fn learn(&mut self, item: &[u8], id: Range<usize>, target: Option<Range<usize>>) {
        if self.is_thrashing() {
            return;
        }
        let Some(pattern) = Pattern::new(item, id, target) else { return };
        self.learned += 1;
        if self.patterns.len() < MAX_PATTERNS {
            self.last_hit = self.patterns.len();
            self.patterns.push(pattern);
        } else {
            self.last_hit = self.oldest;
            self.patterns[self.oldest] = pattern;
            self.oldest = (self.oldest + 1) % MAX_PATTERNS;
        }
    }

    /// Whether most items have a pattern of their own, for example because they hold row numbers.
    /// Then learning and searching do not pay.
    const fn is_thrashing(&self) -> bool {
        self.learned >= WARM_UP_PATTERNS + self.hits / HITS_PER_PATTERN
    }
}
