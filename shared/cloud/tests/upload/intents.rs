//! Videos whose creation nobody heard of.

use aws_sdk_dynamodb::types::AttributeValue;
use cloud::upload::Uploads;

use crate::{
    brightcove::{FIRST_VIDEO, Fault},
    desk::{DAY, Desk, NOW, create, error},
};

const OVER: u64 = NOW + 15 * 60 + 1;

impl Desk {
    /// Whether each intent is still to be settled.
    async fn intents(&self) -> Vec<bool> {
        let all = self.table.scan().table_name("uploads").send().await.unwrap().items.unwrap_or_default();
        let intents = all.iter().filter(|item| item["item"].as_s().unwrap().starts_with("intent#"));
        intents.map(|item| item.contains_key("unfinished")).collect()
    }

    /// The name of the intent of a video.
    fn intent(&self, video: &str) -> AttributeValue {
        AttributeValue::S(format!("intent#{}", self.brightcove.video(video).unwrap().body["reference_id"].as_str().unwrap()))
    }

    /// Opens a video's intent again, as if whoever created it had been gone in between.
    async fn unsettle(&self, video: &str) {
        let update = self.table.update_item().table_name("uploads").key("item", self.intent(video));
        let update = update.update_expression("SET unfinished = :one").expression_attribute_values(":one", AttributeValue::S("1".into()));
        update.send().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_is_settled_and_no_upload_of_its_own() {
    let desk = Desk::new().await;
    desk.upload("a.webm").await;
    assert_eq!(desk.intents().await, [false]);
    assert_eq!(Uploads::from_env(&desk.environment).await.unwrap().list().await.unwrap().len(), 1);
    // What was refused was not created.
    desk.brightcove.fail("create", 1, &Fault::Refused(422, "[]"));
    assert_eq!(desk.create(&create("b.webm", "alice")).await.error(), error(422, "upstream_rejected"));
    assert_eq!(desk.intents().await, [false, false]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_video_whose_answer_was_lost_is_reaped() {
    let desk = Desk::new().await;
    for fault in [Fault::Lost(500, ""), Fault::Lost(201, "nonsense"), Fault::Refused(503, "")] {
        desk.brightcove.fail("create", 1, &fault);
        assert_ne!(desk.create(&create("a.webm", "alice")).await.status, 200);
    }
    assert_eq!((desk.brightcove.videos(), desk.intents().await), (2, vec![true; 3]));
    let reaper = desk.reaper().await;
    assert_eq!(reaper.run_at(false, OVER - 1).await.unwrap().reaped, [""; 0]);
    assert_eq!(reaper.run_at(true, OVER).await.unwrap().reaped.len(), 2);
    assert_eq!((desk.brightcove.videos(), desk.intents().await), (2, vec![true; 3]));
    assert_eq!(reaper.run_at(false, OVER).await.unwrap().reaped.len(), 2);
    assert_eq!((desk.brightcove.videos(), desk.intents().await), (0, vec![false; 3]));
    let before = desk.brightcove.count("video");
    assert_eq!(reaper.run_at(false, OVER).await.unwrap().reaped, [""; 0]);
    assert_eq!(desk.brightcove.count("video"), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_video_that_is_known_or_has_a_file_is_left_alone() {
    let desk = Desk::new().await;
    desk.upload("a.webm").await;
    desk.unsettle(FIRST_VIDEO).await;
    let reaper = desk.reaper().await;
    let report = reaper.run_at(false, OVER).await.unwrap();
    assert_eq!((report.reaped.len(), desk.brightcove.videos(), desk.intents().await), (0, 1, vec![false]));
    // It has no upload any more, but somebody gave it a file.
    desk.unsettle(FIRST_VIDEO).await;
    let upload = AttributeValue::S(format!("upload#{FIRST_VIDEO}"));
    desk.table.delete_item().table_name("uploads").key("item", upload).send().await.unwrap();
    desk.brightcove.change(FIRST_VIDEO, |video| video.complete = true);
    assert_eq!(reaper.run_at(false, OVER).await.unwrap().reaped, [""; 0]);
    assert_eq!((desk.brightcove.count("delete"), desk.intents().await), (0, vec![false]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_removed_is_tried_again_in_a_day() {
    let desk = Desk::new().await;
    desk.brightcove.fail("create", 1, &Fault::Lost(500, ""));
    desk.create(&create("a.webm", "alice")).await;
    let reaper = desk.reaper().await;
    desk.brightcove.fail("delete", 1, &Fault::Refused(403, ""));
    assert_eq!(reaper.run_at(false, OVER).await.unwrap().kept, [FIRST_VIDEO]);
    assert_eq!(reaper.run_at(false, OVER + DAY - 1).await.unwrap().kept, [""; 0]);
    desk.brightcove.fail("video", 1, &Fault::Refused(403, ""));
    assert!(reaper.run_at(false, OVER + DAY).await.is_err(), "somebody has to look");
    let before = desk.brightcove.count("video");
    assert_eq!(reaper.run_at(false, OVER + 2 * DAY - 1).await.unwrap().reaped, [""; 0]);
    assert_eq!(desk.brightcove.count("video"), before);
    assert_eq!(reaper.run_at(false, OVER + 2 * DAY).await.unwrap().reaped, [FIRST_VIDEO]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_reference_is_not_ours_to_remove() {
    let desk = Desk::new().await;
    desk.brightcove.fail("create", 1, &Fault::Lost(500, ""));
    desk.create(&create("a.webm", "alice")).await;
    let other = r#"{"id":"6000000000001","reference_id":"trailer","complete":false}"#;
    desk.brightcove.fail("video", 1, &Fault::Refused(200, other));
    assert!(desk.reaper().await.run_at(false, OVER).await.is_err());
    assert_eq!((desk.brightcove.count("delete"), desk.brightcove.videos()), (0, 1));
}
