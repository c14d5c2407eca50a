//! A bucket and its server.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use axum::{
    Router,
    error_handling::HandleError,
    http::StatusCode,
    middleware::{from_fn, from_fn_with_state},
};
use s3s::{HttpError, service::S3ServiceBuilder};
use tokio::net::TcpListener;

use super::{
    access::Access,
    cors,
    credentials::{CredentialStore, Grant, StoredGrant},
    drain,
    engine::Engine,
    fault_injection::{self, Faults},
    host::{self, VirtualHosts},
};
use crate::{error::Error, server::Server};

/// A bucket, with the credentials that S3 accepts. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    name: String,
    url: String,
    folder: PathBuf,
    credentials: CredentialStore,
    pub(super) faults: Faults,
}

impl Bucket {
    /// Serves a bucket whose objects are stored in a folder.
    pub(crate) fn serve(listener: TcpListener, folder: &Path, name: &str) -> Result<(Self, Server), Error> {
        Self::serve_with(listener, folder, name, CredentialStore::default())
    }

    /// Serves a bucket to the holders of these credentials, too.
    pub(super) fn serve_with(
        listener: TcpListener,
        folder: &Path,
        name: &str,
        credentials: CredentialStore,
    ) -> Result<(Self, Server), Error> {
        let unusable = |error: io::Error| Error::Machine(format!("a folder for the bucket ({error})"));
        fs::create_dir_all(folder.join(name)).map_err(unusable)?;
        let engine = Engine::new(folder).map_err(|error| Error::Machine(format!("a folder for the bucket ({error:?})")))?;
        let faults = Faults::default();
        let server = Server::start(listener, router(engine, &credentials, &faults))?;
        let bucket = Self { name: name.into(), url: server.url(), folder: folder.to_owned(), credentials, faults };
        Ok((bucket, server))
    }

    /// The base URL of S3.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Issues temporary credentials for an object.
    pub(crate) fn issue(&self, key: String) -> Grant {
        self.credentials.issue(&self.name, key)
    }

    /// Expires the temporary credentials of every object whose key has a prefix.
    pub(crate) fn expire(&self, prefix: &str) {
        self.credentials.expire(prefix);
    }

    /// The temporary credentials that have not expired, for the state directory.
    pub(crate) fn stored_grants(&self) -> Vec<StoredGrant> {
        self.credentials.stored()
    }

    /// Accepts temporary credentials from the state directory.
    pub(crate) fn restore_grants(&self, stored: Vec<StoredGrant>) {
        self.credentials.restore(&self.name, stored);
    }

    /// The URL of an object.
    pub(crate) fn object_url(&self, key: &str) -> String {
        format!("{}/{}/{key}", self.url, self.name)
    }

    /// The key in an object's URL, which may have the port of an earlier start. `None` when the URL
    /// is of another bucket.
    pub(crate) fn key<'a>(&self, url: &'a str) -> Option<&'a str> {
        key(&self.name, url)
    }

    /// The file of an object.
    pub(crate) fn file(&self, key: &str) -> PathBuf {
        self.folder.join(&self.name).join(key)
    }

    /// The number of open multipart uploads' files.
    pub(super) fn upload_files(&self) -> usize {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        entries.filter(|entry| entry.file_name().to_string_lossy().contains("upload")).count()
    }
}

fn key<'a>(bucket: &str, url: &'a str) -> Option<&'a str> {
    let (_, path) = url.strip_prefix("http://127.0.0.1:")?.split_once('/')?;
    let key = path.strip_prefix(bucket)?.strip_prefix('/')?;
    let is_inside = key.split('/').all(|segment| !["", ".", ".."].contains(&segment));
    is_inside.then_some(key)
}

fn router(engine: Engine, credentials: &CredentialStore, faults: &Faults) -> Router {
    let mut builder = S3ServiceBuilder::new(engine);
    builder.set_auth(Access(credentials.clone()));
    builder.set_access(Access(credentials.clone()));
    builder.set_host(VirtualHosts);
    let service =
        HandleError::new(builder.build(), |error: HttpError| async move { (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:?}")) });
    Router::new()
        .fallback_service(service)
        .layer(from_fn_with_state(credentials.clone(), host::strip_port))
        .layer(from_fn(drain::drain_unread))
        .layer(from_fn_with_state(faults.clone(), fault_injection::apply))
        .layer(from_fn(cors::allow_all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_s_url_has_its_key_at_every_port() {
        let key = |url| key("rampway-ingestion", url);
        assert_eq!(key("http://127.0.0.1:4566/rampway-ingestion/1/2/source.webm"), Some("1/2/source.webm"));
        for url in ["http://127.0.0.1:4566/other/1", "http://127.0.0.1:4566/rampway-ingestion/../master.key", "https://example.org/a", ""] {
            assert_eq!(key(url), None, "{url}");
        }
    }
}
