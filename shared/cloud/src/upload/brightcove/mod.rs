//! Brightcove's APIs, as far as uploads need them: OAuth, CMS and Dynamic Ingest.

mod client;
mod response;
mod token;

pub(super) use client::{Accepted, Brightcove, Deletion, UploadUrls};
pub(super) use response::invalid_response;
