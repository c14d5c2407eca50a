//! Brightcove: OAuth, the CMS API and Dynamic Ingest, as their references describe them.
//!
//! The stand-in validates requests, rejects them in the vendor's formats, enforces the vendor's
//! limits, and ingests what was uploaded to its [bucket](crate::aws::s3). Tests control it with the
//! methods of [`Brightcove`].

mod admission;
mod call;
mod cms;
mod control;
mod error_response;
mod fault_injection;
mod ingest;
mod job;
mod jobs;
mod oauth;
mod router;
mod stand_in;
mod standalone;
mod state;
mod stored;
mod time;
mod video;

pub use self::{
    call::Call,
    control::UploadCredentials,
    job::{Job, JobState},
    stand_in::Brightcove,
    standalone::BrightcoveServer,
    video::Video,
};
pub(crate) use self::{
    router::serve,
    stand_in::{DEFAULT_ACCOUNT, INGESTION_BUCKET},
};
