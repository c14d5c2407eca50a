//! Uploads by browsers to Brightcove: create, sign, ingest, and what is around them.
//!
//! A page creates a video, and gets the place of its file and half of the credentials for it; the other half stays here, sealed. Each request
//! that it then makes to S3 is signed here, if it is one that the upload needs ([`shared::upload`]). At the end the file is handed over to
//! Brightcove, which calls back; what never gets there is removed.
//!
//! No video is left that nobody knows of: before one is created, a reference is noted that it is created under, and the note is settled once
//! its upload is stored. What is not settled in a quarter of an hour was lost on the way. The reaper looks for a video of that reference,
//! deletes it by its id where it has neither an upload nor a file, and settles the note.

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
pub use sign::Signer;
pub use uploads::Uploads;

use lambda_http::http::{Method, header};
use serde_json::{Map, Value};
use shared::{
    fault::Fault,
    upload::{Code, VideoId},
};

use crate::{
    gateway::{Door, Failure, Form, Origins, Reply, Request},
    setting::Environment,
};

/// The door of uploads: several origins, and errors with the member `error`.
#[must_use]
pub fn door(environment: &Environment) -> Door {
    Door::new(Form::Error, Origins::Several(environment.upload_origins()))
}

/// The longest body of a page's request, in bytes.
const MAX_BODY: usize = 16 << 10;

/// How long a request may take, its calls to others included.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(25);

/// One route: what it does, its method, and the log's line on what came of it.
async fn only(
    method: Method,
    operation: &'static str,
    request: &Request,
    deed: impl Future<Output = Result<Reply, Error>>,
) -> Result<Reply, Failure> {
    let methods = if method == Method::POST { "POST, OPTIONS" } else { "GET, OPTIONS" };
    if request.method == Method::OPTIONS {
        return Ok(Reply::preflight(methods));
    }
    if request.method != method {
        return Err(Failure::method(methods, Code::Method.code()));
    }
    let outcome = deed.await;
    let code = outcome.as_ref().map_or_else(Error::code, |_| "ok");
    // An id is digits: whatever else came is not for the log.
    let video = video(request).map_or_else(|_| "none".into(), |video| video.to_string());
    tracing::info!(operation, video, code);
    Ok(outcome?)
}

/// No such route: the template sends nothing else, so this is for a template that does.
fn absent() -> Failure {
    let code = Code::NotFound;
    Failure::new(Fault::Absent, code.code(), code.message())
}

/// The video of a route.
fn video(request: &Request) -> Result<VideoId, Error> {
    Ok(request.parameter("videoId").parse()?)
}

/// The body of a page's request: a JSON object, as a list of values would be read as one, too.
fn body(request: &Request) -> Result<Map<String, Value>, Error> {
    let media_type = request.header(header::CONTENT_TYPE).unwrap_or_default().split(';').next().unwrap_or_default();
    if !media_type.trim().eq_ignore_ascii_case("application/json") {
        return Err(Error::Code(Code::MediaType));
    }
    if request.body.len() > MAX_BODY {
        return Err(Error::Code(Code::TooLarge));
    }
    serde_json::from_str(&request.body).map_err(|_| Error::Code(Code::BadBody))
}
