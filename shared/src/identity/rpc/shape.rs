//! The shape of an item: which bytes of it are the same in each, and where its id and its target lie.

use std::ops::Range;

/// The longest item that has a shape, in bytes.
const MAX: usize = 192;
/// Bytes that are compared at once.
const BLOCK: usize = 16;
const BLOCKS: usize = MAX / BLOCK;
/// Shapes that are known at once: a batch has few kinds of ids, each of one length.
const SHAPES: usize = 4;

/// Bytes of a target's code.
const TARGET: usize = 4;

/// The shape of an item and of what follows it.
pub(super) struct Shape {
    length: usize,
    blocks: usize,
    /// The least byte that an item has at a place, and how far above it another may be.
    least: [[u8; BLOCK]; BLOCKS],
    span: [[u8; BLOCK]; BLOCKS],
    /// Ones where an item has any byte of an id or a target.
    hole: [[u8; BLOCK]; BLOCKS],
    id: Range<usize>,
    target: Option<usize>,
}

/// An item of a known shape.
pub(super) struct Item<'a> {
    /// Its id, which has no blanks, quotes, commas, escapes or other bytes that mean something: see [`is_plain`].
    pub(super) id: &'a [u8],
    /// Its target.
    pub(super) target: Option<[u8; TARGET]>,
    /// The length of it and of what follows it.
    pub(super) length: usize,
}

impl Shape {
    /// The shape of an item with what follows it, an id at `id` in it, and a target at `target`.
    fn of(item: &[u8], id: Range<usize>, target: Option<Range<usize>>) -> Option<Self> {
        let plain = |range: &Range<usize>| item.get(range.clone()).is_some_and(|bytes| bytes.iter().copied().all(is_plain));
        let known = target.as_ref().is_none_or(|target| target.len() == TARGET && plain(target));
        if item.len() > MAX || !item.is_ascii() || id.is_empty() || !plain(&id) || !known {
            return None;
        }
        // Past the item is whatever follows it.
        let (mut least, mut span, mut hole) = ([[0; BLOCK]; BLOCKS], [[u8::MAX; BLOCK]; BLOCKS], [[0; BLOCK]; BLOCKS]);
        for (index, &byte) in item.iter().enumerate() {
            let free = id.contains(&index) || target.as_ref().is_some_and(|target| target.contains(&index));
            let (block, place) = (index / BLOCK, index % BLOCK);
            (least[block][place], span[block][place]) = if free { (FIRST, LAST - FIRST) } else { (byte, 0) };
            hole[block][place] = if free { u8::MAX } else { 0 };
        }
        let blocks = item.len().div_ceil(BLOCK);
        Some(Self { length: item.len(), blocks, least, span, hole, id, target: target.map(|target| target.start) })
    }

    /// The item at the beginning of a text, if it has this shape. Near the end of a text it is not looked for.
    #[inline]
    fn find<'a>(&self, text: &'a [u8]) -> Option<Item<'a>> {
        let window = text.get(..self.blocks * BLOCK)?.as_chunks::<BLOCK>().0;
        let mut blocks = window.iter().zip(&self.least).zip(&self.span).zip(&self.hole);
        if !blocks.all(|(((bytes, least), span), hole)| fits(bytes, least, span, hole)) {
            return None;
        }
        let target = self.target.and_then(|start| text[start..].first_chunk().copied());
        Some(Item { id: &text[self.id.clone()], target, length: self.length })
    }
}

/// Whether each byte is at most its span above the least, and no escape in a hole.
#[inline]
fn fits(bytes: &[u8; BLOCK], least: &[u8; BLOCK], span: &[u8; BLOCK], hole: &[u8; BLOCK]) -> bool {
    // Without branches, so that many bytes are looked at at once.
    let odd: [u8; BLOCK] = std::array::from_fn(|index| {
        let above = bytes[index].wrapping_sub(least[index]).saturating_sub(span[index]);
        above | (u8::from(bytes[index] == ESCAPE) & hole[index])
    });
    u128::from_ne_bytes(odd) == 0
}

/// The bytes that ids consist of lie between these; quotes, commas, blanks and what is not ASCII do not.
const FIRST: u8 = b'-';
const LAST: u8 = b'~';
/// The one between them that means something.
const ESCAPE: u8 = b'\\';

/// Whether a byte may be taken for one of an id: it ends no string and no field, begins no escape, and may not be cut off.
const fn is_plain(byte: u8) -> bool {
    byte >= FIRST && byte <= LAST && byte != ESCAPE
}

/// Shapes that are learned before any is found again.
const PATIENCE: usize = 32;
/// Items that a further shape has to be worth.
const WORTH: usize = 16;

/// The shapes that a body's items had so far.
#[derive(Default)]
pub(super) struct Shapes {
    known: Vec<Shape>,
    /// How many were learned, and how many items had one of them.
    learned: usize,
    found: usize,
    /// The one that the last item had.
    last: usize,
    /// The next to be forgotten.
    oldest: usize,
}

impl Shapes {
    /// The item at the beginning of a text, if it has a known shape.
    #[inline]
    pub(super) fn find<'a>(&mut self, text: &'a [u8]) -> Option<Item<'a>> {
        if let Some(item) = self.known.get(self.last)?.find(text) {
            self.found += 1;
            return Some(item);
        }
        if self.is_vain() {
            return None;
        }
        let (index, item) = self.known.iter().enumerate().find_map(|(index, shape)| Some((index, shape.find(text)?)))?;
        self.last = index;
        self.found += 1;
        Some(item)
    }

    /// Learns the shape of an item: see [`Shape::of`].
    pub(super) fn learn(&mut self, item: &[u8], id: Range<usize>, target: Option<Range<usize>>) {
        if self.is_vain() {
            return;
        }
        let Some(shape) = Shape::of(item, id, target) else { return };
        self.learned += 1;
        if self.known.len() < SHAPES {
            self.last = self.known.len();
            self.known.push(shape);
        } else {
            self.last = self.oldest;
            self.known[self.oldest] = shape;
            self.oldest = (self.oldest + 1) % SHAPES;
        }
    }

    /// Whether items have shapes of their own, as those with a number in them: then it is in vain to learn and to look for them.
    const fn is_vain(&self) -> bool {
        self.learned >= PATIENCE + self.found / WORTH
    }
}
