//! JSON Web Signatures (RFC 7515) as tokens (RFC 7519).
//!
//! The algorithm belongs to the key, which is found by `kid`; the token's `alg` is only compared with it. So `none`, and an HMAC with the
//! public key as its secret, have no key to be checked with.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation,
    errors::ErrorKind,
    jwk::{
        AlgorithmParameters, CommonParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, OctetKeyPairParameters, OctetKeyPairType,
        PublicKeyUse,
    },
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{crypto::sha256, encoding::base64url};

/// The longest token that is looked at, in bytes.
pub const MAX_TOKEN_BYTES: usize = 1 << 20;

const RSA: &[Algorithm] = &[Algorithm::RS256, Algorithm::RS384, Algorithm::RS512];

/// Why a token was not accepted. Public answers do not tell these apart; the log does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It has not the form of a token, or not the claims.
    #[error("the token is not a signed token with the expected claims")]
    Malformed,
    /// No verification key has the token's `kid`.
    #[error("the token names a key that is not known")]
    UnknownKey,
    /// The token's `alg` is not the key's.
    #[error("the token names an algorithm that is not its key's")]
    Algorithm,
    /// The signature is not the key's.
    #[error("the token's signature is not genuine")]
    Signature,
    /// `iss` is another.
    #[error("the token was issued by another")]
    Issuer,
    /// `aud` is another: a token for something else.
    #[error("the token was issued for something else")]
    Audience,
}

/// Why a key was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRejected {
    /// A verification key is not RSA, P-256 or Ed25519, or not readable.
    #[error("a verification key is not a readable RSA, P-256 or Ed25519 public key")]
    Verification,
    /// A signing key is not Ed25519 in PKCS#8 form.
    #[error("a signing key is not an Ed25519 key in PKCS#8 form")]
    Signing,
}

/// An Ed25519 key that signs tokens.
pub struct SigningKey {
    key: EncodingKey,
    pkcs8: Zeroizing<Vec<u8>>,
    public: Jwk,
    kid: String,
}

impl SigningKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// When the generator fails.
    pub fn generate() -> Result<Self, KeyRejected> {
        let pair = Ed25519KeyPair::generate().map_err(|_| KeyRejected::Signing)?;
        Self::from_pkcs8(pair.to_pkcs8v1().map_err(|_| KeyRejected::Signing)?.as_ref())
    }

    /// Reads a PKCS#8 document.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, KeyRejected> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(|_| KeyRejected::Signing)?;
        let public = pair.public_key();
        let x = base64url(public.as_ref());
        let kid = base64url(&sha256(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#).as_bytes()));
        let public = Jwk {
            common: CommonParameters {
                public_key_use: Some(PublicKeyUse::Signature),
                key_algorithm: Some(KeyAlgorithm::EdDSA),
                key_id: Some(kid.clone()),
                ..CommonParameters::default()
            },
            algorithm: AlgorithmParameters::OctetKeyPair(OctetKeyPairParameters {
                key_type: OctetKeyPairType::OctetKeyPair,
                curve: EllipticCurve::Ed25519,
                x,
            }),
        };
        Ok(Self { key: EncodingKey::from_ed_der(der), pkcs8: Zeroizing::new(der.to_vec()), public, kid })
    }

    /// The key's name: its RFC 7638 thumbprint.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The verification key, to be published.
    #[must_use]
    pub const fn public(&self) -> &Jwk {
        &self.public
    }

    /// Shows the private key as PKCS#8, to be sealed and stored.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.pkcs8
    }

    /// Signs claims.
    #[must_use]
    pub fn sign(&self, claims: &impl Serialize) -> String {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(self.kid.clone());
        jsonwebtoken::encode(&header, claims, &self.key).expect("an Ed25519 key signs any claims")
    }
}

/// The keys that tokens are verified with.
#[derive(Clone, Default)]
pub struct KeySet(Vec<VerificationKey>);

#[derive(Clone)]
struct VerificationKey {
    /// A key without a name, as the original's PEM, answers for tokens without one.
    kid: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

impl KeySet {
    /// Takes public keys by their JSON Web Keys; keys of kinds that sign nothing here are refused.
    pub fn new(jwks: &JwkSet) -> Result<Self, KeyRejected> {
        jwks.keys.iter().map(VerificationKey::new).collect::<Result<_, _>>().map(Self)
    }

    /// Reads a JSON Web Key Set (RFC 7517).
    pub fn from_json(text: &str) -> Result<Self, KeyRejected> {
        Self::new(&serde_json::from_str(text).map_err(|_| KeyRejected::Verification)?)
    }

    /// Reads one PEM public key (RSA, P-256 or Ed25519) without a name.
    pub fn from_pem(pem: &str) -> Result<Self, KeyRejected> {
        let pem = pem.as_bytes();
        let (algorithms, key) = if let Ok(key) = DecodingKey::from_rsa_pem(pem) {
            (RSA.to_vec(), key)
        } else if let Ok(key) = DecodingKey::from_ec_pem(pem) {
            (vec![Algorithm::ES256], key)
        } else {
            (vec![Algorithm::EdDSA], DecodingKey::from_ed_pem(pem).map_err(|_| KeyRejected::Verification)?)
        };
        Ok(Self(vec![VerificationKey { kid: None, algorithms, key }]))
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Both sets in one; of two keys of one name the first stays.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        for key in other.0 {
            if !self.0.iter().any(|known| known.kid == key.kid) {
                self.0.push(key);
            }
        }
        self
    }

    /// Checks the signature, the issuer and the audience, and reads the claims. Times are left to the caller, who knows what now is.
    pub fn verify<C: DeserializeOwned>(&self, token: &str, issuer: &str, audience: &str) -> Result<C, Error> {
        self.decode(token, audience, &["iss", "aud", "sub", "exp", "nbf"], |validation| validation.set_issuer(&[issuer]))
    }

    /// Checks the signature and the audience of a token that anyone of these keys may have issued, and reads the claims.
    pub fn verify_any_issuer<C: DeserializeOwned>(&self, token: &str, audience: &str) -> Result<C, Error> {
        self.decode(token, audience, &["aud", "sub", "exp"], |_| {})
    }

    fn decode<C: DeserializeOwned>(
        &self,
        token: &str,
        audience: &str,
        required: &[&str],
        also: impl FnOnce(&mut Validation),
    ) -> Result<C, Error> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Error::Malformed);
        }
        // A header with an algorithm that has no name here, `none` among them, does not parse.
        let header = jsonwebtoken::decode_header(token).map_err(|_| Error::Malformed)?;
        let key = self.0.iter().find(|key| key.kid == header.kid).ok_or(Error::UnknownKey)?;
        if !key.algorithms.contains(&header.alg) {
            return Err(Error::Algorithm);
        }
        let mut validation = Validation::new(header.alg);
        validation.validate_exp = false;
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(required);
        also(&mut validation);
        let claims: Value =
            jsonwebtoken::decode(token, &key.key, &validation).map(|token| token.claims).map_err(|error| match error.kind() {
                ErrorKind::InvalidSignature => Error::Signature,
                ErrorKind::InvalidIssuer => Error::Issuer,
                ErrorKind::InvalidAudience => Error::Audience,
                _ => Error::Malformed,
            })?;
        // Last, so that a token for something else is told from one that is not ours at all.
        serde_json::from_value(claims).map_err(|_| Error::Malformed)
    }
}

impl VerificationKey {
    fn new(jwk: &Jwk) -> Result<Self, KeyRejected> {
        let rejected = KeyRejected::Verification;
        let family: &[Algorithm] = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => RSA,
            AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => &[Algorithm::ES256],
            AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => &[Algorithm::EdDSA],
            _ => return Err(rejected),
        };
        let algorithms: Vec<_> = match jwk.common.key_algorithm {
            None => family.to_vec(),
            Some(named) => family.iter().copied().filter(|algorithm| KeyAlgorithm::from(*algorithm) == named).collect(),
        };
        if algorithms.is_empty() {
            return Err(rejected);
        }
        let key = DecodingKey::from_jwk(jwk).map_err(|_| rejected)?;
        Ok(Self { kid: jwk.common.key_id.clone(), algorithms, key })
    }
}
