//! AES-256-SIV (RFC 5297) for payloads of one or two blocks under one short, constant associated data.
//!
//! The associated data's part of S2V, and the key schedules, are computed once per key: an identifier then costs two block encryptions a
//! payload block and direction. The general cipher is the test's oracle (crate `aes-siv`).

use aes::{
    Aes256Enc, Block,
    cipher::{BlockCipherEncrypt, KeyInit},
};
use subtle::ConstantTimeEq;

use crate::secret::Secret;

/// Bytes of the synthetic initialisation vector, which is also the tag.
pub const TAG: usize = 16;

const BLOCK: usize = 16;

/// The expanded halves of a 64-byte AES-256-SIV key: the first authenticates, the second encrypts.
#[derive(Clone)]
pub struct Key {
    mac: Aes256Enc,
    ctr: Aes256Enc,
    /// CMAC's first subkey.
    k1: u128,
}

/// The associated data's part of S2V, folded with CMAC's first subkey: the mask of the last payload block.
#[derive(Clone, Copy)]
pub struct Mask(u128);

impl Key {
    /// Expands a key.
    #[must_use]
    pub fn new(key: &Secret<64>) -> Self {
        let (mac, ctr) = key.expose().split_at(32);
        let schedule = |half: &[u8]| Aes256Enc::new_from_slice(half).expect("half of 64 bytes is an AES-256 key");
        let (mac, ctr) = (schedule(mac), schedule(ctr));
        let k1 = double(encrypt(&mac, 0));
        Self { mac, ctr, k1 }
    }

    /// Prepares associated data of less than a block.
    ///
    /// # Panics
    /// When the associated data fills a block: identifiers' labels have six bytes.
    #[must_use]
    pub fn mask(&self, associated: &[u8]) -> Mask {
        assert!(associated.len() < BLOCK, "associated data of less than a block");
        let mut padded = [0; BLOCK];
        padded[..associated.len()].copy_from_slice(associated);
        padded[associated.len()] = 0x80;
        let zero = encrypt(&self.mac, self.k1);
        let cmac = encrypt(&self.mac, u128::from_be_bytes(padded) ^ double(self.k1));
        Mask(double(zero) ^ cmac ^ self.k1)
    }

    /// Encrypts one or two blocks in place and gives the tag that goes before them.
    pub fn seal(&self, mask: Mask, payload: &mut [u8]) -> [u8; TAG] {
        let tag = self.tag(mask, payload);
        self.xor_key_stream(tag, payload);
        tag
    }

    /// Decrypts one or two blocks in place; `false` when the tag is not theirs, and then they are wiped.
    #[must_use]
    pub fn open(&self, mask: Mask, tag: [u8; TAG], payload: &mut [u8]) -> bool {
        self.xor_key_stream(tag, payload);
        let genuine: bool = self.tag(mask, payload).ct_eq(&tag).into();
        if !genuine {
            payload.fill(0);
        }
        genuine
    }

    /// S2V: CMAC of the payload with the mask on its last block.
    fn tag(&self, mask: Mask, payload: &[u8]) -> [u8; TAG] {
        let (blocks, rest) = payload.as_chunks::<BLOCK>();
        assert!(rest.is_empty() && !blocks.is_empty(), "payloads are whole blocks");
        let last = blocks.len() - 1;
        let state = blocks.iter().enumerate().fold(0, |state, (index, block)| {
            let mask = if index == last { mask.0 } else { 0 };
            encrypt(&self.mac, state ^ u128::from_be_bytes(*block) ^ mask)
        });
        state.to_be_bytes()
    }

    fn xor_key_stream(&self, tag: [u8; TAG], payload: &mut [u8]) {
        // RFC 5297, section 2.5: two bits are cleared so that counters may be added in 32-bit words.
        let counter = u128::from_be_bytes(tag) & !(1 << 63 | 1 << 31);
        for (index, block) in (0..).zip(payload.as_chunks_mut::<BLOCK>().0) {
            let stream = encrypt(&self.ctr, counter.wrapping_add(index));
            *block = (u128::from_be_bytes(*block) ^ stream).to_be_bytes();
        }
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

fn encrypt(cipher: &Aes256Enc, block: u128) -> u128 {
    let mut block = Block::from(block.to_be_bytes());
    cipher.encrypt_block(&mut block);
    u128::from_be_bytes(block.into())
}

/// Multiplication by x in GF(2^128), RFC 5297's `dbl`.
const fn double(block: u128) -> u128 {
    block << 1 ^ if block >> 127 == 1 { 0x87 } else { 0 }
}
