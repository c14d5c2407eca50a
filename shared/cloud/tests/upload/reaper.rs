//! The reaper.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;

use crate::{
    brightcove::{FIRST_VIDEO, Fault},
    desk::{DAY, Desk, NOW, ingest},
};

const OVER: u64 = NOW + DAY + 1;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_completed_is_removed_after_its_end() {
    let desk = Desk::new().await;
    let mut videos = Vec::new();
    for name in ["never", "gone", "complete", "job", "handed over"] {
        videos.push(desk.upload(name).await["videoId"].as_str().unwrap().to_owned());
    }
    desk.brightcove.forget(&videos[1]);
    desk.brightcove.change(&videos[2], |video| video.complete = true);
    desk.brightcove.change(&videos[3], |video| video.jobs.push(("a job".into(), "failed".into())));
    let last = desk.upload("handed over").await;
    desk.signed(&last, "complete one").await;
    assert_eq!(desk.ask(&ingest(&last), NOW).await.status, 200);

    let reaper = desk.reaper().await;
    let early = reaper.run_at(false, NOW + DAY).await.unwrap();
    assert_eq!((early.reaped.len(), early.closed.len()), (0, 0));
    let told = reaper.run_at(true, OVER).await.unwrap();
    assert_eq!((&told.reaped, &told.closed, told.dry_run), (&videos[..1].to_vec(), &videos[1..4].to_vec(), true));
    assert_eq!((desk.brightcove.count("delete"), desk.state(&json!({"videoId": videos[0]})).await.as_str()), (0, "open"));

    let done = reaper.run_at(false, OVER).await.unwrap();
    assert_eq!((&done.reaped, &done.closed), (&told.reaped, &told.closed));
    for (video, state) in videos.iter().zip(["reaped", "reaped", "done", "ingested", "ingested"]) {
        let item = desk.item(video).await;
        assert_eq!(item["state"].as_s().unwrap(), state);
        assert!(!item.contains_key("sealed") && !item.contains_key("unfinished"), "{state}");
    }
    assert_eq!((desk.brightcove.count("delete"), desk.brightcove.video(&videos[0]).is_some()), (1, false));
    let again = reaper.run_at(false, OVER + DAY).await.unwrap();
    assert_eq!((again.reaped.len(), again.closed.len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_handed_over_is_left_alone() {
    let desk = Desk::new().await;
    desk.completed().await;
    desk.patch(FIRST_VIDEO, "state", Some(AttributeValue::S("ingesting".into()))).await;
    desk.patch(FIRST_VIDEO, "lease_until", Some(AttributeValue::N((OVER + 30).to_string()))).await;
    let reaper = desk.reaper().await;
    assert_eq!(reaper.run_at(false, OVER + 29).await.unwrap().reaped, [""; 0]);
    assert_eq!(reaper.run_at(false, OVER + 30).await.unwrap().reaped, [FIRST_VIDEO]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_brightcove_keeps_is_tried_again_in_a_day() {
    let desk = Desk::new().await;
    desk.upload("a").await;
    let reaper = desk.reaper().await;
    desk.brightcove.fail("delete", 1, &Fault::Refused(409, r#"[{"error_code":"REFERENCES_EXIST"}]"#));
    assert_eq!(reaper.run_at(false, OVER).await.unwrap().kept, [FIRST_VIDEO]);
    assert!(!desk.item(FIRST_VIDEO).await.contains_key("sealed"));
    assert_eq!(reaper.run_at(false, OVER + DAY - 1).await.unwrap().kept, [""; 0]);
    desk.brightcove.fail("delete", 1, &Fault::Refused(403, ""));
    assert_eq!(reaper.run_at(false, OVER + DAY).await.unwrap().kept, [FIRST_VIDEO]);
    assert_eq!(reaper.run_at(false, OVER + 2 * DAY).await.unwrap().reaped, [FIRST_VIDEO]);
    assert_eq!(desk.brightcove.count("delete"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_brightcove_is_left_alone_until_the_next_run() {
    let desk = Desk::new().await;
    desk.upload("a").await;
    desk.upload("b").await;
    let reaper = desk.reaper().await;
    for (call, status) in [("video", 429), ("video", 503), ("jobs", 429), ("delete", 500), ("token", 500)] {
        if call == "token" {
            desk.brightcove.expire_tokens();
        }
        let before = desk.brightcove.count(call);
        desk.brightcove.fail(call, 1, &Fault::Refused(status, ""));
        let report = reaper.run_at(false, OVER).await.unwrap();
        assert_eq!((report.interrupted, report.reaped.len(), desk.brightcove.count(call) - before), (true, 0, 1), "{call} {status}");
    }
    assert_eq!(reaper.run_at(false, OVER).await.unwrap().reaped.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_one_does_not_hold_up_the_others() {
    let desk = Desk::new().await;
    let mut videos = Vec::new();
    for name in ["unreadable", "forbidden", "nonsense", "a"] {
        videos.push(desk.upload(name).await["videoId"].as_str().unwrap().to_owned());
    }
    desk.patch(&videos[0], "principal", None).await;
    desk.brightcove.fail("video", 1, &Fault::Refused(403, ""));
    desk.brightcove.fail("jobs", 1, &Fault::Refused(200, "nonsense"));
    let reaper = desk.reaper().await;
    assert!(reaper.run_at(false, OVER).await.is_err(), "somebody has to look");
    assert_eq!((desk.brightcove.video(&videos[3]).is_some(), desk.brightcove.videos()), (false, 3));
    assert!(!desk.item(&videos[1]).await.contains_key("sealed"));
    // They are looked at again in a day, and do not take every run till then.
    let before = desk.brightcove.count("video");
    assert!(reaper.run_at(false, OVER + DAY - 1).await.is_err());
    assert_eq!(desk.brightcove.count("video"), before);
    desk.patch(&videos[0], "principal", Some(AttributeValue::S("alice".into()))).await;
    assert_eq!(reaper.run_at(false, OVER + DAY).await.unwrap().reaped, videos[..3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_run_looks_at_fifty_videos() {
    let desk = Desk::with(&[("UPLOADS_PER_HOUR", "0")]).await;
    let creator = desk.creator().await;
    for index in 0..51 {
        let request = crate::desk::create(&format!("{index}"), "alice");
        assert_eq!(desk.answer(&request, creator.request_at(&request, NOW).await).status, 200);
    }
    let reaper = desk.reaper().await;
    assert_eq!(reaper.run_at(false, OVER).await.unwrap().reaped.len(), 50);
    assert_eq!(reaper.run_at(false, OVER).await.unwrap().reaped.len(), 1);
}
