//! SPEKE's error table: the texts that the body of a reply carries.

use crate::fault::Fault;

/// Why a request gets no keys. Its text is the body of the reply.
///
/// The variants stand in the order in which a request is checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The header names another version of SPEKE. The document is not read.
    #[error("Unsupported SPEKE version")]
    UnsupportedSpekeVersion,
    /// The body is no CPIX document, or one with a DTD or an entity.
    #[error("Malformed CPIX document: {reason}")]
    Malformed {
        /// What is wrong.
        reason: &'static str,
        /// Up to which byte of the document the reader came.
        offset: usize,
    },
    /// An element or an attribute is absent.
    #[error("Missing {0}")]
    Missing(&'static str),
    /// `CPIX@version` is not the one of the header's version of SPEKE.
    #[error("Unsupported CPIX@version")]
    UnsupportedCpixVersion,
    /// An element or an attribute has a value that is not allowed.
    #[error("Invalid {0}")]
    Invalid(&'static str),
    /// A key has no scheme.
    #[error("Missing ContentKey@commonEncryptionScheme for KID {0}")]
    MissingScheme(String),
    /// A key has a scheme that does not exist.
    #[error("Invalid ContentKey@commonEncryptionScheme for KID {0}")]
    InvalidScheme(String),
    /// Keys of one document have different schemes.
    #[error("Non compliant ContentKey@commonEncryptionScheme combination")]
    MixedSchemes,
    /// A DRM system does not play content under the scheme.
    #[error("ContentKey@commonEncryptionScheme non compatible with DRMSystem {0}")]
    IncompatibleScheme(String),
    /// The key server does not signal the DRM system.
    #[error("Unsupported DRMSystem@systemId {0}")]
    UnsupportedSystem(String),
    /// No rule has a video or an audio filter.
    #[error("Missing CPIX encryption contract")]
    MissingContract,
    /// The rules contradict each other or name what is not there.
    #[error("Malformed encryption contract")]
    MalformedContract,
    /// A certificate does not parse, or its key is not of RSA with 2048 bits or more.
    #[error("Invalid DeliveryKey certificate")]
    InvalidCertificate,
}

impl Error {
    /// Whose fault it is: always the request's. SPEKE asks for the status 422 instead of the usual
    /// one.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        Fault::Request
    }
}
