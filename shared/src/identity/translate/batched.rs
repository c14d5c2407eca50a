//! The kernel for every processor: each step for many ids at once, by crates that use what the processor has.

use zeroize::Zeroize;

use super::kernel::{Columns, Keys, SLOT, Verdict, stride};
use crate::{
    crypto::siv::{BLOCK, COUNTER, Cipher},
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
    /// Bytes of the bodies, one after another as they were decoded: rows of `stride / 4 * 3`.
    raw: [u8; ROWS * 48],
    tags: [[u8; BLOCK]; ROWS],
    payloads: [[[u8; BLOCK]; ROWS]; BLOCKS],
    /// What goes through the cipher.
    work: [[u8; BLOCK]; ROWS],
    /// Bodies as they were encoded.
    characters: [u8; ROWS * 64],
}

impl<const BLOCKS: usize> Tile<BLOCKS> {
    const CHARACTERS: usize = stride(BLOCKS);
    const BYTES: usize = Self::CHARACTERS / 4 * 3;

    const fn new() -> Self {
        Self {
            raw: [0; ROWS * 48],
            tags: [[0; BLOCK]; ROWS],
            payloads: [[[0; BLOCK]; ROWS]; BLOCKS],
            work: [[0; BLOCK]; ROWS],
            characters: [0; ROWS * 64],
        }
    }

    fn run(mut self, keys: &Keys<'_>, columns: &mut Columns) {
        let bodies = columns.bodies.chunks(ROWS * Self::CHARACTERS);
        let texts = columns.texts.as_chunks_mut::<SLOT>().0.chunks_mut(ROWS);
        for ((bodies, texts), verdicts) in bodies.zip(texts).zip(columns.verdicts.chunks_mut(ROWS)) {
            self.decode(bodies, verdicts);
            self.open(keys, verdicts);
            self.seal(keys, verdicts.len());
            self.encode(texts, verdicts.len());
        }
        // Native payloads are nobody's business once they are encrypted again.
        self.payloads.as_flattened_mut().as_flattened_mut().zeroize();
        self.work.as_flattened_mut().zeroize();
    }

    /// Decodes bodies into tags and payloads.
    fn decode(&mut self, bodies: &[u8], verdicts: &mut [Verdict]) {
        decode(bodies, &mut self.raw[..verdicts.len() * Self::BYTES], Self::BYTES, verdicts);
        for (row, (bytes, verdict)) in self.raw.chunks_exact(Self::BYTES).zip(verdicts).enumerate() {
            let (blocks, spare) = bytes.as_chunks::<BLOCK>();
            self.tags[row] = blocks[0];
            for (payload, block) in self.payloads.iter_mut().zip(&blocks[1..]) {
                payload[row] = *block;
            }
            if spare.first().is_some_and(|spare| *spare != 0) {
                *verdict = Verdict::Malformed;
            }
        }
    }

    /// Decrypts the payloads and compares the tags.
    fn open(&mut self, keys: &Keys<'_>, verdicts: &mut [Verdict]) {
        let (source, mask) = keys.source;
        self.xor_key_stream(&source.ctr, verdicts.len());
        self.authenticate(&source.mac, mask.0, verdicts.len());
        for ((tag, computed), verdict) in self.tags.iter().zip(&self.work).zip(verdicts) {
            // All sixteen bytes, wherever they differ.
            let difference = u128::from_ne_bytes(*tag) ^ u128::from_ne_bytes(*computed);
            if difference != 0 && *verdict == Verdict::Translated {
                *verdict = Verdict::Foreign;
            }
        }
    }

    /// Computes the target's tags and encrypts the payloads; nothing reads those that are not genuine.
    fn seal(&mut self, keys: &Keys<'_>, rows: usize) {
        let (target, mask) = keys.target;
        self.authenticate(&target.mac, mask.0, rows);
        self.tags[..rows].copy_from_slice(&self.work[..rows]);
        self.xor_key_stream(&target.ctr, rows);
    }

    /// Encodes tags and payloads as the bodies of texts.
    fn encode(&mut self, texts: &mut [[u8; SLOT]], rows: usize) {
        for (row, bytes) in self.raw.chunks_exact_mut(Self::BYTES).take(rows).enumerate() {
            let (blocks, spare) = bytes.as_chunks_mut::<BLOCK>();
            blocks[0] = self.tags[row];
            for (payload, block) in self.payloads.iter().zip(&mut blocks[1..]) {
                *block = payload[row];
            }
            spare.fill(0);
        }
        let encoded = &mut self.characters[..rows * Self::CHARACTERS];
        let _ = base64_simd::URL_SAFE_NO_PAD.encode(&self.raw[..rows * Self::BYTES], base64_simd::Out::from_slice(encoded));
        for (text, body) in texts.iter_mut().zip(encoded.chunks_exact(Self::CHARACTERS)) {
            text[HEAD..][..Self::CHARACTERS].copy_from_slice(body);
        }
    }

    /// Counter mode from the tags: decrypts and encrypts.
    fn xor_key_stream(&mut self, cipher: &Cipher, rows: usize) {
        for (index, payload) in (0..).zip(&mut self.payloads) {
            let work = &mut self.work[..rows];
            for (counter, tag) in work.iter_mut().zip(&self.tags) {
                *counter = and(*tag, COUNTER.to_be_bytes());
                if index > 0 {
                    *counter = (u128::from_be_bytes(*counter) + index).to_be_bytes();
                }
            }
            cipher.encrypt_blocks(work);
            for (block, stream) in payload.iter_mut().zip(work) {
                *block = xor(*block, *stream);
            }
        }
    }

    /// S2V of the payloads, into `work`.
    fn authenticate(&mut self, cipher: &Cipher, mask: u128, rows: usize) {
        let mask = mask.to_be_bytes();
        for (index, payload) in self.payloads.iter().enumerate() {
            let work = &mut self.work[..rows];
            for (state, block) in work.iter_mut().zip(payload) {
                let before = if index == 0 { [0; BLOCK] } else { *state };
                let masked = if index + 1 == BLOCKS { xor(*block, mask) } else { *block };
                *state = xor(before, masked);
            }
            cipher.encrypt_blocks(work);
        }
    }
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

fn and(a: [u8; BLOCK], b: [u8; BLOCK]) -> [u8; BLOCK] {
    (u128::from_ne_bytes(a) & u128::from_ne_bytes(b)).to_ne_bytes()
}

fn xor(a: [u8; BLOCK], b: [u8; BLOCK]) -> [u8; BLOCK] {
    (u128::from_ne_bytes(a) ^ u128::from_ne_bytes(b)).to_ne_bytes()
}
