//! The party at fault for a failure. Every vocabulary of errors maps to it.

/// The party at fault for a failure. It determines the HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The request is invalid. A retry fails again.
    Request,
    /// The caller is not authenticated: the credentials or the token are invalid.
    Identity,
    /// The caller is not authorised.
    Access,
    /// The resource does not exist.
    Absent,
    /// The service is overloaded or not ready. A retry may succeed.
    Busy,
    /// A service that Rampway depends on failed.
    Upstream,
    /// Rampway failed.
    Ours,
}

impl Fault {
    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Request => 400,
            Self::Identity => 401,
            Self::Access => 403,
            Self::Absent => 404,
            Self::Ours => 500,
            Self::Upstream => 502,
            Self::Busy => 503,
        }
    }
}
