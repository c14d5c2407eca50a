//! The key packet: the domain keys that one client's transcoder needs for a day, sealed to that transcoder's public key.

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Code, Domain};
use crate::{
    crypto::jwe::{self, PrivateKey, PublicKey},
    encoding::{base64url, from_base64url_into},
    secret::Secret,
};

/// The domain keys of one client, as they travel.
#[derive(Debug, Serialize, Deserialize)]
pub struct Packet {
    /// The packet's name, by which a request can ask for its keys.
    pub id: String,
    /// Whose it is.
    pub client_id: String,
    /// When the keys must be dropped, in seconds since 1970.
    pub expires: u64,
    /// The keys of each domain.
    pub domains: Vec<DomainKeys>,
}

/// All versions of one domain's key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DomainKeys {
    /// The domain.
    pub domain: Domain,
    /// Its key's versions, in no particular order.
    pub keys: Vec<KeyVersion>,
}

/// One version of a domain's key. Until `not_before` it decodes only; from `not_after` on it is not used at all.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeyVersion {
    /// The version's name.
    pub kid: String,
    /// From when it may encode, in seconds since 1970.
    pub not_before: u64,
    /// When it ends, in seconds since 1970; never when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<u64>,
    /// The AES-256-SIV key.
    #[serde(with = "key_text")]
    pub key: Secret<64>,
}

/// Why a packet did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is not sealed to this transcoder.
    #[error("the key packet is not sealed to this transcoder's key")]
    Recipient,
    /// It was altered.
    #[error("the key packet was altered")]
    Content,
    /// It does not hold keys.
    #[error("the key packet does not hold keys in the expected form")]
    Form,
}

impl Error {
    /// The documented code.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Recipient => Code::S004,
            Self::Content => Code::S005,
            Self::Form => Code::S006,
        }
    }
}

/// Seals a packet to a transcoder.
#[must_use]
pub fn seal(packet: &Packet, transcoder: &PublicKey, rng: &mut impl CryptoRng) -> String {
    let content = Zeroizing::new(serde_json::to_vec(packet).expect("a packet can be written"));
    jwe::seal_to(transcoder, &content, rng)
}

/// Opens a packet.
pub fn open(text: &str, transcoder: &PrivateKey) -> Result<Packet, Error> {
    let content = jwe::open_with(transcoder, text).map_err(|error| match error {
        jwe::Error::Recipient => Error::Recipient,
        jwe::Error::Content => Error::Content,
        _ => Error::Form,
    })?;
    serde_json::from_slice(&content).map_err(|_| Error::Form)
}

mod key_text {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    use super::{Secret, Zeroizing, base64url, from_base64url_into};

    pub(super) fn serialize<S: Serializer>(key: &Secret<64>, serializer: S) -> Result<S::Ok, S::Error> {
        Zeroizing::new(base64url(key.expose())).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret<64>, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let mut key = Zeroizing::new([0; 64]);
        from_base64url_into(text.as_bytes(), &mut *key).ok_or_else(|| D::Error::custom("a domain key is 64 bytes of base64url"))?;
        Ok(Secret::new(*key))
    }
}
