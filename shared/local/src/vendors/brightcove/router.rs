//! The routes of the three APIs.

use axum::{
    Router,
    middleware::from_fn_with_state,
    routing::{get, post},
};
use tokio::net::TcpListener;

use super::{admission, cms, error_response, ingest, jobs, oauth, stand_in::Brightcove};
use crate::{aws::s3::Bucket, error::Error, logs::Logs, server::Server};

/// Serves an account that ingests from a bucket, with the state of an earlier start.
pub(crate) fn serve(
    listener: TcpListener,
    account: &str,
    bucket: Bucket,
    logs: Logs,
    restore: impl FnOnce(&Brightcove) -> Result<(), Error>,
) -> Result<(Brightcove, Server), Error> {
    let address = listener.local_addr().map_err(Error::socket)?;
    let brightcove = Brightcove::new(format!("http://{address}"), account, bucket, logs)?;
    restore(&brightcove)?;
    let server = Server::start(listener, router(brightcove.clone()))?;
    Ok((brightcove, server))
}

fn router(brightcove: Brightcove) -> Router {
    let videos = "/cms/v1/accounts/{account}/videos";
    let ingest = "/ingest/v1/accounts/{account}/videos/{video}";
    Router::new()
        .route("/oauth/v4/access_token", post(oauth::token))
        .route(videos, post(cms::create))
        .route(&format!("{videos}/{{video}}"), get(cms::read).delete(cms::delete))
        .route(&format!("{videos}/{{video}}/ingest_jobs"), get(jobs::list))
        .route(&format!("{videos}/{{video}}/ingest_jobs/{{job}}"), get(jobs::read))
        .route(&format!("{ingest}/upload-urls/{{source}}"), get(ingest::upload_urls))
        .route(&format!("{ingest}/ingest-requests"), post(ingest::request))
        .fallback(error_response::not_found)
        .method_not_allowed_fallback(error_response::method_not_allowed)
        .layer(from_fn_with_state(brightcove.clone(), admission::admit))
        .with_state(brightcove)
}
