//! JSON Web Tokens (RFC 7519) with JSON Web Signatures (RFC 7515).
//!
//! The key, found by `kid`, determines the algorithm; the token's `alg` is only compared with it.
//! So no key verifies the algorithm `none`, or an HMAC with a public key as its secret.

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

/// Maximum length of a token, in bytes.
pub const MAX_TOKEN_BYTES: usize = 1 << 20;

const RSA: &[Algorithm] = &[Algorithm::RS256, Algorithm::RS384, Algorithm::RS512];

/// Why a token is refused. Responses do not distinguish the reasons; the log does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not a token, or lacks the expected claims.
    #[error("the token is not a signed token with the expected claims")]
    Malformed,
    /// No verification key has the token's `kid`.
    #[error("no verification key has the token's kid")]
    UnknownKey,
    /// The `alg` of the token is not that of the key.
    #[error("the token's alg is not that of its key")]
    Algorithm,
    /// The signature does not verify.
    #[error("the token's signature does not verify")]
    Signature,
    /// `iss` is not the expected issuer.
    #[error("the token has another issuer")]
    Issuer,
    /// `aud` is not the expected audience.
    #[error("the token has another audience")]
    Audience,
}

/// Why a key is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRejected {
    /// A verification key cannot be parsed, or is not RSA, P-256 or Ed25519.
    #[error("the verification key is not an RSA, P-256 or Ed25519 public key")]
    Verification,
    /// A signing key is not an Ed25519 key in PKCS#8 form.
    #[error("the signing key is not an Ed25519 key in PKCS#8 form")]
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
    /// Generates a key.
    ///
    /// # Errors
    /// If the generation fails.
    pub fn generate() -> Result<Self, KeyRejected> {
        let pair = Ed25519KeyPair::generate().map_err(|_| KeyRejected::Signing)?;
        Self::from_pkcs8(pair.to_pkcs8v1().map_err(|_| KeyRejected::Signing)?.as_ref())
    }

    /// Parses a PKCS#8 document.
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

    /// The id of the key: its thumbprint (RFC 7638).
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The verification key, as a JSON Web Key.
    #[must_use]
    pub const fn public(&self) -> &Jwk {
        &self.public
    }

    /// The private key as PKCS#8. Every call is to be audited.
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

/// A set of verification keys.
#[derive(Clone, Default)]
pub struct KeySet(Vec<VerificationKey>);

#[derive(Clone)]
struct VerificationKey {
    /// The key's id. A key from a PEM has none, and verifies tokens without a `kid`.
    kid: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

impl KeySet {
    /// Makes a set of JSON Web Keys. Keys of other algorithms are refused.
    pub fn new(jwks: &JwkSet) -> Result<Self, KeyRejected> {
        jwks.keys.iter().map(VerificationKey::new).collect::<Result<_, _>>().map(Self)
    }

    /// Parses a JSON Web Key Set (RFC 7517).
    pub fn from_json(text: &str) -> Result<Self, KeyRejected> {
        Self::new(&serde_json::from_str(text).map_err(|_| KeyRejected::Verification)?)
    }

    /// Parses one PEM public key (RSA, P-256 or Ed25519). It has no `kid`.
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

    /// Whether the set has no keys.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the keys of another set whose `kid` this set does not have.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        for key in other.0 {
            if !self.0.iter().any(|known| known.kid == key.kid) {
                self.0.push(key);
            }
        }
        self
    }

    /// Verifies signature, issuer and audience, and returns the claims. The caller checks the
    /// times.
    pub fn verify<C: DeserializeOwned>(&self, token: &str, issuer: &str, audience: &str) -> Result<C, Error> {
        self.decode(token, audience, &["iss", "aud", "sub", "exp", "nbf"], |validation| validation.set_issuer(&[issuer]))
    }

    /// Verifies signature and audience of a token from any issuer, and returns the claims. The
    /// caller checks the times.
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
        // A header with an unknown algorithm, such as `none`, does not parse.
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
        // Last, so that a wrong audience or issuer takes precedence over missing claims.
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
