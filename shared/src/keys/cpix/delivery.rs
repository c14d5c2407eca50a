//! Encrypted delivery: the keys of a document go under a document key, and that under the public
//! key of each recipient (CPIX, 5.2).
//!
//! Each value that is encrypted has a MAC over its cipher text. All keys and IVs are new ones in
//! each reply.

use aes::Aes256;
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey};
use cbc::cipher::{BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7};
use hmac::{Hmac, KeyInit, Mac};
use rand_core::CryptoRng;
use sha2::Sha512;

use super::error::Error;
use crate::{
    encoding::{base64, from_base64},
    secret::Secret,
};

const AES_256_CBC: &str = "http://www.w3.org/2001/04/xmlenc#aes256-cbc";
const RSA_OAEP_MGF1_SHA1: &str = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";
const HMAC_SHA512: &str = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha512";

const MIN_RSA_BITS: usize = 2048;
const SEQUENCE: u8 = 0x30;
/// `[0]`, the explicit tag of a certificate's version.
const VERSION: u8 = 0xA0;

/// A recipient of encrypted keys, by its X.509 certificate. Only the public key in it is used; the
/// caller authorizes the recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    certificate: Vec<u8>,
    /// The `SubjectPublicKeyInfo` in it: an RSA key of 2048 bits or more.
    public_key: Vec<u8>,
}

impl Recipient {
    /// Parses the text of `X509Certificate`: base64 of DER, white space allowed.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let text: String = text.split_ascii_whitespace().collect();
        let certificate = from_base64(&text).ok_or(Error::InvalidCertificate)?;
        let public_key = public_key(&certificate).ok_or(Error::InvalidCertificate)?.to_vec();
        let rsa = PublicEncryptingKey::from_der(&public_key).map_err(|_| Error::InvalidCertificate)?;
        if rsa.key_size_bits() < MIN_RSA_BITS { Err(Error::InvalidCertificate) } else { Ok(Self { certificate, public_key }) }
    }

    /// The certificate, in DER.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    fn encrypt(&self, secret: &[u8]) -> Vec<u8> {
        let key = PublicEncryptingKey::from_der(&self.public_key).expect("the key was parsed before");
        let key = OaepPublicEncryptingKey::new(key).expect("the key was parsed before");
        let mut cipher_text = vec![0; key.ciphertext_size()];
        key.encrypt(&OAEP_SHA1_MGF1SHA1, secret, &mut cipher_text, None).expect("64 bytes fit under 2048 bits").to_vec()
    }
}

/// The keys of one reply.
pub(super) struct DocumentKeys {
    key: Secret<32>,
    mac: Secret<64>,
}

impl DocumentKeys {
    pub(super) fn generate(rng: &mut impl CryptoRng) -> Self {
        Self { key: Secret::generate(rng), mac: Secret::generate(rng) }
    }

    /// What follows a recipient's `DeliveryKey`: `DocumentKey` and `MACMethod`.
    pub(super) fn delivery(&self, recipient: &Recipient) -> String {
        let key = self.value(RSA_OAEP_MGF1_SHA1, &recipient.encrypt(self.key.expose()));
        let mac = self.value(RSA_OAEP_MGF1_SHA1, &recipient.encrypt(self.mac.expose()));
        format!(
            "<cpix:DocumentKey Algorithm=\"{AES_256_CBC}\"><cpix:Data><pskc:Secret>{key}</pskc:Secret></cpix:Data></cpix:DocumentKey>\
             <cpix:MACMethod Algorithm=\"{HMAC_SHA512}\"><cpix:Key>{mac}</cpix:Key></cpix:MACMethod>"
        )
    }

    /// A content key, as the children of `pskc:Secret`: a new IV and the cipher text.
    pub(super) fn content_key(&self, key: &Secret<16>, rng: &mut impl CryptoRng) -> String {
        let mut iv = [0; 16];
        rng.fill_bytes(&mut iv);
        let cipher_text = cbc::Encryptor::<Aes256>::new(self.key.expose().into(), &iv.into()).encrypt_padded_vec::<Pkcs7>(key.expose());
        self.value(AES_256_CBC, &[&iv[..], &cipher_text].concat())
    }

    fn value(&self, algorithm: &str, cipher_text: &[u8]) -> String {
        let mut mac = <Hmac<Sha512> as KeyInit>::new_from_slice(self.mac.expose()).expect("HMAC takes keys of any length");
        mac.update(cipher_text);
        format!(
            "<pskc:EncryptedValue><enc:EncryptionMethod Algorithm=\"{algorithm}\"/><enc:CipherData><enc:CipherValue>{}</enc:CipherValue>\
             </enc:CipherData></pskc:EncryptedValue><pskc:ValueMAC>{}</pskc:ValueMAC>",
            base64(cipher_text),
            base64(&mac.finalize().into_bytes())
        )
    }
}

/// The `SubjectPublicKeyInfo` of a certificate (RFC 5280, 4.1).
fn public_key(certificate: &[u8]) -> Option<&[u8]> {
    let mut rest = certificate;
    let (tag, mut content, _) = take(&mut rest)?;
    if tag != SEQUENCE || !rest.is_empty() {
        return None;
    }
    let (tag, mut fields, _) = take(&mut content)?;
    if tag != SEQUENCE {
        return None;
    }
    if *fields.first()? == VERSION {
        take(&mut fields)?;
    }
    // The serial number, the signature's algorithm, the issuer, the validity and the subject.
    for _ in 0..5 {
        take(&mut fields)?;
    }
    let (tag, _, whole) = take(&mut fields)?;
    (tag == SEQUENCE).then_some(whole)
}

/// Takes one value of DER: its tag, its content, and the whole.
fn take<'a>(rest: &mut &'a [u8]) -> Option<(u8, &'a [u8], &'a [u8])> {
    let input = *rest;
    let (tag, length, header) = match input {
        [tag, length @ 0..=0x7F, ..] => (*tag, usize::from(*length), 2),
        [tag, 0x81, length, ..] => (*tag, usize::from(*length), 3),
        [tag, 0x82, high, low, ..] => (*tag, usize::from(u16::from_be_bytes([*high, *low])), 4),
        _ => return None,
    };
    let (whole, after) = input.split_at_checked(header + length)?;
    *rest = after;
    Some((tag, &whole[header..], whole))
}
