//! The primitives we allow, and why these.
//!
//! - [`siv`]: AES-256-SIV (RFC 5297) encodes identifiers: deterministic and authenticated.
//! - [`jwe`]: JSON Web Encryption (RFC 7516) seals key packets, tokens within tokens, and everything secret that is stored.
//! - [`jws`]: JSON Web Signatures (RFC 7515) for tokens; the algorithm belongs to the key, never to the token.

pub mod jwe;
pub mod jws;
pub mod siv;

use hmac::{Hmac, KeyInit, Mac};
use rand_core::{TryCryptoRng, TryRng, UnwrapErr};
use sha2::{Digest, Sha256, Sha512};

use crate::secret::Secret;

/// The operating system's generator, for callers at the edge.
#[must_use]
pub fn system_rng() -> UnwrapErr<SystemRng> {
    UnwrapErr(SystemRng)
}

/// Random bytes from aws-lc, which is seeded by the operating system (`.cargo/config.toml` says why by it alone).
#[derive(Clone, Copy, Debug)]
pub struct SystemRng;

/// The operating system gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub struct NoRandomBytes;

impl TryRng for SystemRng {
    type Error = NoRandomBytes;

    fn try_next_u32(&mut self) -> Result<u32, NoRandomBytes> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, NoRandomBytes> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomBytes> {
        aws_lc_rs::rand::fill(bytes).map_err(|_| NoRandomBytes)
    }
}

impl TryCryptoRng for SystemRng {}

/// SHA-256 of some bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// A 64-byte key for `purpose`, derived from a 32-byte master key with HMAC-SHA-512: one purpose's key says nothing of another's.
#[must_use]
pub fn derive(master: &Secret<32>, purpose: &str) -> Secret<64> {
    let mut mac = <Hmac<Sha512> as KeyInit>::new_from_slice(master.expose()).expect("HMAC takes keys of any length");
    mac.update(purpose.as_bytes());
    Secret::new(mac.finalize().into_bytes().into())
}
