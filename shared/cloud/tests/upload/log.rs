//! The log.

use std::{cell::RefCell, io};

use local::Call;

use crate::fixture::{FIRST_VIDEO, Fixture, NOW, create, ingest, sign, sign_text};

thread_local! {
    /// The log of this thread.
    static LOGGED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Writes to the log of the current thread.
struct Log;

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGGED.with_borrow_mut(|logged| logged.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

// On one thread, whose log is compared.
#[tokio::test]
async fn videos_operations_and_codes_are_logged_and_nothing_secret() {
    // For every thread, because tracing caches for all of them whether a line is logged.
    tracing_subscriber::fmt().json().with_max_level(tracing::Level::INFO).with_writer(|| Log).init();

    let fixture = Fixture::new().await;
    fixture.use_example_urls();
    let upload = fixture.upload("a secret title.webm").await;
    let mut failures = Vec::new();
    let (signer, ingester, creator) = (fixture.signer().await, fixture.ingester().await, fixture.creator().await);
    let mut stolen = upload.clone();
    stolen["objectKey"] = "another/key".into();
    for request in [sign(&upload, "complete one"), sign(&stolen, "complete one"), sign_text("__proto__", "nonsense")] {
        failures.extend(signer.request_at(&request, NOW).await.err());
    }
    fixture.brightcove.refuse(Call::Ingest, 1, 422, r#"{"error_code":"X","message":"text of theirs"}"#);
    failures.extend(ingester.request_at(&ingest(&upload), NOW).await.err());
    ingester.request_at(&ingest(&upload), NOW).await.unwrap();
    fixture.brightcove.refuse(Call::UploadUrls, 1, 200, r#"{"secret_access_key":"text of theirs"}"#);
    failures.extend(creator.request_at(&create("b.webm", "alice"), NOW).await.err());
    assert_eq!(failures.len(), 4);

    let mut logged = String::from_utf8(LOGGED.take()).unwrap();
    for expected in [FIRST_VIDEO, r#""sign""#, r#""ingest""#, r#""create""#, "key_not_allowed", "upstream_rejected", "upstream_invalid"] {
        assert!(logged.contains(expected), "{expected} is not in {logged}");
    }
    logged.extend(failures.iter().map(ToString::to_string));
    let tokens = fixture.brightcove.access_tokens();
    assert!(!tokens.is_empty());
    let secrets = ["wJalr", "a/token", "a secret", "title", "s3://", "text of theirs", "alice", "__proto__", "X-Amz", "x-amz", "Basic"];
    let client_secret = fixture.brightcove.client_secret().expose();
    for secret in secrets.into_iter().chain([client_secret]).chain(tokens.iter().map(String::as_str)) {
        assert!(!logged.contains(secret), "{secret} is in {logged}");
    }
}
