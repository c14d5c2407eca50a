//! The bucket that browsers upload into: an engine that verifies every signature, behind what it lacks of S3.
//!
//! The engine keeps an object in a file of its key's name, and the parts of an upload beside the buckets' folders. What it answers otherwise
//! than S3 is put right in [`engine`]; who may do what is in [`access`]; and [`host`] bridges the port, which S3 does not have.

mod access;
mod engine;
mod grants;
mod host;
mod part;
mod rest;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use axum::{
    Router,
    error_handling::HandleError,
    http::{HeaderValue, Method, StatusCode, header},
    middleware::{from_fn, from_fn_with_state},
};
use s3s::{HttpError, service::S3ServiceBuilder};
use tokio::net::TcpListener;
use tower_http::cors::{AllowHeaders, Any, CorsLayer};

pub(crate) use self::grants::{Grants, Kept};
use self::{access::Access, engine::Engine, host::VirtualHosts};
use crate::{Error, server::Server};

/// The bucket that Brightcove's stand-in ingests from.
pub(crate) const BUCKET: &str = "rampway-ingestion";

/// A bucket, with who may use it.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    url: String,
    folder: PathBuf,
    grants: Grants,
}

impl Bucket {
    /// Serves the bucket that lies in a folder.
    pub(crate) fn serve(listener: TcpListener, folder: &Path) -> Result<(Self, Server), Error> {
        let machine = |error: io::Error| Error::Machine(format!("a folder for the bucket ({error})"));
        fs::create_dir_all(folder.join(BUCKET)).map_err(machine)?;
        let address = listener.local_addr().map_err(|source| Error::Listen { port: 0, source })?;
        let grants = Grants::default();
        let engine = Engine::new(folder).map_err(|error| Error::Machine(format!("a folder for the bucket ({error:?})")))?;
        let server = Server::start(listener, router(engine, &grants)).map_err(|source| Error::Listen { port: 0, source })?;
        Ok((Self { url: format!("http://{address}"), folder: folder.to_owned(), grants }, server))
    }

    /// Where S3 is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Who may use it.
    pub(crate) const fn grants(&self) -> &Grants {
        &self.grants
    }

    /// The address of an object.
    pub(crate) fn address(&self, key: &str) -> String {
        format!("{}/{BUCKET}/{key}", self.url)
    }

    /// The key of an object's address, at the port of any start; `None` when it is in no bucket of ours.
    pub(crate) fn key(address: &str) -> Option<&str> {
        let (_, path) = address.strip_prefix("http://127.0.0.1:")?.split_once('/')?;
        let key = path.strip_prefix(BUCKET)?.strip_prefix('/')?;
        let stays = key.split('/').all(|segment| !["", ".", ".."].contains(&segment));
        stays.then_some(key)
    }

    /// The file of an object.
    pub(crate) fn file(&self, key: &str) -> PathBuf {
        self.folder.join(BUCKET).join(key)
    }
}

fn router(engine: Engine, grants: &Grants) -> Router {
    let mut builder = S3ServiceBuilder::new(engine);
    builder.set_auth(Access(grants.clone()));
    builder.set_access(Access(grants.clone()));
    builder.set_host(VirtualHosts);
    let service =
        HandleError::new(builder.build(), |error: HttpError| async move { (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:?}")) });
    // As the vendor's bucket allows it: every page, since the signature is what counts.
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::PUT, Method::POST, Method::DELETE, Method::HEAD])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([header::ETAG]);
    Router::new()
        .fallback_service(service)
        .layer(from_fn_with_state(grants.clone(), host::without_port))
        .layer(from_fn(rest::taken))
        .layer(cors)
}

/// The value of a header that is text.
fn text(value: Option<&HeaderValue>) -> Option<&str> {
    value.and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_key_at_any_port() {
        assert_eq!(Bucket::key("http://127.0.0.1:4566/rampway-ingestion/1/2/source.webm"), Some("1/2/source.webm"));
        for address in
            ["http://127.0.0.1:4566/other/1", "http://127.0.0.1:4566/rampway-ingestion/../master.key", "https://example.org/a", ""]
        {
            assert_eq!(Bucket::key(address), None, "{address}");
        }
    }
}
