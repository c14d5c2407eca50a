//! Objects in a local engine that verifies signatures and checksums, and with injected faults.

#![expect(clippy::unwrap_used, reason = "a failed test panics")]

use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use axum::{
    Router,
    body::Body,
    error_handling::HandleError,
    extract::Request,
    http::{Method, StatusCode},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
};
use cloud::{
    object::{Error, S3Uri, Store},
    setting::Environment,
};
use s3s::{HttpError, auth::SimpleAuth, service::S3ServiceBuilder};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::{net::TcpListener, task::spawn_blocking};

const MB: usize = 1 << 20;

/// The faults to inject, each with the number of times.
#[derive(Clone, Default)]
struct Faults {
    /// Responses that break off half-way.
    broken: Arc<AtomicUsize>,
    /// Parts that are answered with 503.
    busy: Arc<AtomicUsize>,
    /// Parts that are answered with 400.
    refused: Arc<AtomicUsize>,
    /// Reads that find another version of the object.
    changed: Arc<AtomicUsize>,
}

fn take(fault: &AtomicUsize) -> bool {
    fault.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok()
}

impl Faults {
    async fn pass(self, request: Request, next: Next) -> Response {
        let part = request.method() == Method::PUT && request.uri().query().is_some_and(|query| query.contains("partNumber"));
        if part && take(&self.busy) {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        if part && take(&self.refused) {
            return StatusCode::BAD_REQUEST.into_response();
        }
        let ranged = request.method() == Method::GET && request.headers().contains_key("range");
        if ranged && request.headers().contains_key("if-match") && take(&self.changed) {
            return StatusCode::PRECONDITION_FAILED.into_response();
        }
        let response = next.run(request).await;
        if ranged && take(&self.broken) {
            let (head, body) = response.into_parts();
            let whole = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let half = whole.slice(..whole.len() / 2);
            // The Content-Length stays that of the whole.
            return Response::from_parts(head, Body::from_stream(Half(Some(half))));
        }
        response
    }
}

/// Half of a response, and then an error.
struct Half(Option<axum::body::Bytes>);

impl futures_core::Stream for Half {
    type Item = Result<axum::body::Bytes, std::io::Error>;

    fn poll_next(mut self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(Some(self.0.take().ok_or_else(|| std::io::Error::other("cut"))))
    }
}

struct Engine {
    folder: TempDir,
    faults: Faults,
    url: String,
}

async fn engine() -> Engine {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("bucket")).unwrap();
    let mut builder = S3ServiceBuilder::new(FileSystem::new(folder.path()).unwrap());
    builder.set_auth(SimpleAuth::from_single("local", "open sesame"));
    let faults = Faults::default();
    let layer = {
        let faults = faults.clone();
        from_fn(move |request: Request, next: Next| faults.clone().pass(request, next))
    };
    let service =
        HandleError::new(builder.build(), |error: HttpError| async move { (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:?}")) });
    let app = Router::new().fallback_service(service).layer(layer);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    Engine { folder, faults, url }
}

impl Engine {
    async fn store(&self) -> Store {
        self.store_as("open sesame").await
    }

    async fn store_as(&self, secret: &str) -> Store {
        let settings = [
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", secret),
            ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1"),
            ("AWS_ENDPOINT_URL_S3", &self.url),
        ];
        let environment: BTreeMap<_, _> = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Store::connect(&Environment::with_defaults(environment)).await
    }

    fn bucket(&self) -> std::path::PathBuf {
        self.folder.path().join("bucket")
    }

    /// The number of files of multipart uploads in the engine.
    fn uploads(&self) -> usize {
        let of_upload = |path: &Path| path.to_string_lossy().contains("upload");
        fs::read_dir(self.folder.path()).unwrap().filter(|entry| of_upload(&entry.as_ref().unwrap().path())).count()
    }
}

fn uri(key: &str) -> S3Uri {
    format!("s3://bucket/{key}").parse().unwrap()
}

/// Pseudo-random bytes, which differ at every offset.
fn bytes(count: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let step = move |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..count).map(step).collect()
}

async fn write(store: &Store, key: &str, content: Vec<u8>) -> Result<(), Error> {
    let mut writer = store.write(uri(key));
    spawn_blocking(move || {
        writer.write_all(&content).map_err(|error| error.downcast::<Error>().unwrap())?;
        writer.finish()
    })
    .await
    .unwrap()
}

async fn read(store: &Store, key: &str, from: u64) -> std::io::Result<Vec<u8>> {
    let object = store.find(&uri(key)).await?;
    let mut reader = store.read(object, from);
    spawn_blocking(move || {
        let mut content = Vec::new();
        reader.read_to_end(&mut content)?;
        Ok(content)
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_of_any_size_is_written_and_read() {
    let engine = engine().await;
    let store = engine.store().await;
    for size in [0, 1, 8 * MB, 8 * MB + 1, 35 * MB] {
        let content = bytes(size);
        write(&store, "folder/a b.csv", content.clone()).await.unwrap();
        assert!(read(&store, "folder/a b.csv", 0).await.unwrap() == content, "{size}");
        assert_eq!(store.find(&uri("folder/a b.csv")).await.unwrap().bytes(), size as u64);
    }
    let tail = read(&store, "folder/a b.csv", 20 * MB as u64 + 7).await.unwrap();
    assert!(tail == bytes(35 * MB)[20 * MB + 7..]);
    let object = store.find(&uri("folder/a b.csv")).await.unwrap();
    assert_eq!(store.range(&object, 5..9).await.unwrap(), bytes(9)[5..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_appears_when_it_is_finished_and_is_aborted_otherwise() {
    let engine = engine().await;
    let store = engine.store().await;
    write(&store, "out.csv", b"earlier".to_vec()).await.unwrap();
    let mut writer = store.write(uri("out.csv"));
    let writer = spawn_blocking(move || {
        writer.write_all(&bytes(20 * MB)).unwrap();
        writer
    });
    let writer = writer.await.unwrap();
    assert_eq!(fs::read(engine.bucket().join("out.csv")).unwrap(), b"earlier");
    assert!(engine.uploads() > 0, "an upload is in flight");
    drop(writer);
    assert_eq!(engine.uploads(), 0, "the upload is aborted");
    assert_eq!(fs::read(engine.bucket().join("out.csv")).unwrap(), b"earlier");
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_and_503_responses_are_retried() {
    let engine = engine().await;
    let store = engine.store().await;
    engine.faults.busy.store(2, SeqCst);
    write(&store, "in.csv", bytes(20 * MB)).await.unwrap();
    engine.faults.broken.store(3, SeqCst);
    assert!(read(&store, "in.csv", 0).await.unwrap() == bytes(20 * MB));
    assert_eq!((engine.faults.busy.load(SeqCst), engine.faults.broken.load(SeqCst)), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_part_aborts_the_upload() {
    let engine = engine().await;
    let store = engine.store().await;
    engine.faults.refused.store(1, SeqCst);
    let error = write(&store, "out.csv", bytes(20 * MB)).await.unwrap_err();
    assert!(error.to_string().starts_with("S3 refused the request for s3://bucket/out.csv"), "{error}");
    assert_eq!(engine.uploads(), 0);
    assert!(!engine.bucket().join("out.csv").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_replaced_while_it_is_read_is_an_error() {
    let engine = engine().await;
    let store = engine.store().await;
    write(&store, "in.csv", bytes(MB)).await.unwrap();
    engine.faults.changed.store(1, SeqCst);
    let error = read(&store, "in.csv", 0).await.unwrap_err();
    assert_eq!(error.to_string(), "s3://bucket/in.csv was replaced while it was read; start again when no other process writes to it");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_name_the_object_and_the_remedy() {
    let engine = engine().await;
    let error = read(&engine.store().await, "no.csv", 0).await.unwrap_err();
    assert_eq!(error.to_string(), "s3://bucket/no.csv does not exist; check the bucket and the key");
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);

    let denied = engine.store_as("wrong").await;
    let error = read(&denied, "no.csv", 0).await.unwrap_err();
    assert!(error.to_string().starts_with("AWS denies access to s3://bucket/no.csv"), "{error}");
    let error = write(&denied, "out.csv", b"x".to_vec()).await.unwrap_err();
    assert!(error.to_string().contains("SignatureDoesNotMatch"), "{error}");
    assert!(!error.to_string().contains("wrong"), "{error}");

    let unreachable = Engine { url: "http://127.0.0.1:1".into(), ..engine };
    let error = read(&unreachable.store().await, "in.csv", 0).await.unwrap_err();
    assert!(error.to_string().starts_with("S3 does not respond for s3://bucket/in.csv"), "{error}");
}
