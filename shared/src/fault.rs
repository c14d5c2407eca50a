//! Whose fault a failure is: the one classification that every vocabulary of errors maps to.

/// Whose fault a failure is. Nothing else in the suite chooses an HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The request is malformed: sending it again changes nothing.
    Request,
    /// The caller does not show who he is: bad credentials, or a token that is not good.
    Identity,
    /// The caller may not do this.
    Access,
    /// What was asked for does not exist.
    Absent,
    /// Too much at once, or not ready: the same request may succeed later.
    Busy,
    /// A service that we depend on failed.
    Upstream,
    /// We failed.
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
