//! `POST /callback/{videoId}/{tag}`: Brightcove tells what became of a file.

use serde_json::{Value, json};
use shared::upload::{Code, State, tag::Purpose};

use super::{Error, Ingester, record::end, uploads::ROUNDS, video};
use crate::{
    gateway::{Reply, Request},
    vault::s,
};

/// The longest callback, in bytes.
const MAX_BODY: usize = 64 << 10;

/// How much of a message is kept, in bytes.
const MAX_MESSAGE: usize = 1 << 10;

impl Ingester {
    pub(super) async fn callback(&self, request: &Request) -> Result<Reply, Error> {
        let forbidden = Error::Code(Code::Forbidden);
        // The tag comes first: what comes from others is not even read.
        let Ok(video) = video(request) else { return Err(forbidden) };
        if !self.uploads.is_tag(request.parameter("tag"), Purpose::Callback, &video).await? {
            return Err(forbidden);
        }
        if request.body.len() > MAX_BODY {
            return Err(Error::Code(Code::TooLarge));
        }
        let notice: Value = serde_json::from_str(&request.body).map_err(|_| Error::Code(Code::BadBody))?;
        if text(&notice, "accountId") != self.uploads.account() || text(&notice, "videoId") != video.as_str() {
            return Err(forbidden);
        }
        let Some(state) = state(&notice) else { return Ok(Reply::nothing()) };
        let job = text(&notice, "jobId");
        for _ in 0..ROUNDS {
            let Some(record) = self.uploads.find(&video).await? else { break };
            let handed_over = matches!(record.progress.state, State::Completing | State::Ingesting | State::Ingested);
            // While our own job is not known, any is ours.
            if !handed_over || record.job.as_ref().is_some_and(|known| *known != job) {
                break;
            }
            let mut change = end(state);
            if record.job.is_none() {
                change = change.set("job", s(&job)).set("result", s(json!({"id": job}).to_string()));
            }
            if state == State::Failed {
                change = change.set("message", s(shortened(&text(&notice, "errorMessage"))));
            }
            if self.uploads.write(&record, change).await? {
                break;
            }
        }
        Ok(Reply::nothing())
    }
}

/// What a notice makes of an upload. Others than the title's tell of parts of it.
fn state(notice: &Value) -> Option<State> {
    let is = |name: &str, value: &str| notice[name] == value;
    if !is("entityType", "TITLE") || !is("action", "CREATE") {
        return None;
    }
    match notice["status"].as_str()? {
        "SUCCESS" => Some(State::Done),
        "FAILED" => Some(State::Failed),
        _ => None,
    }
}

fn text(notice: &Value, name: &str) -> String {
    match &notice[name] {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

fn shortened(message: &str) -> &str {
    &message[..message.floor_char_boundary(MAX_MESSAGE)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_alone_says_what_became_of_a_file() {
        let notice = |kind, action, status| json!({"entityType": kind, "action": action, "status": status});
        assert_eq!(state(&notice("TITLE", "CREATE", "SUCCESS")), Some(State::Done));
        assert_eq!(state(&notice("TITLE", "CREATE", "FAILED")), Some(State::Failed));
        for other in [
            notice("ASSET", "CREATE", "FAILED"),
            notice("TITLE", "PUBLISH", "SUCCESS"),
            notice("TITLE", "CREATE", "MAYBE"),
            json!([]),
            json!("x"),
        ] {
            assert_eq!(state(&other), None, "{other}");
        }
    }

    #[test]
    fn a_message_is_cut_between_characters() {
        assert_eq!(shortened(&"é".repeat(1000)).len(), 1024);
        assert_eq!(shortened(&("a".to_owned() + &"é".repeat(1000))).len(), 1023);
    }
}
