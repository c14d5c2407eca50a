//! The kernel for every processor: each step for many ids at once, with crates that detect the
//! processor's features.

use zeroize::Zeroize;

use super::columns::{Columns, ROW_BYTES, RowStatus, stride};
use crate::{
    crypto::siv::{BLOCK_BYTES, COUNTER_MASK, Cipher, Key, Mask},
    identity::{client_keys::KernelKeys, id::LABEL_LEN},
};

/// Rows of a tile. Their blocks fill the widest pipelines and fit the first-level cache.
const TILE_ROWS: usize = 128;

/// Translates all rows.
pub(super) fn run(keys: &KernelKeys<'_>, columns: &mut Columns) {
    match columns.kind().payload_len() / BLOCK_BYTES {
        1 => Tile::<1>::new().run(keys, columns),
        _ => Tile::<2>::new().run(keys, columns),
    }
}

/// [`TILE_ROWS`] ids of `BLOCKS` payload blocks, one column per part.
struct Tile<const BLOCKS: usize> {
    /// The decoded bodies: rows of [`Self::BODY_BYTES`].
    raw: [u8; TILE_ROWS * 48],
    payloads: [[[u8; BLOCK_BYTES]; TILE_ROWS]; BLOCKS],
    /// The cipher's input and output.
    work: [[[u8; BLOCK_BYTES]; TILE_ROWS]; BLOCKS],
    /// The encoded bodies: rows of [`Self::BODY_CHARACTERS`].
    characters: [u8; TILE_ROWS * 64],
}

impl<const BLOCKS: usize> Tile<BLOCKS> {
    const BODY_CHARACTERS: usize = stride(BLOCKS);
    const BODY_BYTES: usize = Self::BODY_CHARACTERS / 4 * 3;

    const fn new() -> Self {
        Self {
            raw: [0; TILE_ROWS * 48],
            payloads: [[[0; BLOCK_BYTES]; TILE_ROWS]; BLOCKS],
            work: [[[0; BLOCK_BYTES]; TILE_ROWS]; BLOCKS],
            characters: [0; TILE_ROWS * 64],
        }
    }

    fn run(mut self, keys: &KernelKeys<'_>, columns: &mut Columns) {
        let bodies = columns.bodies.chunks(TILE_ROWS * Self::BODY_CHARACTERS);
        let texts = columns.texts.as_chunks_mut::<ROW_BYTES>().0.chunks_mut(TILE_ROWS);
        for ((bodies, texts), statuses) in bodies.zip(texts).zip(columns.statuses.chunks_mut(TILE_ROWS)) {
            let bodies = &bodies[..statuses.len() * Self::BODY_CHARACTERS];
            decode(bodies, &mut self.raw[..statuses.len() * Self::BODY_BYTES], Self::BODY_BYTES, statuses);
            self.translate(keys, statuses);
            self.encode(&mut texts[..statuses.len()]);
        }
        // Native payloads must not stay on the stack after they are encrypted.
        self.payloads.as_flattened_mut().as_flattened_mut().zeroize();
        self.work.as_flattened_mut().as_flattened_mut().zeroize();
    }

    /// Replaces the source's bytes by the target's, in alternating passes of the cipher and over
    /// the rows. The outputs of rows that fail to authenticate are never read.
    fn translate(&mut self, keys: &KernelKeys<'_>, statuses: &mut [RowStatus]) {
        let Self { raw, payloads, work, .. } = self;
        let rows = statuses.len();
        let raw = &mut raw[..rows * Self::BODY_BYTES];
        let ((source, source_mask), (target, target_mask)) = (keys.source, keys.target);

        // Decrypt: counter mode from the tag.
        for (row, (bytes, status)) in raw.chunks_exact(Self::BODY_BYTES).zip(&mut *statuses).enumerate() {
            let (blocks, spare) = bytes.as_chunks::<BLOCK_BYTES>();
            if spare.first().is_some_and(|spare| *spare != 0) {
                *status = RowStatus::Malformed;
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
        for ((bytes, computed), status) in raw.chunks_exact(Self::BODY_BYTES).zip(&work[0]).zip(statuses) {
            // Compares all sixteen bytes, wherever the first difference is.
            let difference = xor(bytes.as_chunks().0[0], *computed);
            if difference != [0; BLOCK_BYTES] && *status == RowStatus::Translated {
                *status = RowStatus::TagMismatch;
            }
        }

        // Encrypt: compute the tag, then counter mode from the tag.
        authenticate(target, target_mask, payloads, work, rows);
        for (row, bytes) in raw.chunks_exact_mut(Self::BODY_BYTES).enumerate() {
            let tag = work[0][row];
            bytes.as_chunks_mut().0[0] = tag;
            for (index, counter) in work.iter_mut().enumerate() {
                counter[row] = counter_block(tag, index);
            }
        }
        encrypt(&target.ctr, work, rows);
        for (row, bytes) in raw.chunks_exact_mut(Self::BODY_BYTES).enumerate() {
            let (blocks, spare) = bytes.as_chunks_mut::<BLOCK_BYTES>();
            for (block, (payload, stream)) in blocks[1..].iter_mut().zip(payloads.iter().zip(&*work)) {
                *block = xor(payload[row], stream[row]);
            }
            spare.fill(0);
        }
    }

    /// Encodes tags and payloads into the bodies of the texts.
    fn encode(&mut self, texts: &mut [[u8; ROW_BYTES]]) {
        let rows = texts.len();
        let encoded = &mut self.characters[..rows * Self::BODY_CHARACTERS];
        let _ = base64_simd::URL_SAFE_NO_PAD.encode(&self.raw[..rows * Self::BODY_BYTES], base64_simd::Out::from_slice(encoded));
        for (text, body) in texts.iter_mut().zip(encoded.chunks_exact(Self::BODY_CHARACTERS)) {
            text[LABEL_LEN..][..Self::BODY_CHARACTERS].copy_from_slice(body);
        }
    }
}

/// Computes S2V of the payloads into the first column of `work`.
fn authenticate<const BLOCKS: usize>(
    key: &Key,
    mask: Mask,
    payloads: &[[[u8; BLOCK_BYTES]; TILE_ROWS]; BLOCKS],
    work: &mut [[[u8; BLOCK_BYTES]; TILE_ROWS]; BLOCKS],
    rows: usize,
) {
    let mask = mask.0.to_be_bytes();
    for (index, payload) in payloads.iter().enumerate() {
        let state = &mut work[0][..rows];
        for (state, block) in state.iter_mut().zip(payload) {
            let before = if index == 0 { [0; BLOCK_BYTES] } else { *state };
            let masked = if index + 1 == BLOCKS { xor(*block, mask) } else { *block };
            *state = xor(before, masked);
        }
        key.mac.encrypt_blocks(state);
    }
}

/// Encrypts the first `rows` of each column in place.
fn encrypt<const BLOCKS: usize>(cipher: &Cipher, work: &mut [[[u8; BLOCK_BYTES]; TILE_ROWS]; BLOCKS], rows: usize) {
    for column in work {
        cipher.encrypt_blocks(&mut column[..rows]);
    }
}

/// The counter of the payload block `index`: the masked tag plus `index`.
fn counter_block(tag: [u8; BLOCK_BYTES], index: usize) -> [u8; BLOCK_BYTES] {
    let counter = u128::from_be_bytes(tag) & COUNTER_MASK;
    (counter + index as u128).to_be_bytes()
}

/// Decodes rows of base64url in one call. If a row is invalid, each half is decoded separately,
/// down to that row, so that an invalid row costs the others few calls.
fn decode(bodies: &[u8], raw: &mut [u8], bytes: usize, statuses: &mut [RowStatus]) {
    if base64_simd::URL_SAFE_NO_PAD.decode(bodies, base64_simd::Out::from_slice(raw)).is_ok() {
        return;
    }
    if let [status] = statuses {
        *status = RowStatus::Malformed;
        raw.fill(0);
        return;
    }
    let half = statuses.len() / 2;
    let (left, right) = bodies.split_at(half * (bodies.len() / statuses.len()));
    let (left_raw, right_raw) = raw.split_at_mut(half * bytes);
    let (left_statuses, right_statuses) = statuses.split_at_mut(half);
    decode(left, left_raw, bytes, left_statuses);
    decode(right, right_raw, bytes, right_statuses);
}

fn xor(a: [u8; BLOCK_BYTES], b: [u8; BLOCK_BYTES]) -> [u8; BLOCK_BYTES] {
    (u128::from_ne_bytes(a) ^ u128::from_ne_bytes(b)).to_ne_bytes()
}
