//! The operations of the three APIs.

use axum::http::Method;

/// An operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// Get an access token.
    Token,
    /// Create a video.
    Create,
    /// Get a video.
    Read,
    /// Delete a video.
    Delete,
    /// Get the upload URL and temporary credentials of a video's source file.
    UploadUrls,
    /// Ingest the source file.
    Ingest,
    /// Get the ingest jobs of a video, or one of them.
    Jobs,
}

impl Call {
    /// The operation of a request; `None` when there is none.
    pub(super) fn of(method: &Method, path: &str) -> Option<Self> {
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        match (method.as_str(), segments.as_slice()) {
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

    /// The OAuth scope that the operation requires.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_and_a_path_are_an_operation() {
        let of = |method: &Method, path: &str| Call::of(method, path);
        assert_eq!(of(&Method::POST, "/cms/v1/accounts/1/videos"), Some(Call::Create));
        assert_eq!(of(&Method::GET, "/cms/v1/accounts/1/videos/2/ingest_jobs/3"), Some(Call::Jobs));
        assert_eq!(of(&Method::POST, "/ingest/v1/accounts/1/videos/2/ingest-requests"), Some(Call::Ingest));
        assert_eq!(of(&Method::GET, "/ingest/v1/accounts/1/videos/2"), None);
    }
}
