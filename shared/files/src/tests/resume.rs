//! Runs that are stopped, and runs that resume them.

use super::*;
use crate::input::{self, InputDigest};

fn assert_resumable(error: &str, rows: &str) {
    assert!(error.contains("out.csv was not written; the first ") && error.ends_with("are done and kept: go on with --resume"), "{error}");
    assert!(error.contains(rows), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_failure_keeps_the_finished_rows_and_leaves_no_output() {
    let (dir, mut options) = audience(500);
    options.rejects = Some(dir.path().join("bad.csv"));
    let (client, _) = server(|request| (request >= 10).then_some(StatusCode::INTERNAL_SERVER_ERROR)).await;
    let error = translate(client, &options, pending()).await.unwrap_err().to_string();
    assert!(error.starts_with("the server failed (500 Internal Server Error)"), "{error}");
    assert_resumable(&error, "rows");
    assert!(!options.output.name().unwrap().exists() && !dir.path().join("bad.csv").exists());

    let again = run(&options).await.unwrap_err();
    assert!(again.contains("was stopped after") && again.contains("go on with --resume, or remove"), "{again}");
    options.resume = true;
    let (client, requests) = server(|_| None).await;
    let report = translate(client, &options, pending()).await.unwrap();
    assert_eq!(String::from_utf8(written(&options)).unwrap(), result(500));
    assert_eq!((report.rows(), report.translated(), report.refused()["I001"]), (500, 450, 50));
    assert!(report.resumed_after.is_some() && requests.load(Ordering::SeqCst) < 21);
    assert_eq!(report.output.sha256, shared::encoding::hex(&shared::crypto::sha256(result(500).as_bytes())));
    assert_eq!(fs::read_to_string(dir.path().join("bad.csv")).unwrap().lines().count(), 51);
    assert_eq!(files(dir.path()), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_run_can_be_resumed_with_any_compression() {
    for (name, decoded) in [("out.csv.gz", Compression::Gzip), ("out.csv.zst", Compression::Zstd)] {
        let (dir, mut options) = audience(2000);
        options.output = Location::Local(dir.path().join(name));
        let (client, requests) = server(|_| None).await;
        let stop = async move {
            while requests.load(Ordering::SeqCst) < 20 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let error = translate(client, &options, stop).await.unwrap_err().to_string();
        assert!(error.starts_with("stopped; ") && error.ends_with("go on with --resume"), "{error}");
        options.resume = true;
        assert!(run(&options).await.unwrap().resumed_after.is_some());
        let translated = Options { input: Location::Local(dir.path().join(name)), ..options.clone() };
        let mut text = String::new();
        std::io::Read::read_to_string(&mut input::open_text(&translated, &InputDigest::default()).unwrap(), &mut text).unwrap();
        assert_eq!(text, result(2000));
        assert_eq!(Compression::of(Path::new(name)), decoded);
        assert_eq!(Compression::detect(&written(&options)), decoded);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_not_resumed_with_another_input_or_other_options() {
    let (dir, mut options) = audience(500);
    let (client, _) = server(|request| (request >= 10).then_some(StatusCode::INTERNAL_SERVER_ERROR)).await;
    let error = translate(client, &options, pending()).await.unwrap_err().to_string();
    assert_resumable(&error, "rows");
    options.resume = true;
    options.delimiter = Some(b';');
    options.column = Column::Named("row,rampid".into());
    let error = run(&options).await.unwrap_err();
    assert!(error.contains("the options differ from those of the run that was stopped"), "{error}");
    options.delimiter = None;
    options.column = Column::Named("rampid".into());
    fs::write(dir.path().join("audience.csv"), rows(501)).unwrap();
    assert!(run(&options).await.unwrap_err().contains("the input differs from that of the run that was stopped"));
    options.resume = false;
    run(&options).await.unwrap();
    assert_eq!(String::from_utf8(written(&options)).unwrap(), result(501));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_journal_resume_starts_over() {
    let (dir, mut options) = audience(100);
    options.resume = true;
    let (client, _) = server(|_| Some(StatusCode::INTERNAL_SERVER_ERROR)).await;
    let error = translate(client, &options, pending()).await.unwrap_err().to_string();
    assert!(error.ends_with("out.csv was not written"), "{error}");
    assert_eq!(files(dir.path()), 1);
    assert_eq!(run(&options).await.unwrap().resumed_after, None);
    options.output = Location::Stdio;
    assert!(run(&options).await.unwrap_err().contains("--resume needs files"));
}
