//! The kernel for x86-64 processors with AES-NI and AVX2: eight ids at a time, one register per
//! block.
//!
//! Eight bodies of 44 or 64 characters fill whole registers of 32. A tile of bodies is decoded as
//! one text, and is still in the first-level cache when the cipher reads it. The base64 algorithms
//! are from W. Muła and D. Lemire, "Faster Base64 Encoding and Decoding using AVX2 Instructions"
//! (2018), adapted to the alphabet of base64url.

use std::{
    arch::x86_64::{
        __m128i, __m256i, _mm_add_epi32, _mm_aesenc_si128 as round, _mm_aesenclast_si128 as last_round, _mm_and_si128 as and,
        _mm_cmpeq_epi8, _mm_movemask_epi8, _mm_shuffle_epi8, _mm_xor_si128 as xor, _mm256_add_epi8, _mm256_and_si256, _mm256_blendv_epi8,
        _mm256_cmpeq_epi8, _mm256_cmpgt_epi8, _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_movemask_epi8, _mm256_mullo_epi16,
        _mm256_or_si256, _mm256_set1_epi8, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_shuffle_epi8, _mm256_srli_epi16, _mm256_srli_epi32,
        _mm256_subs_epu8,
    },
    hint::black_box,
};

use bytemuck::must_cast;

use crate::{
    crypto::siv::{BLOCK_BYTES, COUNTER_MASK, RoundKeys},
    identity::{
        client_keys::KernelKeys,
        id::LABEL_LEN,
        translate::columns::{Columns, ROW_BYTES, RowStatus, stride},
    },
};

/// Rows that go through the cipher together: enough to keep the processor's AES units busy.
pub(super) const ROWS_PER_GROUP: usize = 8;
/// Rows that are decoded together, before the cipher reads the first of them.
const DECODE_ROWS: usize = 8 * ROWS_PER_GROUP;
/// Characters of a register.
const REGISTER_CHARS: usize = 32;
/// Bytes that the characters of a register encode.
const DECODED_BYTES: usize = REGISTER_CHARS / 4 * 3;

/// Translates all rows. Their number is a multiple of [`ROWS_PER_GROUP`].
#[target_feature(enable = "aes,avx2")]
pub(super) fn translate<const BLOCKS: usize>(keys: &KernelKeys<'_>, columns: &mut Columns) {
    let mut tile = Tile::<BLOCKS> { bytes: [0; _], invalid: [0; _] };
    let texts = columns.texts.as_chunks_mut::<ROW_BYTES>().0.chunks_mut(DECODE_ROWS);
    for ((bodies, texts), statuses) in
        columns.bodies.chunks(DECODE_ROWS * stride(BLOCKS)).zip(texts).zip(columns.statuses.chunks_mut(DECODE_ROWS))
    {
        tile.decode(&bodies[..statuses.len() * stride(BLOCKS)]);
        tile.translate(keys, statuses);
        tile.encode(&mut texts[..statuses.len()]);
    }
}

/// The decoded bodies of [`DECODE_ROWS`] rows.
struct Tile<const BLOCKS: usize> {
    /// Rows of [`Self::BODY_BYTES`], and padding for reads past the last row.
    bytes: [u8; DECODE_ROWS * 48 + REGISTER_CHARS],
    /// A mask of the invalid characters of each register.
    invalid: [u32; DECODE_ROWS * 64 / REGISTER_CHARS],
}

impl<const BLOCKS: usize> Tile<BLOCKS> {
    /// Characters and bytes of a body.
    const BODY_CHARACTERS: usize = stride(BLOCKS);
    const BODY_BYTES: usize = Self::BODY_CHARACTERS / 4 * 3;

    /// Decodes bodies. Together they fill whole registers.
    #[target_feature(enable = "aes,avx2")]
    #[inline]
    fn decode(&mut self, bodies: &[u8]) {
        for (register, (characters, invalid)) in bodies.as_chunks::<REGISTER_CHARS>().0.iter().zip(&mut self.invalid).enumerate() {
            let (words, mask) = decode(must_cast(*characters));
            *invalid = mask;
            let [low, high]: [[u8; BLOCK_BYTES]; 2] = must_cast(words);
            if let Some(bytes) = self.bytes[register * DECODED_BYTES..].first_chunk_mut::<{ DECODED_BYTES + 4 }>() {
                bytes[..16].copy_from_slice(&low);
                bytes[12..].copy_from_slice(&high);
            }
        }
    }

    /// Replaces the source's bytes by the target's.
    #[target_feature(enable = "aes,avx2")]
    #[inline]
    fn translate(&mut self, keys: &KernelKeys<'_>, statuses: &mut [RowStatus]) {
        let groups = self
            .bytes
            .chunks_exact_mut(ROWS_PER_GROUP * Self::BODY_BYTES)
            .zip(self.invalid.chunks_exact(ROWS_PER_GROUP * Self::BODY_CHARACTERS / REGISTER_CHARS));
        for ((bytes, invalid), statuses) in groups.zip(statuses.as_chunks_mut::<ROWS_PER_GROUP>().0) {
            translate_group::<BLOCKS>(keys, bytes, statuses);
            for (register, mut characters) in invalid.iter().copied().enumerate() {
                while characters != 0 {
                    let at = register * REGISTER_CHARS + characters.trailing_zeros() as usize;
                    statuses[at / Self::BODY_CHARACTERS] = RowStatus::Malformed;
                    characters &= characters - 1;
                }
            }
        }
    }

    /// Encodes bodies, twelve bytes to sixteen characters. A body of one payload block is two
    /// twelves and a remainder, which is encoded together with its neighbour's remainder.
    #[target_feature(enable = "aes,avx2")]
    #[inline]
    fn encode(&self, texts: &mut [[u8; ROW_BYTES]]) {
        let twelve = |row: usize, index: usize| -> [u8; BLOCK_BYTES] {
            let from = row * Self::BODY_BYTES + index * 12;
            *self.bytes[from..].first_chunk().unwrap_or(&[0; BLOCK_BYTES])
        };
        for (two, texts) in texts.as_chunks_mut::<2>().0.iter_mut().enumerate() {
            for (row, text) in texts.iter_mut().enumerate() {
                let row = two * 2 + row;
                let body = &mut text[LABEL_LEN..];
                body[..32].copy_from_slice(&encode([twelve(row, 0), twelve(row, 1)]));
                if BLOCKS == 2 {
                    body[32..64].copy_from_slice(&encode([twelve(row, 2), twelve(row, 3)]));
                }
            }
            if BLOCKS == 1 {
                let remainders = encode([twelve(two * 2, 2), twelve(two * 2 + 1, 2)]);
                for (text, remainder) in texts.iter_mut().zip(remainders.as_chunks::<BLOCK_BYTES>().0) {
                    text[LABEL_LEN + 32..][..BLOCK_BYTES].copy_from_slice(remainder);
                }
            }
        }
    }
}

#[target_feature(enable = "aes,avx2")]
#[inline]
fn translate_group<const BLOCKS: usize>(keys: &KernelKeys<'_>, bytes: &mut [u8], statuses: &mut [RowStatus; ROWS_PER_GROUP]) {
    let zero: __m128i = must_cast([0_u8; BLOCK_BYTES]);
    let (mut tags, mut payloads) = ([zero; ROWS_PER_GROUP], [[zero; ROWS_PER_GROUP]; BLOCKS]);
    let mut spare = [0; ROWS_PER_GROUP];
    for (row, bytes) in bytes.chunks_exact(Tile::<BLOCKS>::BODY_BYTES).enumerate().take(ROWS_PER_GROUP) {
        let (blocks, remainder) = bytes.as_chunks::<BLOCK_BYTES>();
        tags[row] = must_cast(blocks[0]);
        for index in 0..BLOCKS {
            payloads[index][row] = must_cast(blocks[index + 1]);
        }
        spare[row] = remainder.first().copied().unwrap_or(0);
    }

    let (source, mask) = keys.source;
    xor_key_stream!(payloads, tags, source);
    let computed = authenticate!(payloads, source, mask.0);
    for row in 0..ROWS_PER_GROUP {
        let authentic = _mm_movemask_epi8(_mm_cmpeq_epi8(tags[row], computed[row])) == 0xFFFF;
        statuses[row] = match (spare[row], authentic) {
            (0, true) => RowStatus::Translated,
            (0, false) => RowStatus::TagMismatch,
            _ => RowStatus::Malformed,
        };
    }

    let (target, mask) = keys.target;
    let tags = authenticate!(payloads, target, mask.0);
    xor_key_stream!(payloads, tags, target);
    for (row, bytes) in bytes.chunks_exact_mut(Tile::<BLOCKS>::BODY_BYTES).enumerate().take(ROWS_PER_GROUP) {
        let blocks = bytes.as_chunks_mut::<BLOCK_BYTES>().0;
        blocks[0] = must_cast(tags[row]);
        for index in 0..BLOCKS {
            blocks[index + 1] = must_cast(payloads[index][row]);
        }
    }
}

/// Decodes characters to twelve bytes in each half, and returns a mask of the invalid characters.
#[target_feature(enable = "aes,avx2")]
#[inline]
fn decode(characters: __m256i) -> (__m256i, u32) {
    let nibble = _mm256_set1_epi8(0x0F);
    let (high, low) = (_mm256_and_si256(_mm256_srli_epi32::<4>(characters), nibble), _mm256_and_si256(characters, nibble));
    let faults = _mm256_and_si256(_mm256_shuffle_epi8(broadcast(FAULTS_HIGH), high), _mm256_shuffle_epi8(broadcast(FAULTS_LOW), low));
    let invalid = _mm256_movemask_epi8(_mm256_cmpgt_epi8(faults, broadcast([0; 16])));
    let values = _mm256_add_epi8(characters, _mm256_shuffle_epi8(broadcast(OFFSETS), high));
    let underscores = _mm256_cmpeq_epi8(characters, _mm256_set1_epi8(0x5F));
    let values = _mm256_blendv_epi8(values, _mm256_set1_epi8(63), underscores);
    let pairs = _mm256_maddubs_epi16(values, _mm256_set1_epi32(0x0140_0140));
    let words = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x0001_1000));
    (_mm256_shuffle_epi8(words, broadcast(JOIN)), invalid.cast_unsigned())
}

/// Encodes the first twelve bytes of each half to sixteen characters.
#[target_feature(enable = "aes,avx2")]
#[inline]
fn encode(halves: [[u8; BLOCK_BYTES]; 2]) -> [u8; REGISTER_CHARS] {
    let triples = _mm256_shuffle_epi8(must_cast(halves), broadcast(SPREAD));
    // Each 16-bit word holds two values. Their bit positions differ between the first and the
    // second word of a pair.
    let first = _mm256_srli_epi16::<10>(_mm256_mullo_epi16(triples, _mm256_set1_epi32(0x0010_0001)));
    let second = _mm256_and_si256(_mm256_mullo_epi16(triples, _mm256_set1_epi32(0x0100_0010)), _mm256_set1_epi16(0x3F00));
    let values = _mm256_or_si256(first, second);
    // Maps upper-case letters to 13, lower-case letters to 0, and each other value to 1 to 12.
    let capital = _mm256_and_si256(_mm256_cmpgt_epi8(_mm256_set1_epi8(26), values), _mm256_set1_epi8(13));
    let range = _mm256_or_si256(_mm256_subs_epu8(values, _mm256_set1_epi8(51)), capital);
    must_cast(_mm256_add_epi8(values, _mm256_shuffle_epi8(broadcast(RANGES), range)))
}

/// Increments counters. The highest bit of the last 32-bit word is clear, so no carry leaves it.
#[target_feature(enable = "aes,avx2")]
#[inline]
fn increment(counter: __m128i) -> __m128i {
    let swapped = _mm_shuffle_epi8(counter, must_cast(SWAP_LAST_WORD));
    _mm_shuffle_epi8(_mm_add_epi32(swapped, must_cast([0_u32, 0, 0, 1])), must_cast(SWAP_LAST_WORD))
}

#[target_feature(enable = "aes,avx2")]
#[inline]
fn block(block: u128) -> __m128i {
    must_cast(block.to_be_bytes())
}

#[target_feature(enable = "aes,avx2")]
#[inline]
fn round_key(key: &[u8; 4 * BLOCK_BYTES]) -> __m128i {
    must_cast(key.as_chunks::<BLOCK_BYTES>().0[0])
}

/// The keys of the rounds between the first and the last. [`black_box`] hides their number from the
/// compiler: it would unroll the loop and order the rounds by state, so that each round waits for
/// the one before.
fn middle_round_keys(keys: &[[u8; 4 * BLOCK_BYTES]; 15]) -> &[[u8; 4 * BLOCK_BYTES]] {
    black_box(&keys[1..14])
}

/// Copies 16 bytes into both halves: shuffles do not cross halves.
#[target_feature(enable = "aes,avx2")]
#[inline]
fn broadcast(half: [u8; 16]) -> __m256i {
    must_cast([half; 2])
}

/// Fault bits by the high and by the low half of a character. The character is invalid if the two
/// have a bit in common.
const FAULTS_HIGH: [u8; 16] = [32, 32, 1, 2, 4, 8, 4, 16, 32, 32, 32, 32, 32, 32, 32, 32];
const FAULTS_LOW: [u8; 16] = {
    let mut faults = [32; 16];
    let mut low = 0;
    while low < 16 {
        // One condition per valid range: `-`, `0` to `9`, `A` to `O` and `a` to `o`, `P` to `Z` and
        // `_`, `p` to `z`.
        let outside = [low != 13, low > 9, low == 0, low > 10 && low < 15, low > 10];
        let mut fault = 0;
        while fault < outside.len() {
            faults[low] |= (outside[fault] as u8) << fault;
            fault += 1;
        }
        low += 1;
    }
    faults
};

/// The difference between a character and its value, by the character's high half. `_` is the one
/// exception and is blended in.
const OFFSETS: [u8; 16] = [0, 0, 17, 4, 191, 191, 185, 185, 0, 0, 0, 0, 0, 0, 0, 0];

/// Packs the three bytes of each 24-bit word, which is little-endian.
const JOIN: [u8; 16] = [2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, 128, 128, 128, 128];

/// Spreads the three bytes of four characters, the middle one twice.
const SPREAD: [u8; 16] = [1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10];

/// The difference between a value and its character, by range: lower-case letters, digits, `-`,
/// `_`, upper-case letters.
const RANGES: [u8; 16] = [71, 252, 252, 252, 252, 252, 252, 252, 252, 252, 252, 239, 32, 65, 0, 0];

const SWAP_LAST_WORD: [u8; BLOCK_BYTES] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 15, 14, 13, 12];
