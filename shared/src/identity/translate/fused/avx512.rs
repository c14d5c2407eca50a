//! The kernel for x86-64 processors with VAES and AVX-512 VBMI: from text to text in registers, up
//! to 48 ids at a time.
//!
//! While a body is text, one register holds it. Decoded, a register holds the same block of four
//! bodies, one in each 128-bit lane. The base64 algorithms are from W. Muła and D. Lemire, "Base64
//! encoding and decoding at almost the speed of a memory copy" (2019): one table look-up by
//! permutation, and two multiplications or one multishift.

use std::arch::x86_64::{
    __m512i, _mm512_add_epi32, _mm512_aesenc_epi128 as round, _mm512_aesenclast_epi128 as last_round, _mm512_and_si512 as and,
    _mm512_cmpeq_epi64_mask, _mm512_madd_epi16, _mm512_maddubs_epi16, _mm512_maskz_permutex2var_epi8, _mm512_movepi8_mask,
    _mm512_multishift_epi64_epi8, _mm512_or_si512, _mm512_permutex2var_epi8, _mm512_permutexvar_epi8, _mm512_set1_epi32,
    _mm512_shuffle_epi8, _mm512_shuffle_i64x2, _mm512_test_epi8_mask, _mm512_xor_si512 as xor,
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

/// Bytes of a register.
const REGISTER_BYTES: usize = 64;
/// Bytes that a load reads from the start of a body: a whole register, even if the body is shorter.
pub(super) const READ_AHEAD: usize = REGISTER_BYTES;
/// Rows whose blocks share a register.
pub(super) const ROWS_PER_REGISTER: usize = 4;

/// Translates all rows, `G` registers of four at a time, and the remainder one register at a time.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,vaes")]
pub(super) fn translate<const BLOCKS: usize, const G: usize>(keys: &KernelKeys<'_>, columns: &mut Columns) {
    let mut bodies = &columns.bodies[..];
    let mut texts = columns.texts.as_chunks_mut::<ROW_BYTES>().0;
    let mut statuses = &mut columns.statuses[..];
    while statuses.len() >= ROWS_PER_REGISTER * G {
        let (group_texts, rest_texts) = texts.split_at_mut(ROWS_PER_REGISTER * G);
        let (group_statuses, rest_statuses) = statuses.split_at_mut(ROWS_PER_REGISTER * G);
        translate_group::<BLOCKS, G>(keys, bodies, group_texts, group_statuses);
        (texts, statuses) = (rest_texts, rest_statuses);
        bodies = &bodies[ROWS_PER_REGISTER * G * stride(BLOCKS)..];
    }
    while statuses.len() >= ROWS_PER_REGISTER {
        let (group_texts, rest_texts) = texts.split_at_mut(ROWS_PER_REGISTER);
        let (group_statuses, rest_statuses) = statuses.split_at_mut(ROWS_PER_REGISTER);
        translate_group::<BLOCKS, 1>(keys, bodies, group_texts, group_statuses);
        (texts, statuses) = (rest_texts, rest_statuses);
        bodies = &bodies[ROWS_PER_REGISTER * stride(BLOCKS)..];
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,vaes")]
#[inline]
fn translate_group<const BLOCKS: usize, const G: usize>(
    keys: &KernelKeys<'_>,
    bodies: &[u8],
    texts: &mut [[u8; ROW_BYTES]],
    statuses: &mut [RowStatus],
) {
    let zero: __m512i = must_cast([0_u8; REGISTER_BYTES]);
    let (mut tags, mut payloads) = ([zero; G], [[zero; G]; BLOCKS]);
    let mut malformed = [[false; ROWS_PER_REGISTER]; G];
    for register in 0..G {
        let mut words = [zero; ROWS_PER_REGISTER];
        for row in 0..ROWS_PER_REGISTER {
            let body = &bodies[(register * ROWS_PER_REGISTER + row) * stride(BLOCKS)..];
            (words[row], malformed[register][row]) =
                decode::<BLOCKS>(must_cast(*body.first_chunk::<REGISTER_BYTES>().unwrap_or(&[0; REGISTER_BYTES])));
        }
        let [a, b, c, d] = words;
        let (ab, cd) = (_mm512_permutex2var_epi8(a, must_cast(JOIN[0]), b), _mm512_permutex2var_epi8(c, must_cast(JOIN[0]), d));
        tags[register] = _mm512_shuffle_i64x2::<0x44>(ab, cd);
        payloads[0][register] = _mm512_shuffle_i64x2::<0xEE>(ab, cd);
        if BLOCKS == 2 {
            let (ab, cd) = (_mm512_permutex2var_epi8(a, must_cast(JOIN[1]), b), _mm512_permutex2var_epi8(c, must_cast(JOIN[1]), d));
            payloads[BLOCKS - 1][register] = _mm512_shuffle_i64x2::<0x44>(ab, cd);
        }
    }

    let (source, mask) = keys.source;
    xor_key_stream!(payloads, tags, source);
    let computed = authenticate!(payloads, source, mask.0);
    for register in 0..G {
        let equal = _mm512_cmpeq_epi64_mask(tags[register], computed[register]);
        for row in 0..ROWS_PER_REGISTER {
            let authentic = equal >> (2 * row) & 0b11 == 0b11;
            statuses[register * ROWS_PER_REGISTER + row] = match (malformed[register][row], authentic) {
                (true, _) => RowStatus::Malformed,
                (false, true) => RowStatus::Translated,
                (false, false) => RowStatus::TagMismatch,
            };
        }
    }

    let (target, mask) = keys.target;
    let tags = authenticate!(payloads, target, mask.0);
    xor_key_stream!(payloads, tags, target);
    for register in 0..G {
        for row in 0..ROWS_PER_REGISTER {
            let bytes = if BLOCKS == 1 {
                _mm512_maskz_permutex2var_epi8(FIRST_32, tags[register], must_cast(SPREAD[row]), payloads[0][register])
            } else {
                let first = _mm512_permutex2var_epi8(tags[register], must_cast(SPREAD[row]), payloads[0][register]);
                _mm512_permutex2var_epi8(first, must_cast(SPREAD_LAST[row]), payloads[BLOCKS - 1][register])
            };
            let text = &mut texts[register * ROWS_PER_REGISTER + row];
            if let Some(body) = text[LABEL_LEN..].first_chunk_mut::<REGISTER_BYTES>() {
                *body = must_cast(encode(bytes));
            }
        }
    }
}

/// Decodes characters to 24-bit words, and returns whether a character is invalid or a spare bit
/// set.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,vaes")]
#[inline]
fn decode<const BLOCKS: usize>(characters: __m512i) -> (__m512i, bool) {
    let values = _mm512_permutex2var_epi8(must_cast(VALUES[0]), characters, must_cast(VALUES[1]));
    // The look-up uses seven bits only. The eighth is set in bytes that are not ASCII.
    let invalid = _mm512_movepi8_mask(_mm512_or_si512(values, characters));
    let pairs = _mm512_maddubs_epi16(values, _mm512_set1_epi32(0x0140_0140));
    let words = _mm512_madd_epi16(pairs, _mm512_set1_epi32(0x0001_1000));
    if BLOCKS == 1 {
        let spare = _mm512_test_epi8_mask(words, must_cast(BYTE_32));
        (words, (invalid & FIRST_44) | spare != 0)
    } else {
        (words, invalid != 0)
    }
}

/// Encodes bytes, spread over 64-bit words as [`SPREAD`] does, to characters.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,vaes")]
#[inline]
fn encode(bytes: __m512i) -> __m512i {
    // The look-up uses the lowest six bits of each byte.
    let values = _mm512_multishift_epi64_epi8(must_cast(SHIFTS), bytes);
    _mm512_permutexvar_epi8(values, must_cast(ALPHABET))
}

/// Increments counters. The highest bit of the last 32-bit word is clear, so no carry leaves it.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,vaes")]
#[inline]
fn increment(counter: __m512i) -> __m512i {
    let swapped = _mm512_shuffle_epi8(counter, must_cast(SWAP_LAST_WORD));
    _mm512_shuffle_epi8(_mm512_add_epi32(swapped, must_cast(ONE)), must_cast(SWAP_LAST_WORD))
}

/// The keys of the rounds between the first and the last.
fn middle_round_keys(keys: &[[u8; 4 * BLOCK_BYTES]; 15]) -> &[[u8; 4 * BLOCK_BYTES]] {
    &keys[1..14]
}

/// Copies a block into all four lanes.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,vaes")]
#[inline]
fn block(block: u128) -> __m512i {
    must_cast([block.to_be_bytes(); ROWS_PER_REGISTER])
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,vaes")]
#[inline]
fn round_key(key: &[u8; 4 * BLOCK_BYTES]) -> __m512i {
    must_cast(*key)
}

const ALPHABET: [u8; REGISTER_BYTES] = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The value of each ASCII character, or 0x80 if the character is invalid.
const VALUES: [[u8; REGISTER_BYTES]; 2] = {
    let mut values = [[0x80; REGISTER_BYTES]; 2];
    let mut value = 0;
    while value < REGISTER_BYTES {
        let character = ALPHABET[value] as usize;
        #[expect(clippy::cast_possible_truncation, reason = "there are 64 values")]
        {
            values[character / REGISTER_BYTES][character % REGISTER_BYTES] = value as u8;
        }
        value += 1;
    }
    values
};

/// A mask of the characters of a body of one payload block, and of the `A` that pads it.
const FIRST_44: u64 = (1 << 44) - 1;

/// A mask of byte 32 in the 24-bit words. Of a body of one payload block, it holds the two spare
/// bits.
const BYTE_32: [u8; REGISTER_BYTES] = {
    let mut bytes = [0; REGISTER_BYTES];
    bytes[position(32) as usize] = 0xFF;
    bytes
};

/// The position of a byte in the 24-bit words, which are little-endian.
const fn position(byte: u8) -> u8 {
    byte / 3 * 4 + 2 - byte % 3
}

/// Joins the 24-bit words of two bodies: their tags and first payload blocks, then their second
/// payload blocks.
const JOIN: [[u8; REGISTER_BYTES]; 2] = {
    let mut join = [[0; REGISTER_BYTES]; 2];
    let mut byte = 0;
    while byte < 16 {
        let at = byte as usize;
        join[0][at] = position(byte);
        join[0][16 + at] = 64 + position(byte);
        join[0][32 + at] = position(16 + byte);
        join[0][48 + at] = 64 + position(16 + byte);
        join[1][at] = position(32 + byte);
        join[1][16 + at] = 64 + position(32 + byte);
        byte += 1;
    }
    join
};

/// The byte of a body at each position: each 64-bit word holds six bytes in reverse order, as one
/// 48-bit number. Other positions give [`REGISTER_BYTES`].
const fn source(at: usize) -> usize {
    if at % 8 < 6 { at / 8 * 6 + 5 - at % 8 } else { REGISTER_BYTES }
}

/// For each of four bodies: moves the bytes of a register of tags and of a register of first
/// payload blocks to their positions.
const SPREAD: [[u8; REGISTER_BYTES]; ROWS_PER_REGISTER] = spread(false);
/// For each of four bodies: adds the bytes of a register of second payload blocks to the result of
/// [`SPREAD`].
const SPREAD_LAST: [[u8; REGISTER_BYTES]; ROWS_PER_REGISTER] = spread(true);

#[expect(clippy::cast_possible_truncation, reason = "all are less than 128")]
const fn spread(last: bool) -> [[u8; REGISTER_BYTES]; ROWS_PER_REGISTER] {
    let mut spread = [[0; REGISTER_BYTES]; ROWS_PER_REGISTER];
    let mut row = 0;
    while row < ROWS_PER_REGISTER {
        let mut at = 0;
        while at < REGISTER_BYTES {
            spread[row][at] = match (source(at), last) {
                (byte @ 0..16, false) => row * 16 + byte,
                (byte @ 16..32, false) => REGISTER_BYTES + row * 16 + byte - 16,
                (byte @ 32..48, true) => REGISTER_BYTES + row * 16 + byte - 32,
                (_, true) => at,
                (_, false) => 0,
            } as u8;
            at += 1;
        }
        row += 1;
    }
    spread
}

/// A mask of the positions of a body's first 32 bytes. The others of a body of one payload block
/// are zero.
const FIRST_32: u64 = {
    let (mut mask, mut at) = (0, 0);
    while at < REGISTER_BYTES {
        if source(at) < 32 {
            mask |= 1 << at;
        }
        at += 1;
    }
    mask
};

/// The shift of a 64-bit word for each of its eight characters.
const SHIFTS: [[u8; 8]; 8] = [[42, 36, 30, 24, 18, 12, 6, 0]; 8];

const SWAP_LAST_WORD: [[u8; BLOCK_BYTES]; ROWS_PER_REGISTER] = [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 15, 14, 13, 12]; ROWS_PER_REGISTER];

const ONE: [[u32; 4]; ROWS_PER_REGISTER] = [[0, 0, 0, 1]; ROWS_PER_REGISTER];
