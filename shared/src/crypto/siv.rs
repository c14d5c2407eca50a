//! AES-256-SIV (RFC 5297) for payloads of one or two blocks under one short, constant associated
//! data.
//!
//! The key schedules and the associated data's part of S2V are computed once per key. Sealing or
//! opening then costs two block encryptions per payload block. This module processes one payload at
//! a time; the translation kernels process many with the same keys. Tests compare both with the
//! general cipher of the crate `aes-siv`.

use aes::{
    Aes256Enc, Block,
    cipher::{BlockCipherEncrypt, KeyInit},
};
use subtle::ConstantTimeEq;

#[cfg(target_arch = "x86_64")]
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::secret::Secret;

/// Length of the synthetic initialisation vector, which is also the authentication tag, in bytes.
pub const TAG_BYTES: usize = 16;

/// Length of an AES block, in bytes.
pub(crate) const BLOCK_BYTES: usize = 16;

/// The bits of the tag that the counter keeps. RFC 5297, section 2.5, clears two, so that
/// implementations may increment 32-bit words.
pub(crate) const COUNTER_MASK: u128 = !(1 << 63 | 1 << 31);

/// An expanded AES-256-SIV key of 64 bytes: the first half authenticates, the second encrypts.
#[derive(Clone)]
pub struct Key {
    pub(crate) mac: Cipher,
    pub(crate) ctr: Cipher,
    /// The first subkey of CMAC.
    k1: u128,
}

/// AES-256 encryption under one key. SIV needs no decryption.
#[derive(Clone)]
pub(crate) struct Cipher {
    engine: Aes256Enc,
    /// For the kernels that compute the rounds themselves.
    #[cfg(target_arch = "x86_64")]
    pub(crate) round_keys: RoundKeys,
}

/// The key schedule of FIPS 197, each round key four times, to load it into a 512-bit register.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
#[repr(align(64))]
pub(crate) struct RoundKeys(pub(crate) [[u8; 4 * BLOCK_BYTES]; 15]);

/// The associated data's part of S2V, combined with CMAC's first subkey: the mask of the last
/// payload block.
#[derive(Clone, Copy)]
pub struct Mask(pub(crate) u128);

impl Key {
    /// Expands a key.
    #[must_use]
    pub fn new(key: &Secret<64>) -> Self {
        let (mac, ctr) = key.expose().split_at(32);
        let cipher = |half: &[u8]| Cipher::new(half.try_into().expect("half of 64 bytes is an AES-256 key"));
        let (mac, ctr) = (cipher(mac), cipher(ctr));
        let k1 = double(mac.encrypt(0));
        Self { mac, ctr, k1 }
    }

    /// Computes the mask of associated data.
    ///
    /// # Panics
    /// If the associated data is not shorter than a block. Labels of identifiers have six bytes.
    #[must_use]
    pub fn mask(&self, associated: &[u8]) -> Mask {
        assert!(associated.len() < BLOCK_BYTES, "the associated data is not shorter than a block");
        let mut padded = [0; BLOCK_BYTES];
        padded[..associated.len()].copy_from_slice(associated);
        padded[associated.len()] = 0x80;
        let zero = self.mac.encrypt(self.k1);
        let cmac = self.mac.encrypt(u128::from_be_bytes(padded) ^ double(self.k1));
        Mask(double(zero) ^ cmac ^ self.k1)
    }

    /// Encrypts one or two blocks in place and returns their tag.
    pub fn seal(&self, mask: Mask, payload: &mut [u8]) -> [u8; TAG_BYTES] {
        let tag = self.tag(mask, payload);
        self.xor_key_stream(tag, payload);
        tag
    }

    /// Decrypts one or two blocks in place. Returns `false` and wipes them if the tag does not
    /// match.
    #[must_use]
    pub fn open(&self, mask: Mask, tag: [u8; TAG_BYTES], payload: &mut [u8]) -> bool {
        self.xor_key_stream(tag, payload);
        let authentic: bool = self.tag(mask, payload).ct_eq(&tag).into();
        if !authentic {
            payload.fill(0);
        }
        authentic
    }

    /// Computes S2V: CMAC of the payload with the mask on its last block.
    fn tag(&self, mask: Mask, payload: &[u8]) -> [u8; TAG_BYTES] {
        let (blocks, rest) = payload.as_chunks::<BLOCK_BYTES>();
        assert!(rest.is_empty() && !blocks.is_empty(), "the payload is not whole blocks");
        let last = blocks.len() - 1;
        let state = blocks.iter().enumerate().fold(0, |state, (index, block)| {
            let mask = if index == last { mask.0 } else { 0 };
            self.mac.encrypt(state ^ u128::from_be_bytes(*block) ^ mask)
        });
        state.to_be_bytes()
    }

    fn xor_key_stream(&self, tag: [u8; TAG_BYTES], payload: &mut [u8]) {
        let counter = u128::from_be_bytes(tag) & COUNTER_MASK;
        for (index, block) in (0..).zip(payload.as_chunks_mut::<BLOCK_BYTES>().0) {
            let stream = self.ctr.encrypt(counter.wrapping_add(index));
            *block = (u128::from_be_bytes(*block) ^ stream).to_be_bytes();
        }
    }
}

impl Cipher {
    fn new(key: &[u8; 32]) -> Self {
        Self {
            engine: Aes256Enc::new(key.into()),
            #[cfg(target_arch = "x86_64")]
            round_keys: RoundKeys::new(key),
        }
    }

    fn encrypt(&self, block: u128) -> u128 {
        let mut blocks = [block.to_be_bytes()];
        self.encrypt_blocks(&mut blocks);
        u128::from_be_bytes(blocks[0])
    }

    /// Encrypts blocks in place, several in parallel.
    pub(crate) fn encrypt_blocks(&self, blocks: &mut [[u8; BLOCK_BYTES]]) {
        self.engine.encrypt_blocks(Block::cast_slice_from_core_mut(blocks));
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("siv::Key")
    }
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("siv::Mask")
    }
}

/// Multiplies by x in GF(2^128): `dbl` of RFC 5297.
const fn double(block: u128) -> u128 {
    block << 1 ^ if block >> 127 == 1 { 0x87 } else { 0 }
}

#[cfg(target_arch = "x86_64")]
impl RoundKeys {
    /// Expands a key of 256 bits (FIPS 197, section 5.2).
    fn new(key: &[u8; 32]) -> Self {
        let mut words = Zeroizing::new([[0; 4]; 60]);
        words[..8].copy_from_slice(key.as_chunks().0);
        let mut round_constant = 1;
        for index in 8..60 {
            let mut word = words[index - 1];
            if index % 8 == 0 {
                word.rotate_left(1);
                word = substitute(word);
                word[0] ^= round_constant;
                round_constant <<= 1;
            } else if index % 8 == 4 {
                word = substitute(word);
            }
            let before = words[index - 8];
            words[index] = std::array::from_fn(|byte| word[byte] ^ before[byte]);
        }
        let mut wide = Self([[0; 4 * BLOCK_BYTES]; 15]);
        for (wide, narrow) in wide.0.iter_mut().zip(words.as_flattened().as_chunks::<BLOCK_BYTES>().0) {
            wide.as_chunks_mut().0.fill(*narrow);
        }
        wide
    }
}

/// Applies the S-box to each byte: one round on four equal columns, on which the row shift has no
/// effect, with the column mixing undone.
#[cfg(target_arch = "x86_64")]
fn substitute(word: [u8; 4]) -> [u8; 4] {
    let mut block = Block::from(std::array::from_fn(|byte| word[byte % 4]));
    aes::hazmat::cipher_round(&mut block, &Block::default());
    aes::hazmat::inv_mix_columns(&mut block);
    [block[0], block[1], block[2], block[3]]
}
