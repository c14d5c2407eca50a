//! The vendors' services that the suite calls.

pub(crate) mod brightcove;
