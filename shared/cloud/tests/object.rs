//! Objects in a local engine that verifies signatures and checksums, and with injected faults.

#![expect(clippy::unwrap_used, reason = "a failed test panics")]

use std::{
    collections::BTreeMap,
    io::{Read, Write},
};

use cloud::{
    object::{Error, S3Uri, Store},
    setting::Environment,
};
use local::{S3, S3Fault};
use tokio::task::spawn_blocking;

const MB: usize = 1 << 20;

struct Engine {
    s3: S3,
    url: String,
}

async fn engine() -> Engine {
    let s3 = S3::start("bucket", "local", "open sesame").await.unwrap();
    let url = s3.url().to_owned();
    Engine { s3, url }
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
    assert_eq!(engine.s3.object("out.csv").unwrap(), b"earlier");
    assert!(engine.s3.upload_files() > 0, "an upload is in flight");
    drop(writer);
    assert_eq!(engine.s3.upload_files(), 0, "the upload is aborted");
    assert_eq!(engine.s3.object("out.csv").unwrap(), b"earlier");
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_and_503_responses_are_retried() {
    let engine = engine().await;
    let store = engine.store().await;
    engine.s3.inject(S3Fault::RefusePart(503), 2);
    write(&store, "in.csv", bytes(20 * MB)).await.unwrap();
    engine.s3.inject(S3Fault::TruncateRange, 3);
    assert!(read(&store, "in.csv", 0).await.unwrap() == bytes(20 * MB));
    assert_eq!(engine.s3.pending_faults(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_part_aborts_the_upload() {
    let engine = engine().await;
    let store = engine.store().await;
    engine.s3.inject(S3Fault::RefusePart(400), 1);
    let error = write(&store, "out.csv", bytes(20 * MB)).await.unwrap_err();
    assert!(error.to_string().starts_with("S3 refused the request for s3://bucket/out.csv"), "{error}");
    assert_eq!(engine.s3.upload_files(), 0);
    assert!(engine.s3.object("out.csv").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_replaced_while_it_is_read_is_an_error() {
    let engine = engine().await;
    let store = engine.store().await;
    write(&store, "in.csv", bytes(MB)).await.unwrap();
    engine.s3.inject(S3Fault::FailIfMatch, 1);
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
