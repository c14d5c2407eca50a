//! The intent log: videos whose creation was not confirmed.

use aws_sdk_dynamodb::types::AttributeValue;
use cloud::upload::Uploads;
use local::Call;

use crate::fixture::{DAY, FIRST_VIDEO, Fixture, NOW, TABLE, create, error};

const EXPIRED: u64 = NOW + 15 * 60 + 1;

impl Fixture {
    /// Whether each intent is open.
    async fn intents(&self) -> Vec<bool> {
        let all = self.table.scan().table_name(TABLE).send().await.unwrap().items.unwrap_or_default();
        let intents = all.iter().filter(|item| item["item"].as_s().unwrap().starts_with("intent#"));
        intents.map(|item| item.contains_key("unfinished")).collect()
    }

    /// The name of the intent of a video.
    fn intent(&self, video: &str) -> AttributeValue {
        AttributeValue::S(format!("intent#{}", self.brightcove.video(video).unwrap().created["reference_id"].as_str().unwrap()))
    }

    /// Opens a video's intent again, as if its process had ended before it closed the intent.
    async fn reopen_intent(&self, video: &str) {
        let update = self.table.update_item().table_name(TABLE).key("item", self.intent(video));
        let update = update.update_expression("SET unfinished = :one").expression_attribute_values(":one", AttributeValue::S("1".into()));
        update.send().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_upload_closes_its_intent() {
    let fixture = Fixture::new().await;
    fixture.upload("a.webm").await;
    assert_eq!(fixture.intents().await, [false]);
    assert_eq!(Uploads::from_env(&fixture.environment).await.unwrap().list().await.unwrap().len(), 1);
    // A rejected video was not created.
    fixture.brightcove.refuse(Call::Create, 1, 422, "[]");
    assert_eq!(fixture.create(&create("b.webm", "alice")).await.error(), error(422, "upstream_rejected"));
    assert_eq!(fixture.intents().await, [false, false]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_video_whose_response_was_lost_is_reaped() {
    let fixture = Fixture::new().await;
    for (is_created, status, body) in [(true, 500, ""), (true, 201, "nonsense"), (false, 503, "")] {
        if is_created {
            fixture.brightcove.replace_responses(Call::Create, 1, status, body);
        } else {
            fixture.brightcove.refuse(Call::Create, 1, status, body);
        }
        assert_ne!(fixture.create(&create("a.webm", "alice")).await.status, 200);
    }
    assert_eq!((fixture.brightcove.videos().len(), fixture.intents().await), (2, vec![true; 3]));
    let reaper = fixture.reaper().await;
    assert_eq!(reaper.run_at(false, EXPIRED - 1).await.unwrap().reaped, [""; 0]);
    assert_eq!(reaper.run_at(true, EXPIRED).await.unwrap().reaped.len(), 2);
    assert_eq!((fixture.brightcove.videos().len(), fixture.intents().await), (2, vec![true; 3]));
    assert_eq!(reaper.run_at(false, EXPIRED).await.unwrap().reaped.len(), 2);
    assert_eq!((fixture.brightcove.videos().len(), fixture.intents().await), (0, vec![false; 3]));
    let before = fixture.brightcove.requests(Call::Read);
    assert_eq!(reaper.run_at(false, EXPIRED).await.unwrap().reaped, [""; 0]);
    assert_eq!(fixture.brightcove.requests(Call::Read), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_video_with_an_upload_or_a_file_is_not_reaped() {
    let fixture = Fixture::new().await;
    fixture.upload("a.webm").await;
    fixture.reopen_intent(FIRST_VIDEO).await;
    let reaper = fixture.reaper().await;
    let report = reaper.run_at(false, EXPIRED).await.unwrap();
    assert_eq!((report.reaped.len(), fixture.brightcove.videos().len(), fixture.intents().await), (0, 1, vec![false]));
    // It has no upload any more, but it has a file.
    fixture.reopen_intent(FIRST_VIDEO).await;
    let upload = AttributeValue::S(format!("upload#{FIRST_VIDEO}"));
    fixture.table.delete_item().table_name(TABLE).key("item", upload).send().await.unwrap();
    fixture.brightcove.set_complete(FIRST_VIDEO);
    assert_eq!(reaper.run_at(false, EXPIRED).await.unwrap().reaped, [""; 0]);
    assert_eq!((fixture.brightcove.requests(Call::Delete), fixture.intents().await), (0, vec![false]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_video_that_cannot_be_deleted_is_postponed_by_a_day() {
    let fixture = Fixture::new().await;
    fixture.brightcove.replace_responses(Call::Create, 1, 500, "");
    fixture.create(&create("a.webm", "alice")).await;
    let reaper = fixture.reaper().await;
    fixture.brightcove.refuse(Call::Delete, 1, 403, "");
    assert_eq!(reaper.run_at(false, EXPIRED).await.unwrap().kept, [FIRST_VIDEO]);
    assert_eq!(reaper.run_at(false, EXPIRED + DAY - 1).await.unwrap().kept, [""; 0]);
    fixture.brightcove.refuse(Call::Read, 1, 403, "");
    let error = reaper.run_at(false, EXPIRED + DAY).await.unwrap_err();
    assert_eq!(error.code(), "upstream_forbidden", "the run fails, so that the alarm goes off");
    let before = fixture.brightcove.requests(Call::Read);
    assert_eq!(reaper.run_at(false, EXPIRED + 2 * DAY - 1).await.unwrap().reaped, [""; 0]);
    assert_eq!(fixture.brightcove.requests(Call::Read), before);
    assert_eq!(reaper.run_at(false, EXPIRED + 2 * DAY).await.unwrap().reaped, [FIRST_VIDEO]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_video_of_another_reference_is_not_deleted() {
    let fixture = Fixture::new().await;
    fixture.brightcove.replace_responses(Call::Create, 1, 500, "");
    fixture.create(&create("a.webm", "alice")).await;
    let other = r#"{"id":"6000000000001","reference_id":"trailer","complete":false}"#;
    fixture.brightcove.refuse(Call::Read, 1, 200, other);
    assert_eq!(fixture.reaper().await.run_at(false, EXPIRED).await.unwrap_err().code(), "upstream_invalid");
    assert_eq!((fixture.brightcove.requests(Call::Delete), fixture.brightcove.videos().len()), (0, 1));
}
