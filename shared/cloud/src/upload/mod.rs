//! Uploads by browsers to Brightcove: create, sign, ingest, and clean up.
//!
//! A page creates a video, and gets the location of its file and half of the credentials for it.
//! The other half stays here, encrypted. The page's requests to S3 are signed here, if the upload
//! needs them ([`shared::upload`]). At the end the file is ingested by Brightcove, which calls
//! back. What is never ingested is removed.
//!
//! No video is lost track of. Before one is created, an intent is recorded with the reference id
//! that the video will have, and the intent is closed when the upload is stored. An intent that is
//! open for 15 minutes lost its response. The reaper finds the video by its reference id, deletes
//! it if it has neither an upload nor a file, and closes the intent.

pub mod setting;

mod account;
mod authorizer;
mod brightcove;
mod callback;
mod caller;
mod create;
mod error;
mod ingest;
mod intent;
mod name;
mod object;
mod quota;
mod reaper;
mod record;
mod route;
mod sign;
mod status;
mod store;
mod template;
mod uploads;

pub use account::Account;
pub use authorizer::Authorizer;
pub use create::Creator;
pub use error::Error;
pub use ingest::Ingester;
pub use reaper::{Reaper, Report};
pub use record::Record;
pub use route::api;
pub use sign::Signer;
pub use uploads::Uploads;
