//! The signature of AWS Signature Version 4.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{encoding::hex, secret::SecretText};

/// A signature. `Display` writes 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 32]);

/// Signs a string with the signing key for a date such as `20260115`, a region, and S3.
#[must_use]
pub fn sign(secret: &SecretText, date: &str, region: &str, to_sign: &str) -> Signature {
    let first = Zeroizing::new(format!("AWS4{}", secret.expose()));
    let key = [region, "s3", "aws4_request"].iter().fold(hmac(first.as_bytes(), date), |key, part| hmac(&*key, part));
    Signature(*hmac(&*key, to_sign))
}

fn hmac(key: &[u8], message: &str) -> Zeroizing<[u8; 32]> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message.as_bytes());
    Zeroizing::new(mac.finalize().into_bytes().into())
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature")
    }
}
