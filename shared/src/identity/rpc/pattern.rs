//! The shape of an item: which bytes of it are the same in each, and where its id and its target lie.

use std::ops::Range;

/// The longest item that has a shape, in bytes.
const MAX_ITEM_BYTES: usize = 192;
/// Bytes that are compared at once.
const CHUNK_BYTES: usize = 16;
const MAX_CHUNKS: usize = MAX_ITEM_BYTES / CHUNK_BYTES;
/// Patterns that are known at once: a batch has few kinds of ids, each of one length.
const MAX_PATTERNS: usize = 4;

/// Bytes of a target's code.
const TARGET_BYTES: usize = 4;

/// The shape of an item and of what follows it.
pub(super) struct Pattern {
    length: usize,
    blocks: usize,
    /// The min byte that an item has at a place, and how far above it another may be.
    min: [[u8; CHUNK_BYTES]; MAX_CHUNKS],
    range: [[u8; CHUNK_BYTES]; MAX_CHUNKS],
    /// Ones where an item has any byte of an id or a target.
    wildcard: [[u8; CHUNK_BYTES]; MAX_CHUNKS],
    id: Range<usize>,
    target: Option<usize>,
}

/// An item of a known shape.
pub(super) struct Item<'a> {
    /// Its id, which has no blanks, quotes, commas, escapes or other bytes that mean something: see [`is_plain`].
    pub(super) id: &'a [u8],
    /// Its target.
    pub(super) target: Option<[u8; TARGET_BYTES]>,
    /// The length of it and of what follows it.
    pub(super) length: usize,
}

impl Pattern {
    /// The shape of an item with what follows it, an id at `id` in it, and a target at `target`.
    fn new(item: &[u8], id: Range<usize>, target: Option<Range<usize>>) -> Option<Self> {
        let plain = |range: &Range<usize>| item.get(range.clone()).is_some_and(|bytes| bytes.iter().copied().all(is_plain));
        let known = target.as_ref().is_none_or(|target| target.len() == TARGET_BYTES && plain(target));
        if item.len() > MAX_ITEM_BYTES || !item.is_ascii() || id.is_empty() || !plain(&id) || !known {
            return None;
        }
        // Past the item is whatever follows it.
        let (mut min, mut range, mut wildcard) =
            ([[0; CHUNK_BYTES]; MAX_CHUNKS], [[u8::MAX; CHUNK_BYTES]; MAX_CHUNKS], [[0; CHUNK_BYTES]; MAX_CHUNKS]);
        for (index, &byte) in item.iter().enumerate() {
            let free = id.contains(&index) || target.as_ref().is_some_and(|target| target.contains(&index));
            let (block, place) = (index / CHUNK_BYTES, index % CHUNK_BYTES);
            (min[block][place], range[block][place]) = if free { (MIN_ID_BYTE, MAX_ID_BYTE - MIN_ID_BYTE) } else { (byte, 0) };
            wildcard[block][place] = if free { u8::MAX } else { 0 };
        }
        let blocks = item.len().div_ceil(CHUNK_BYTES);
        Some(Self { length: item.len(), blocks, min, range, wildcard, id, target: target.map(|target| target.start) })
    }

    /// The item at the beginning of a text, if it has this shape. Near the end of a text it is not looked for.
    #[inline]
    fn find<'a>(&self, text: &'a [u8]) -> Option<Item<'a>> {
        let window = text.get(..self.blocks * CHUNK_BYTES)?.as_chunks::<CHUNK_BYTES>().0;
        let mut blocks = window.iter().zip(&self.min).zip(&self.range).zip(&self.wildcard);
        if !blocks.all(|(((bytes, min), range), wildcard)| fits(bytes, min, range, wildcard)) {
            return None;
        }
        let target = self.target.and_then(|start| text[start..].first_chunk().copied());
        Some(Item { id: &text[self.id.clone()], target, length: self.length })
    }
}

/// Whether each byte is at most its range above the min, and no escape in a wildcard.
#[inline]
fn fits(bytes: &[u8; CHUNK_BYTES], min: &[u8; CHUNK_BYTES], range: &[u8; CHUNK_BYTES], wildcard: &[u8; CHUNK_BYTES]) -> bool {
    // Without branches, so that many bytes are looked at at once.
    let odd: [u8; CHUNK_BYTES] = std::array::from_fn(|index| {
        let above = bytes[index].wrapping_sub(min[index]).saturating_sub(range[index]);
        above | (u8::from(bytes[index] == ESCAPE) & wildcard[index])
    });
    u128::from_ne_bytes(odd) == 0
}

/// The bytes that ids consist of lie between these; quotes, commas, blanks and what is not ASCII do not.
const MIN_ID_BYTE: u8 = b'-';
const MAX_ID_BYTE: u8 = b'~';
/// The one between them that means something.
const ESCAPE: u8 = b'\\';

/// Whether a byte may be taken for one of an id: it ends no string and no field, begins no escape, and may not be cut off.
const fn is_plain(byte: u8) -> bool {
    byte >= MIN_ID_BYTE && byte <= MAX_ID_BYTE && byte != ESCAPE
}

/// Patterns that are learned before any is found again.
const WARM_UP_PATTERNS: usize = 32;
/// Items that a further shape has to be worth.
const HITS_PER_PATTERN: usize = 16;

/// The shapes that a body's items had so far.
#[derive(Default)]
pub(super) struct PatternCache {
    known: Vec<Pattern>,
    /// How many were learned, and how many items had one of them.
    learned: usize,
    hits: usize,
    /// The one that the last item had.
    last_hit: usize,
    /// The next to be forgotten.
    next_evicted: usize,
}

impl PatternCache {
    /// The item at the beginning of a text, if it has a known shape.
    #[inline]
    pub(super) fn find<'a>(&mut self, text: &'a [u8]) -> Option<Item<'a>> {
        if let Some(item) = self.known.get(self.last_hit)?.find(text) {
            self.hits += 1;
            return Some(item);
        }
        if self.is_thrashing() {
            return None;
        }
        let (index, item) = self.known.iter().enumerate().find_map(|(index, pattern)| Some((index, pattern.find(text)?)))?;
        self.last_hit = index;
        self.hits += 1;
        Some(item)
    }

    /// Learns the shape of an item: see [`Pattern::new`].
    pub(super) fn learn(&mut self, item: &[u8], id: Range<usize>, target: Option<Range<usize>>) {
        if self.is_thrashing() {
            return;
        }
        let Some(pattern) = Pattern::new(item, id, target) else { return };
        self.learned += 1;
        if self.known.len() < MAX_PATTERNS {
            self.last_hit = self.known.len();
            self.known.push(pattern);
        } else {
            self.last_hit = self.next_evicted;
            self.known[self.next_evicted] = pattern;
            self.next_evicted = (self.next_evicted + 1) % MAX_PATTERNS;
        }
    }

    /// Whether items have shapes of their own, as those with a number in them: then it is in vain to learn and to look for them.
    const fn is_thrashing(&self) -> bool {
        self.learned >= WARM_UP_PATTERNS + self.hits / HITS_PER_PATTERN
    }
}
