//! JSON Web Encryption (RFC 7516) in compact serialisation, with two key management algorithms and
//! one content encryption algorithm.
//!
//! | `alg` | `enc` | use |
//! |---|---|---|
//! | `RSA-OAEP-256` | `A256CBC-HS512` | key packets, sealed to a transcoder's public key |
//! | `dir` | `A256CBC-HS512` | the authority's nested tokens, and stored secrets |

use aes::Aes256;
use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    rsa::{KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey, PublicEncryptingKey},
};
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7};
use hmac::{Hmac, KeyInit, Mac};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use sha2::Sha512;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{
    crypto::sha256,
    encoding::{base64, base64url, from_base64, from_base64url},
    secret::Secret,
};

const RSA_OAEP_256: &str = "RSA-OAEP-256";
const DIRECT: &str = "dir";
const A256CBC_HS512: &str = "A256CBC-HS512";
const IV_BYTES: usize = 16;
const AUTH_TAG_BYTES: usize = 32;

/// Why a sealed text does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not a compact JWE with the expected algorithms.
    #[error("the text is not a compact JWE with the expected algorithms")]
    Malformed,
    /// The content key does not decrypt under the private key.
    #[error("the content key was sealed to another recipient, or altered")]
    Recipient,
    /// The content does not authenticate under the content key and label.
    #[error("the content was sealed under another key or label, or altered")]
    Content,
}

/// A key is refused, with its expected form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key is not an RSA key of 2048 to 8192 bits in {0} form")]
pub struct KeyRejected(&'static str);

#[derive(Serialize, Deserialize)]
struct Header<'a> {
    alg: &'a str,
    enc: &'a str,
    /// The id of the recipient's key, or the label. As associated data, it is bound to the content.
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<std::borrow::Cow<'a, str>>,
}

/// A transcoder's RSA private key.
pub struct PrivateKey {
    decrypting: OaepPrivateDecryptingKey,
    key: PrivateDecryptingKey,
}

/// A transcoder's RSA public key. Key packets are sealed to it.
pub struct PublicKey {
    encrypting: OaepPublicEncryptingKey,
    kid: String,
    pem: String,
}

impl PrivateKey {
    /// Generates a 3072-bit key.
    ///
    /// # Errors
    /// If the generation fails.
    pub fn generate() -> Result<Self, KeyRejected> {
        let rejected = |_| KeyRejected("generated");
        Self::new(PrivateDecryptingKey::generate(KeySize::Rsa3072).map_err(rejected)?)
    }

    /// Parses a PKCS#8 PEM.
    pub fn from_pem(pem: &str) -> Result<Self, KeyRejected> {
        let rejected = KeyRejected("PKCS#8 PEM");
        let der = Zeroizing::new(pem_body(pem, "PRIVATE KEY").ok_or(rejected)?);
        Self::new(PrivateDecryptingKey::from_pkcs8(&der).map_err(|_| rejected)?)
    }

    /// Encodes the key as a PKCS#8 PEM.
    #[must_use]
    pub fn to_pem(&self) -> Zeroizing<String> {
        let der: Pkcs8V1Der<'static> = self.key.as_der().expect("a parsed key can be written");
        Zeroizing::new(to_pem(der.as_ref(), "PRIVATE KEY"))
    }

    /// The public key.
    pub fn public(&self) -> Result<PublicKey, KeyRejected> {
        PublicKey::new(self.key.public_key())
    }

    fn new(key: PrivateDecryptingKey) -> Result<Self, KeyRejected> {
        let decrypting = OaepPrivateDecryptingKey::new(key.clone()).map_err(|_| KeyRejected("RSA"))?;
        Ok(Self { decrypting, key })
    }
}

impl PublicKey {
    /// Parses an X.509 `SubjectPublicKeyInfo` PEM.
    pub fn from_pem(pem: &str) -> Result<Self, KeyRejected> {
        let rejected = KeyRejected("X.509 PEM");
        let der = pem_body(pem, "PUBLIC KEY").ok_or(rejected)?;
        Self::new(PublicEncryptingKey::from_der(&der).map_err(|_| rejected)?)
    }

    /// The X.509 `SubjectPublicKeyInfo` PEM.
    #[must_use]
    pub fn to_pem(&self) -> &str {
        &self.pem
    }

    /// The id of the key: the SHA-256 of its DER form in base64url.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    fn new(key: PublicEncryptingKey) -> Result<Self, KeyRejected> {
        let rejected = KeyRejected("X.509");
        let der: PublicKeyX509Der<'static> = key.as_der().map_err(|_| rejected)?;
        let (kid, pem) = (base64url(&sha256(der.as_ref())), to_pem(der.as_ref(), "PUBLIC KEY"));
        Ok(Self { encrypting: OaepPublicEncryptingKey::new(key).map_err(|_| rejected)?, kid, pem })
    }
}

/// Seals `content` to a recipient under a new content key (`RSA-OAEP-256`). aws-lc generates the
/// seed of the padding itself.
#[must_use]
pub fn seal_to(recipient: &PublicKey, content: &[u8], rng: &mut impl CryptoRng) -> String {
    let key = Secret::<64>::generate(rng);
    let mut buf = vec![0; recipient.encrypting.ciphertext_size()];
    let wrapped = recipient
        .encrypting
        .encrypt(&OAEP_SHA256_MGF1SHA256, key.expose(), &mut buf, None)
        .expect("a content key fits the padding of a 2048-bit key");
    compact(RSA_OAEP_256, recipient.kid(), wrapped, &key, content, rng)
}

/// Opens a text that [`seal_to`] sealed.
pub fn open_with(recipient: &PrivateKey, text: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let parts = Parts::read(text, RSA_OAEP_256)?;
    let mut buf = Zeroizing::new(vec![0; recipient.decrypting.min_output_size()]);
    let key = recipient.decrypting.decrypt(&OAEP_SHA256_MGF1SHA256, &parts.wrapped_key, &mut buf, None).map_err(|_| Error::Recipient)?;
    parts.open(&Secret::from_slice(key).ok_or(Error::Recipient)?)
}

/// Seals `content` under a shared key (`dir`), bound to `label`.
#[must_use]
pub fn seal(key: &Secret<64>, label: &str, content: &[u8], rng: &mut impl CryptoRng) -> String {
    compact(DIRECT, label, &[], key, content, rng)
}

/// Opens a text that [`seal`] sealed under the same key and label.
pub fn open(key: &Secret<64>, label: &str, text: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let parts = Parts::read(text, DIRECT)?;
    if parts.kid.as_deref() != Some(label) || !parts.wrapped_key.is_empty() {
        return Err(Error::Content);
    }
    parts.open(key)
}

fn compact(alg: &str, kid: &str, wrapped: &[u8], key: &Secret<64>, content: &[u8], rng: &mut impl CryptoRng) -> String {
    let header = Header { alg, enc: A256CBC_HS512, kid: Some(kid.into()) };
    let protected = base64url(&serde_json::to_vec(&header).expect("a header of strings can be written"));
    let mut iv = [0; IV_BYTES];
    rng.fill_bytes(&mut iv);
    let (cipher_text, tag) = cbc_hmac::seal(key, &iv, protected.as_bytes(), content);
    [protected, base64url(wrapped), base64url(&iv), base64url(&cipher_text), base64url(&tag)].join(".")
}

struct Parts<'a> {
    protected: &'a str,
    kid: Option<String>,
    wrapped_key: Vec<u8>,
    iv: [u8; IV_BYTES],
    cipher_text: Vec<u8>,
    tag: [u8; AUTH_TAG_BYTES],
}

impl<'a> Parts<'a> {
    fn read(text: &'a str, alg: &str) -> Result<Self, Error> {
        Self::parse(text, alg).ok_or(Error::Malformed)
    }

    fn parse(text: &'a str, alg: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let protected = parts.next()?;
        let [wrapped_key, iv, cipher_text, tag] = std::array::from_fn(|_| parts.next().and_then(from_base64url));
        if parts.next().is_some() {
            return None;
        }
        let header = from_base64url(protected)?;
        let header: Header<'_> = serde_json::from_slice(&header).ok()?;
        (header.alg == alg && header.enc == A256CBC_HS512).then_some(())?;
        Some(Self {
            protected,
            kid: header.kid.map(std::borrow::Cow::into_owned),
            wrapped_key: wrapped_key?,
            iv: iv?.try_into().ok()?,
            cipher_text: cipher_text?,
            tag: tag?.try_into().ok()?,
        })
    }

    fn open(&self, key: &Secret<64>) -> Result<Zeroizing<Vec<u8>>, Error> {
        cbc_hmac::open(key, &self.iv, self.protected.as_bytes(), &self.cipher_text, &self.tag).ok_or(Error::Content)
    }
}

/// `A256CBC-HS512` (RFC 7518, section 5.2.5).
pub mod cbc_hmac {
    use super::{
        AUTH_TAG_BYTES, Aes256, BlockModeDecrypt, BlockModeEncrypt, ConstantTimeEq, Hmac, IV_BYTES, KeyInit, KeyIvInit, Mac, Pkcs7, Secret,
        Sha512, Zeroizing,
    };

    /// Encrypts the content, then authenticates associated data, initialisation vector and cipher
    /// text.
    #[must_use]
    pub fn seal(key: &Secret<64>, iv: &[u8; IV_BYTES], associated: &[u8], content: &[u8]) -> (Vec<u8>, [u8; AUTH_TAG_BYTES]) {
        let (mac_key, cipher_key) = halves(key);
        let cipher_text = cbc::Encryptor::<Aes256>::new(cipher_key.into(), iv.into()).encrypt_padded_vec::<Pkcs7>(content);
        let tag = tag(mac_key, iv, associated, &cipher_text);
        (cipher_text, tag)
    }

    /// Authenticates, then decrypts. `None` if the tag does not match.
    #[must_use]
    pub fn open(
        key: &Secret<64>,
        iv: &[u8; IV_BYTES],
        associated: &[u8],
        cipher_text: &[u8],
        tag: &[u8; AUTH_TAG_BYTES],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let (mac_key, cipher_key) = halves(key);
        if !bool::from(self::tag(mac_key, iv, associated, cipher_text).ct_eq(tag)) {
            return None;
        }
        cbc::Decryptor::<Aes256>::new(cipher_key.into(), iv.into()).decrypt_padded_vec::<Pkcs7>(cipher_text).ok().map(Zeroizing::new)
    }

    fn halves(key: &Secret<64>) -> (&[u8; 32], &[u8; 32]) {
        let (halves, _) = key.expose().as_chunks::<32>();
        (&halves[0], &halves[1])
    }

    fn tag(key: &[u8; 32], iv: &[u8; IV_BYTES], associated: &[u8], cipher_text: &[u8]) -> [u8; AUTH_TAG_BYTES] {
        let mut mac = <Hmac<Sha512> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
        mac.update(associated);
        mac.update(iv);
        mac.update(cipher_text);
        mac.update(&(associated.len() as u64 * 8).to_be_bytes());
        let full: [u8; 64] = mac.finalize().into_bytes().into();
        *full.first_chunk().expect("64 bytes begin with 32")
    }
}

fn pem_body(pem: &str, label: &str) -> Option<Vec<u8>> {
    let body = pem.trim().strip_prefix(&format!("-----BEGIN {label}-----"))?.strip_suffix(&format!("-----END {label}-----"))?;
    let body: String = body.split_ascii_whitespace().collect();
    from_base64(&body)
}

fn to_pem(der: &[u8], label: &str) -> String {
    let body = base64(der);
    let lines: Vec<_> = body.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
