//! `POST /callback/{videoId}/{tag}`: Brightcove's notification of the outcome of an ingest.

use serde_json::{Value, json};
use shared::upload::{Code, State, tag::Purpose};

use super::{error::Error, ingest::Ingester, record, route::video_id, uploads::MAX_CONFLICT_RETRIES};
use crate::{
    gateway::{Request, Response},
    vault::s,
};

/// The maximum size of a notification, in bytes.
const MAX_NOTIFICATION_BYTES: usize = 64 << 10;

/// The maximum size of a stored error message, in bytes.
const MAX_MESSAGE_BYTES: usize = 1 << 10;

impl Ingester {
    pub(super) async fn callback(&self, request: &Request) -> Result<Response, Error> {
        let forbidden = Error::Code(Code::Forbidden);
        // The tag is checked first: an unauthenticated body is not parsed.
        let Ok(video) = video_id(request) else { return Err(forbidden) };
        if !self.uploads.is_tag(request.parameter("tag"), Purpose::Callback, &video).await? {
            return Err(forbidden);
        }
        if request.body.len() > MAX_NOTIFICATION_BYTES {
            return Err(Error::Code(Code::TooLarge));
        }
        let notification: Value = serde_json::from_str(&request.body).map_err(|_| Error::Code(Code::BadBody))?;
        if text(&notification, "accountId") != self.uploads.account() || text(&notification, "videoId") != video.as_str() {
            return Err(forbidden);
        }
        let Some(state) = final_state(&notification) else { return Ok(Response::no_content()) };
        let job = text(&notification, "jobId");
        for _ in 0..MAX_CONFLICT_RETRIES {
            let Some(record) = self.uploads.find(&video).await? else { break };
            let was_submitted = matches!(record.progress.state, State::Completing | State::Ingesting | State::Ingested);
            // While the id of the upload's job is unknown, any job is taken for it.
            if !was_submitted || record.job.as_ref().is_some_and(|known| *known != job) {
                break;
            }
            let mut change = record::close(state);
            if record.job.is_none() {
                change = change.set("job", s(&job)).set("result", s(json!({"id": job}).to_string()));
            }
            if state == State::Failed {
                change = change.set("message", s(shortened(&text(&notification, "errorMessage"))));
            }
            if self.uploads.write(&record, change).await? {
                break;
            }
        }
        Ok(Response::no_content())
    }
}

/// The state that a notification ends an upload in. Only those of the title count: others are about
/// its renditions and assets.
fn final_state(notification: &Value) -> Option<State> {
    let is = |name: &str, value: &str| notification[name] == value;
    if !is("entityType", "TITLE") || !is("action", "CREATE") {
        return None;
    }
    match notification["status"].as_str()? {
        "SUCCESS" => Some(State::Done),
        "FAILED" => Some(State::Failed),
        _ => None,
    }
}

fn text(notification: &Value, name: &str) -> String {
    match &notification[name] {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

fn shortened(message: &str) -> &str {
    &message[..message.floor_char_boundary(MAX_MESSAGE_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_title_s_notification_ends_an_upload() {
        let notification = |kind, action, status| json!({"entityType": kind, "action": action, "status": status});
        assert_eq!(final_state(&notification("TITLE", "CREATE", "SUCCESS")), Some(State::Done));
        assert_eq!(final_state(&notification("TITLE", "CREATE", "FAILED")), Some(State::Failed));
        for other in [
            notification("ASSET", "CREATE", "FAILED"),
            notification("TITLE", "PUBLISH", "SUCCESS"),
            notification("TITLE", "CREATE", "MAYBE"),
            json!([]),
            json!("x"),
        ] {
            assert_eq!(final_state(&other), None, "{other}");
        }
    }

    #[test]
    fn a_message_is_cut_between_characters() {
        assert_eq!(shortened(&"é".repeat(1000)).len(), 1024);
        assert_eq!(shortened(&("a".to_owned() + &"é".repeat(1000))).len(), 1023);
    }
}
