//! The kernel for every processor: each step for many ids at once, by crates that use what the processor has.

use zeroize::Zeroize;

use super::kernel::{Columns, Keys, SLOT, Verdict, stride};
use crate::{
    crypto::siv::{BLOCK, COUNTER, Cipher, Key, Mask},
    identity::id::HEAD,
};

/// Ids a step: their blocks fill the widest pipelines and stay in the first-level cache.
const ROWS: usize = 128;

/// Translates all rows.
pub(super) fn run(keys: &Keys<'_>, columns: &mut Columns) {
    match columns.kind().payload_len() / BLOCK {
        1 => Tile::<1>::new().run(keys, columns),
        _ => Tile::<2>::new().run(keys, columns),
    }
}

/// [`ROWS`] ids of `BLOCKS` payload blocks, a column for each part.
struct Tile<const BLOCKS: usize> {
    /// Bytes of the bodies, one after another: rows of `stride / 4 * 3`.
    raw: [u8; ROWS * 48],
    payloads: [[[u8; BLOCK]; ROWS]; BLOCKS],
    /// What goes through the cipher.
    work: [[[u8; BLOCK]; ROWS]; BLOCKS],
    /// Bodies as they were encoded.
    characters: [u8; ROWS * 64],
}

impl<const BLOCKS: usize> Tile<BLOCKS> {
    const CHARACTERS: usize = stride(BLOCKS);
    const BYTES: usize = Self::CHARACTERS / 4 * 3;

    const fn new() -> Self {
        Self { raw: [0; ROWS * 48], payloads: [[[0; BLOCK]; ROWS]; BLOCKS], work: [[[0; BLOCK]; ROWS]; BLOCKS], characters: [0; ROWS * 64] }
    }

    fn run(mut self, keys: &Keys<'_>, columns: &mut Columns) {
        let bodies = columns.bodies.chunks(ROWS * Self::CHARACTERS);
        let texts = columns.texts.as_chunks_mut::<SLOT>().0.chunks_mut(ROWS);
        for ((bodies, texts), verdicts) in bodies.zip(texts).zip(columns.verdicts.chunks_mut(ROWS)) {
            let bodies = &bodies[..verdicts.len() * Self::CHARACTERS];
            decode(bodies, &mut self.raw[..verdicts.len() * Self::BYTES], Self::BYTES, verdicts);
            self.translate(keys, verdicts);
            self.encode(&mut texts[..verdicts.len()]);
        }
        // Native payloads are nobody's business once they are encrypted again.
        self.payloads.as_flattened_mut().as_flattened_mut().zeroize();
        self.work.as_flattened_mut().as_flattened_mut().zeroize();
    }

    /// From the source's bytes to the target's, each pass over the rows between two of the cipher. Nothing reads what comes of rows that are
    /// not genuine.
    fn translate(&mut self, keys: &Keys<'_>, verdicts: &mut [Verdict]) {
        let Self { raw, payloads, work, .. } = self;
        let rows = verdicts.len();
        let raw = &mut raw[..rows * Self::BYTES];
        let ((source, source_mask), (target, target_mask)) = (keys.source, keys.target);

        // Decrypt: counter mode from the tag.
        for (row, (bytes, verdict)) in raw.chunks_exact(Self::BYTES).zip(&mut *verdicts).enumerate() {
            let (blocks, spare) = bytes.as_chunks::<BLOCK>();
            if spare.first().is_some_and(|spare| *spare != 0) {
                *verdict = Verdict::Malformed;
            }
            for (index, (payload, counter)) in (0..).zip(payloads.iter_mut().zip(&mut *work)) {
                (payload[row], counter[row]) = (blocks[index + 1], counter_block(blocks[0], index));
            }
        }
        encrypt(&source.ctr, work, rows);
        for (payload, stream) in payloads.iter_mut().zip(&*work) {
            for (block, stream) in payload.iter_mut().zip(&stream[..rows]) {
                *block = xor(*block, *stream);
            }
        }

        authenticate(source, source_mask, payloads, work, rows);
        for ((bytes, computed), verdict) in raw.chunks_exact(Self::BYTES).zip(&work[0]).zip(verdicts) {
            // All sixteen bytes, wherever they differ.
            let difference = xor(bytes.as_chunks().0[0], *computed);
            if difference != [0; BLOCK] && *verdict == Verdict::Translated {
                *verdict = Verdict::Foreign;
            }
        }

        // Encrypt: the tag, then counter mode from it.
        authenticate(target, target_mask, payloads, work, rows);
        for (row, bytes) in raw.chunks_exact_mut(Self::BYTES).enumerate() {
            let tag = work[0][row];
            bytes.as_chunks_mut().0[0] = tag;
            for (index, counter) in work.iter_mut().enumerate() {
                counter[row] = counter_block(tag, index);
            }
        }
        encrypt(&target.ctr, work, rows);
        for (row, bytes) in raw.chunks_exact_mut(Self::BYTES).enumerate() {
            let (blocks, spare) = bytes.as_chunks_mut::<BLOCK>();
            for (block, (payload, stream)) in blocks[1..].iter_mut().zip(payloads.iter().zip(&*work)) {
                *block = xor(payload[row], stream[row]);
            }
            spare.fill(0);
        }
    }

    /// Encodes tags and payloads as the bodies of texts.
    fn encode(&mut self, texts: &mut [[u8; SLOT]]) {
        let rows = texts.len();
        let encoded = &mut self.characters[..rows * Self::CHARACTERS];
        let _ = base64_simd::URL_SAFE_NO_PAD.encode(&self.raw[..rows * Self::BYTES], base64_simd::Out::from_slice(encoded));
        for (text, body) in texts.iter_mut().zip(encoded.chunks_exact(Self::CHARACTERS)) {
            text[HEAD..][..Self::CHARACTERS].copy_from_slice(body);
        }
    }
}

/// S2V of the payloads, into the first column of `work`.
fn authenticate<const BLOCKS: usize>(
    key: &Key,
    mask: Mask,
    payloads: &[[[u8; BLOCK]; ROWS]; BLOCKS],
    work: &mut [[[u8; BLOCK]; ROWS]; BLOCKS],
    rows: usize,
) {
    let mask = mask.0.to_be_bytes();
    for (index, payload) in payloads.iter().enumerate() {
        let state = &mut work[0][..rows];
        for (state, block) in state.iter_mut().zip(payload) {
            let before = if index == 0 { [0; BLOCK] } else { *state };
            let masked = if index + 1 == BLOCKS { xor(*block, mask) } else { *block };
            *state = xor(before, masked);
        }
        key.mac.encrypt_blocks(state);
    }
}

/// Encrypts the first `rows` of each column.
fn encrypt<const BLOCKS: usize>(cipher: &Cipher, work: &mut [[[u8; BLOCK]; ROWS]; BLOCKS], rows: usize) {
    for column in work {
        cipher.encrypt_blocks(&mut column[..rows]);
    }
}

/// The counter of a payload's block: the tag without two bits, and so many more.
fn counter_block(tag: [u8; BLOCK], index: usize) -> [u8; BLOCK] {
    let counter = u128::from_be_bytes(tag) & COUNTER;
    (counter + index as u128).to_be_bytes()
}

/// Decodes rows of base64url. They are decoded at one go, and where one is not base64url each half by itself, so that it costs the others
/// little.
fn decode(bodies: &[u8], raw: &mut [u8], bytes: usize, verdicts: &mut [Verdict]) {
    if base64_simd::URL_SAFE_NO_PAD.decode(bodies, base64_simd::Out::from_slice(raw)).is_ok() {
        return;
    }
    if let [verdict] = verdicts {
        *verdict = Verdict::Malformed;
        raw.fill(0);
        return;
    }
    let half = verdicts.len() / 2;
    let (left, right) = bodies.split_at(half * (bodies.len() / verdicts.len()));
    let (left_raw, right_raw) = raw.split_at_mut(half * bytes);
    let (left_verdicts, right_verdicts) = verdicts.split_at_mut(half);
    decode(left, left_raw, bytes, left_verdicts);
    decode(right, right_raw, bytes, right_verdicts);
}

fn xor(a: [u8; BLOCK], b: [u8; BLOCK]) -> [u8; BLOCK] {
    (u128::from_ne_bytes(a) ^ u128::from_ne_bytes(b)).to_ne_bytes()
}
