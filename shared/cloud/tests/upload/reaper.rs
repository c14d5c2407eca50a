//! The reaper.

use aws_sdk_dynamodb::types::AttributeValue;
use local::{Call, JobState};
use serde_json::json;

use crate::fixture::{DAY, FIRST_VIDEO, Fixture, NOW, ingest};

const EXPIRED: u64 = NOW + DAY + 1;

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_was_not_completed_is_reaped_after_it_expires() {
    let fixture = Fixture::new().await;
    let mut videos = Vec::new();
    for name in ["never", "gone", "complete", "job", "ingested"] {
        videos.push(fixture.upload(name).await["videoId"].as_str().unwrap().to_owned());
    }
    fixture.brightcove.remove(&videos[1]);
    fixture.brightcove.set_complete(&videos[2]);
    fixture.brightcove.add_job(&videos[3], "a job", JobState::Failed);
    let last = fixture.upload("ingested").await;
    fixture.signed(&last, "complete one").await;
    assert_eq!(fixture.ingester_response(&ingest(&last), NOW).await.status, 200);

    let reaper = fixture.reaper().await;
    let early = reaper.run_at(false, NOW + DAY).await.unwrap();
    assert_eq!((early.reaped.len(), early.closed.len()), (0, 0));
    let preview = reaper.run_at(true, EXPIRED).await.unwrap();
    assert_eq!((&preview.reaped, &preview.closed, preview.dry_run), (&videos[..1].to_vec(), &videos[1..4].to_vec(), true));
    assert_eq!((fixture.brightcove.requests(Call::Delete), fixture.state(&json!({"videoId": videos[0]})).await.as_str()), (0, "open"));

    let done = reaper.run_at(false, EXPIRED).await.unwrap();
    assert_eq!((&done.reaped, &done.closed), (&preview.reaped, &preview.closed));
    for (video, state) in videos.iter().zip(["reaped", "reaped", "done", "ingested", "ingested"]) {
        let item = fixture.item(video).await;
        assert_eq!(item["state"].as_s().unwrap(), state);
        assert!(!item.contains_key("sealed") && !item.contains_key("unfinished"), "{state}");
    }
    assert_eq!((fixture.brightcove.requests(Call::Delete), fixture.brightcove.video(&videos[0]).is_some()), (1, false));
    let again = reaper.run_at(false, EXPIRED + DAY).await.unwrap();
    assert_eq!((again.reaped.len(), again.closed.len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leased_upload_is_not_reaped() {
    let fixture = Fixture::new().await;
    fixture.completed().await;
    fixture.patch(FIRST_VIDEO, "state", Some(AttributeValue::S("ingesting".into()))).await;
    fixture.patch(FIRST_VIDEO, "lease_until", Some(AttributeValue::N((EXPIRED + 30).to_string()))).await;
    let reaper = fixture.reaper().await;
    assert_eq!(reaper.run_at(false, EXPIRED + 29).await.unwrap().reaped, [""; 0]);
    assert_eq!(reaper.run_at(false, EXPIRED + 30).await.unwrap().reaped, [FIRST_VIDEO]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_video_that_brightcove_keeps_is_postponed_by_a_day() {
    let fixture = Fixture::new().await;
    fixture.upload("a").await;
    let reaper = fixture.reaper().await;
    fixture.brightcove.refuse(Call::Delete, 1, 409, r#"[{"error_code":"REFERENCES_EXIST"}]"#);
    assert_eq!(reaper.run_at(false, EXPIRED).await.unwrap().kept, [FIRST_VIDEO]);
    assert!(!fixture.item(FIRST_VIDEO).await.contains_key("sealed"));
    assert_eq!(reaper.run_at(false, EXPIRED + DAY - 1).await.unwrap().kept, [""; 0]);
    fixture.brightcove.refuse(Call::Delete, 1, 403, "");
    assert_eq!(reaper.run_at(false, EXPIRED + DAY).await.unwrap().kept, [FIRST_VIDEO]);
    assert_eq!(reaper.run_at(false, EXPIRED + 2 * DAY).await.unwrap().reaped, [FIRST_VIDEO]);
    assert_eq!(fixture.brightcove.requests(Call::Delete), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_brightcove_interrupts_the_run() {
    let fixture = Fixture::new().await;
    fixture.upload("a").await;
    fixture.upload("b").await;
    let reaper = fixture.reaper().await;
    for (call, status) in [(Call::Read, 429), (Call::Read, 503), (Call::Jobs, 429), (Call::Delete, 500), (Call::Token, 500)] {
        if call == Call::Token {
            fixture.brightcove.revoke_tokens();
        }
        let before = fixture.brightcove.requests(call);
        fixture.brightcove.refuse(call, 1, status, "");
        let report = reaper.run_at(false, EXPIRED).await.unwrap();
        assert_eq!(
            (report.interrupted, report.reaped.len(), fixture.brightcove.requests(call) - before),
            (true, 0, 1),
            "{call:?} {status}"
        );
    }
    assert_eq!(reaper.run_at(false, EXPIRED).await.unwrap().reaped.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_upload_s_error_does_not_stop_the_others() {
    let fixture = Fixture::new().await;
    let mut videos = Vec::new();
    for name in ["unreadable", "forbidden", "nonsense", "a"] {
        videos.push(fixture.upload(name).await["videoId"].as_str().unwrap().to_owned());
    }
    fixture.patch(&videos[0], "principal", None).await;
    fixture.brightcove.refuse(Call::Read, 1, 403, "");
    fixture.brightcove.refuse(Call::Jobs, 1, 200, "nonsense");
    let reaper = fixture.reaper().await;
    let error = reaper.run_at(false, EXPIRED).await.unwrap_err();
    assert_eq!(error.code(), "upstream_invalid", "the run fails with its last error, so that the alarm goes off");
    assert_eq!((fixture.brightcove.video(&videos[3]).is_some(), fixture.brightcove.videos().len()), (false, 3));
    assert!(!fixture.item(&videos[1]).await.contains_key("sealed"));
    // They are postponed by a day, so that they do not fill every run.
    let before = fixture.brightcove.requests(Call::Read);
    let unreadable = reaper.run_at(false, EXPIRED + DAY - 1).await.unwrap_err();
    assert!(unreadable.to_string().ends_with("attribute principal"), "{unreadable}");
    assert_eq!(fixture.brightcove.requests(Call::Read), before);
    fixture.patch(&videos[0], "principal", Some(AttributeValue::S("alice".into()))).await;
    assert_eq!(reaper.run_at(false, EXPIRED + DAY).await.unwrap().reaped, videos[..3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_run_processes_at_most_fifty_videos() {
    let fixture = Fixture::with(&[("UPLOADS_PER_HOUR", "0")]).await;
    let creator = fixture.creator().await;
    for index in 0..51 {
        let request = crate::fixture::create(&format!("{index}"), "alice");
        assert_eq!(fixture.answer(&request, creator.request_at(&request, NOW).await).status, 200);
    }
    let reaper = fixture.reaper().await;
    assert_eq!(reaper.run_at(false, EXPIRED).await.unwrap().reaped.len(), 50);
    assert_eq!(reaper.run_at(false, EXPIRED).await.unwrap().reaped.len(), 1);
}
