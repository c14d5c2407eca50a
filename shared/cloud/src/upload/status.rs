//! `GET /status/{videoId}/{tag}`: how an upload stands.

use serde_json::json;
use shared::upload::{Code, tag::Purpose};

use super::{Error, Ingester, video};
use crate::gateway::{Reply, Request};

impl Ingester {
    pub(super) async fn status(&self, request: &Request) -> Result<Reply, Error> {
        let forbidden = Error::Code(Code::Forbidden);
        let Ok(video) = video(request) else { return Err(forbidden) };
        if !self.uploads.is_tag(request.parameter("tag"), Purpose::Status, &video).await? {
            return Err(forbidden);
        }
        let record = self.uploads.find(&video).await?.ok_or(Error::Code(Code::NotFound))?;
        let mut answer = json!({"videoId": video.as_str(), "state": record.progress.state.name()});
        if let Some(message) = record.message {
            answer["message"] = message.into();
        }
        Ok(answer.into())
    }
}
