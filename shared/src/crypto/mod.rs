//! The cryptographic primitives of the suite.
//!
//! - [`siv`]: AES-256-SIV (RFC 5297), deterministic and authenticated, encodes identifiers.
//! - [`jwe`]: JSON Web Encryption (RFC 7516) seals key packets, nested tokens and stored secrets.
//! - [`jws`]: JSON Web Signatures (RFC 7515) sign tokens. The key determines the algorithm, never
//!   the token.

pub mod jwe;
pub mod jws;
pub mod siv;

use hmac::{Hmac, KeyInit, Mac};
use rand_core::{TryCryptoRng, TryRng, UnwrapErr};
use sha2::{Digest, Sha256, Sha512};

use crate::secret::Secret;

/// The random number generator of the binaries.
#[must_use]
pub fn system_rng() -> UnwrapErr<SystemRng> {
    UnwrapErr(SystemRng)
}

/// Random bytes from aws-lc, which the operating system seeds. `.cargo/config.toml` gives the
/// reason for the one source.
#[derive(Clone, Copy, Debug)]
pub struct SystemRng;

/// The operating system returned no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the operating system returned no random bytes")]
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

/// The SHA-256 of bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Derives a 64-byte key for `purpose` from a 32-byte master key with HMAC-SHA-512. The keys of
/// different purposes are independent.
#[must_use]
pub fn derive(master: &Secret<32>, purpose: &str) -> Secret<64> {
    let mut mac = <Hmac<Sha512> as KeyInit>::new_from_slice(master.expose()).expect("HMAC takes keys of any length");
    mac.update(purpose.as_bytes());
    Secret::new(mac.finalize().into_bytes().into())
}
