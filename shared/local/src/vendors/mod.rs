//! The vendors' services on one machine: of each the part that a stack uses.

pub(crate) mod brightcove;
