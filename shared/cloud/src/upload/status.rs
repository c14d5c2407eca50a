//! `GET /status/{videoId}/{tag}`: the state of an upload.

use serde_json::json;
use shared::upload::{Code, tag::Purpose};

use super::{error::Error, ingest::Ingester, route::video_id};
use crate::gateway::{Request, Response};

impl Ingester {
    pub(super) async fn status(&self, request: &Request) -> Result<Response, Error> {
        let forbidden = Error::Code(Code::Forbidden);
        let Ok(video) = video_id(request) else { return Err(forbidden) };
        if !self.uploads.is_tag(request.parameter("tag"), Purpose::Status, &video).await? {
            return Err(forbidden);
        }
        let record = self.uploads.find(&video).await?.ok_or(Error::Code(Code::NotFound))?;
        let mut body = json!({"videoId": video.as_str(), "state": record.progress.state.name()});
        if let Some(message) = record.message {
            body["message"] = message.into();
        }
        Ok(body.into())
    }
}
