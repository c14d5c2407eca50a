//! The shape of an item: which bytes of it are the same in each, and where its id and its target lie.

use std::ops::Range;

/// The longest item that has a shape, in bytes.
const MAX: usize = 192;
/// Bytes that are compared at once.
const BLOCK: usize = 32;
const BLOCKS: usize = MAX / BLOCK;
/// Shapes that are known at once: a batch has few kinds of ids, each of one length.
const SHAPES: usize = 4;

/// Bytes of a target's code.
const TARGET: usize = 4;

/// The shape of an item and of what follows it.
pub(super) struct Shape {
    length: usize,
    blocks: usize,
    template: [[u8; BLOCK]; BLOCKS],
    /// Ones where an item has the template's byte.
    constant: [[u8; BLOCK]; BLOCKS],
    /// One where an item has any byte of an id or a target.
    hole: [[u8; BLOCK]; BLOCKS],
    id: Range<usize>,
    target: Option<usize>,
}

/// An item of a known shape.
pub(super) struct Item<'a> {
    /// Its id, which has no blanks, quotes, commas, escapes or other bytes that mean something.
    pub(super) id: &'a [u8],
    /// Its target.
    pub(super) target: Option<[u8; TARGET]>,
    /// The length of it and of what follows it.
    pub(super) length: usize,
}

impl Shape {
    /// The shape of an item with what follows it, an id at `id` in it, and a target at `target`.
    fn of(item: &[u8], id: Range<usize>, target: Option<Range<usize>>) -> Option<Self> {
        let plain = |range: &Range<usize>| item.get(range.clone()).is_some_and(|bytes| bytes.iter().all(|byte| meaning(*byte) == 0));
        let known = target.as_ref().is_none_or(|target| target.len() == TARGET && plain(target));
        if item.len() > MAX || !item.is_ascii() || id.is_empty() || !plain(&id) || !known {
            return None;
        }
        let (mut template, mut constant, mut hole) = ([[0; BLOCK]; BLOCKS], [[0; BLOCK]; BLOCKS], [[0; BLOCK]; BLOCKS]);
        for (index, &byte) in item.iter().enumerate() {
            let free = id.contains(&index) || target.as_ref().is_some_and(|target| target.contains(&index));
            let (block, place) = (index / BLOCK, index % BLOCK);
            template[block][place] = byte;
            constant[block][place] = if free { 0 } else { 0xFF };
            hole[block][place] = u8::from(free);
        }
        let blocks = item.len().div_ceil(BLOCK);
        Some(Self { length: item.len(), blocks, template, constant, hole, id, target: target.map(|target| target.start) })
    }

    /// The item at the beginning of a text, if it has this shape. Near the end of a text it is not looked for.
    #[inline]
    fn find<'a>(&self, text: &'a [u8]) -> Option<Item<'a>> {
        let window = text.get(..self.blocks * BLOCK)?.as_chunks::<BLOCK>().0;
        let mut odd = [0; BLOCK];
        for (((bytes, template), constant), hole) in window.iter().zip(&self.template).zip(&self.constant).zip(&self.hole) {
            for index in 0..BLOCK {
                let byte = bytes[index];
                odd[index] |= ((byte ^ template[index]) & constant[index]) | (meaning(byte) & hole[index]);
            }
        }
        if odd != [0; BLOCK] {
            return None;
        }
        let target = self.target.and_then(|start| text[start..].first_chunk().copied());
        Some(Item { id: &text[self.id.clone()], target, length: self.length })
    }
}

/// One if a byte may end a string or a field, begin an escape, or be cut off, so that it is not taken for one of an id; else zero.
#[inline]
fn meaning(byte: u8) -> u8 {
    // Without branches, so that many are told at once.
    let is = |other: u8| u8::from(byte == other);
    u8::from(byte.wrapping_sub(b'!') > b'~' - b'!') | is(b'"') | is(b',') | is(b'\\')
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
