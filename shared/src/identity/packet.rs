//! The key packet: one client's domain keys for a day, sealed to the public key of the client's
//! transcoder.

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{code::Code, domain::Domain};
use crate::{
    crypto::jwe::{self, PrivateKey, PublicKey},
    secret::Secret,
};

/// The content of a key packet: the domain keys of one client.
#[derive(Debug, Serialize, Deserialize)]
pub struct Packet {
    /// The packet's id. A request can require the keys of this packet.
    pub id: String,
    /// The id of the client that the keys belong to.
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
    /// The versions of its key, in any order.
    pub keys: Vec<KeyVersion>,
}

/// One version of a domain's key. Before `not_before` it decodes only. From `not_after` on it is
/// not used.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeyVersion {
    /// The id of the version.
    pub kid: String,
    /// When it begins to encode, in seconds since 1970.
    pub not_before: u64,
    /// When it ends, in seconds since 1970, or never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<u64>,
    /// The AES-256-SIV key.
    #[serde(with = "key_text")]
    pub key: Secret<64>,
}

/// Why a packet does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is sealed to another transcoder.
    #[error("the key packet is not sealed to this transcoder's key")]
    Recipient,
    /// It was altered.
    #[error("the key packet was altered")]
    Content,
    /// Its content is not a [`Packet`].
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

/// Seals a packet to a transcoder's public key.
#[must_use]
pub fn seal(packet: &Packet, transcoder: &PublicKey, rng: &mut impl CryptoRng) -> String {
    let content = Zeroizing::new(serde_json::to_vec(packet).expect("a packet can be written"));
    jwe::seal_to(transcoder, &content, rng)
}

/// Opens a packet with the transcoder's private key.
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
    use zeroize::Zeroizing;

    use crate::{
        encoding::{base64url, from_base64url_into},
        secret::Secret,
    };

    pub(super) fn serialize<S: Serializer>(key: &Secret<64>, serializer: S) -> Result<S::Ok, S::Error> {
        Zeroizing::new(base64url(key.expose())).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret<64>, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let mut key = Zeroizing::new([0; 64]);
        from_base64url_into(text.as_bytes(), &mut *key).ok_or_else(|| D::Error::custom("a domain key must be 64 bytes in base64url"))?;
        Ok(Secret::new(*key))
    }
}
