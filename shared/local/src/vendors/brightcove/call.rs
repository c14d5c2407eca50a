//! What can be asked, and what every question must get past.

use std::time::{Duration, Instant};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{Brightcove, Desk, control::Wrong, refusal::Api};

/// The vendor's bound on requests a second, an account.
const A_SECOND: usize = 20;

/// What can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// An access token.
    Token,
    /// A new video.
    Create,
    /// A video.
    Read,
    /// The end of a video.
    Delete,
    /// Where to upload, and with which credentials.
    UploadUrls,
    /// The ingest of what was uploaded.
    Ingest,
    /// A video's ingest jobs, or one of them.
    Jobs,
}

impl Call {
    fn of(method: &Method, path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        match (method.as_str(), parts.as_slice()) {
            ("POST", ["oauth", _, "access_token"]) => Some(Self::Token),
            ("POST", ["cms", _, _, _, "videos"]) => Some(Self::Create),
            ("GET", ["cms", _, _, _, "videos", _]) => Some(Self::Read),
            ("DELETE", ["cms", _, _, _, "videos", _]) => Some(Self::Delete),
            ("GET", ["cms", _, _, _, "videos", _, "ingest_jobs", ..]) => Some(Self::Jobs),
            ("GET", ["ingest", _, _, _, "videos", _, "upload-urls", _]) => Some(Self::UploadUrls),
            ("POST", ["ingest", _, _, _, "videos", _, "ingest-requests"]) => Some(Self::Ingest),
            _ => None,
        }
    }

    /// The permission that it needs.
    pub(super) const fn scope(self) -> Option<&'static str> {
        match self {
            Self::Token => None,
            Self::Create | Self::Ingest => Some("video-cloud/video/create"),
            Self::Read | Self::Jobs => Some("video-cloud/video/read"),
            Self::Delete => Some("video-cloud/video/delete"),
            Self::UploadUrls => Some("video-cloud/upload-urls/read"),
        }
    }
}

/// Counts a call, does to it what was ordered, and lets it in when it may.
pub(super) async fn admit(State(brightcove): State<Brightcove>, request: Request, next: Next) -> Response {
    let Some(call) = Call::of(request.method(), request.uri().path()) else { return next.run(request).await };
    let fate = brightcove.fate(call);
    tokio::time::sleep(fate.delay).await;
    if let Some(Wrong::Refuse { status, body }) = fate.wrong {
        return (status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
    }
    if call != Call::Token
        && let Err(refusal) = brightcove.authorize(call, request.uri().path(), request.headers())
    {
        return refusal;
    }
    let answer = next.run(request).await;
    if fate.wrong.is_some() { StatusCode::GATEWAY_TIMEOUT.into_response() } else { answer }
}

impl Brightcove {
    #[expect(clippy::result_large_err, reason = "the refusal is the answer")]
    fn authorize(&self, call: Call, path: &str, headers: &HeaderMap) -> Result<(), Response> {
        let api = Api::of(path);
        let mut parts = path.split('/').skip(4);
        let (account, video) = (parts.next().unwrap_or_default(), parts.nth(1));
        let now = Instant::now();
        let mut desk = self.desk();
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        if bearer.and_then(|token| desk.tokens.get(token)).is_none_or(|end| *end <= now) {
            return Err(api.refuse(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "Permission denied."));
        }
        if account != self.account() || call.scope().is_some_and(|scope| desk.withheld.contains(scope)) {
            return Err(api.refuse(StatusCode::FORBIDDEN, "ACCESS_DENIED", "The client may not do this with the account."));
        }
        if !desk.passes(now) {
            return Err(api.refuse(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS", "Too many requests a second."));
        }
        if call == Call::Read
            && let Some(reference) = video.and_then(|video| video.strip_prefix("ref:"))
        {
            let found = desk.referred(reference).is_some();
            return if found { Ok(()) } else { Err(api.refuse(StatusCode::NOT_FOUND, "RESOURCE_NOT_FOUND", "There is no such video.")) };
        }
        // The vendor would take a list here, or `ref:` and a name: whoever does more than read so sent it unseen.
        if video.is_some_and(|video| video.is_empty() || !video.bytes().all(|byte| byte.is_ascii_digit())) {
            return Err(api.refuse(StatusCode::BAD_REQUEST, "BAD_VALUE", "A video's id consists of digits."));
        }
        if video.is_some_and(|video| !desk.videos.contains_key(video)) {
            return Err(api.refuse(StatusCode::NOT_FOUND, "RESOURCE_NOT_FOUND", "There is no such video."));
        }
        Ok(())
    }
}

impl Desk {
    fn passes(&mut self, now: Instant) -> bool {
        while self.recent.front().is_some_and(|before| now.duration_since(*before) >= Duration::from_secs(1)) {
            self.recent.pop_front();
        }
        let passes = self.recent.len() < A_SECOND;
        if passes {
            self.recent.push_back(now);
        }
        passes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_room_for_twenty() {
        let (mut desk, now) = (Desk::default(), Instant::now());
        assert_eq!((0..25).filter(|_| desk.passes(now)).count(), 20);
        assert!(desk.passes(now + Duration::from_secs(1)));
    }

    #[test]
    fn calls_are_told_apart_by_their_paths() {
        let of = |method: &Method, path: &str| Call::of(method, path);
        assert_eq!(of(&Method::POST, "/cms/v1/accounts/1/videos"), Some(Call::Create));
        assert_eq!(of(&Method::GET, "/cms/v1/accounts/1/videos/2/ingest_jobs/3"), Some(Call::Jobs));
        assert_eq!(of(&Method::POST, "/ingest/v1/accounts/1/videos/2/ingest-requests"), Some(Call::Ingest));
        assert_eq!(of(&Method::GET, "/ingest/v1/accounts/1/videos/2"), None);
    }
}
