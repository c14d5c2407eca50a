//! The settings of uploads.

use crate::setting::{Environment, Error};

/// The table of uploads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// Uploads by browsers.
    Uploads,
}

/// The URLs of Brightcove's APIs, with their versions.
#[derive(Clone, Debug)]
pub(super) struct BrightcoveUrls {
    /// OAuth.
    pub(super) oauth: String,
    /// CMS.
    pub(super) cms: String,
    /// Dynamic Ingest.
    pub(super) ingest: String,
}

/// The callers that may create uploads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallerPolicy {
    /// Callers with a token.
    Token,
    /// Every caller.
    Open,
}

/// The limits of uploads.
#[derive(Clone, Debug)]
pub(super) struct UploadLimits {
    /// The maximum number of uploads that a principal may create in an hour; 0 does not limit it.
    pub(super) per_hour: u64,
    /// The maximum number of bytes that a principal may upload in a day.
    pub(super) bytes_per_day: Option<u64>,
    /// The maximum size of a file, in bytes.
    pub(super) max_bytes: Option<u64>,
    /// The maximum number of parts.
    pub(super) max_parts: u64,
    /// The allowed extensions of a file's name, in lower case; empty allows all.
    pub(super) types: Vec<String>,
}

impl Table {
    /// The environment variable that holds the table's name.
    #[must_use]
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Uploads => "UPLOADS_TABLE",
        }
    }

    /// The table's name.
    pub fn name(self, environment: &Environment) -> Result<String, Error> {
        environment.required(self.variable())
    }
}

impl Environment {
    /// The Brightcove account, `BRIGHTCOVE_ACCOUNT`.
    pub(super) fn brightcove_account(&self) -> Result<String, Error> {
        self.required("BRIGHTCOVE_ACCOUNT")
    }

    /// Brightcove's URLs: `BRIGHTCOVE_OAUTH_URL`, `BRIGHTCOVE_CMS_URL`, `BRIGHTCOVE_INGEST_URL`.
    pub(super) fn brightcove_urls(&self) -> BrightcoveUrls {
        let url = |name: &str, default: &str| self.url(name).unwrap_or_else(|| default.into());
        BrightcoveUrls {
            oauth: url("BRIGHTCOVE_OAUTH_URL", "https://oauth.brightcove.com/v4"),
            cms: url("BRIGHTCOVE_CMS_URL", "https://cms.api.brightcove.com/v1"),
            ingest: url("BRIGHTCOVE_INGEST_URL", "https://ingest.api.brightcove.com/v1"),
        }
    }

    /// The web origins whose pages may upload, `UPLOAD_ORIGINS`.
    pub(super) fn upload_origins(&self) -> Vec<String> {
        self.list("UPLOAD_ORIGINS")
    }

    /// The callers that may create uploads, `UPLOAD_CALLERS`.
    pub(super) fn upload_callers(&self) -> Result<CallerPolicy, Error> {
        match self.optional("UPLOAD_CALLERS").as_deref() {
            None | Some("token") => Ok(CallerPolicy::Token),
            Some("open") => Ok(CallerPolicy::Open),
            Some(other) => Err(Error::Unparsable { name: "UPLOAD_CALLERS".into(), value: other.into() }),
        }
    }

    /// The JWKS that verifies callers' tokens, `UPLOAD_CALLER_KEYS`.
    pub(super) fn upload_caller_keys(&self) -> Result<String, Error> {
        self.required("UPLOAD_CALLER_KEYS")
    }

    /// The limits: `UPLOADS_PER_HOUR`, `UPLOAD_BYTES_PER_DAY`, `UPLOAD_MAX_BYTES`,
    /// `UPLOAD_MAX_PARTS`, `UPLOAD_TYPES`.
    pub(super) fn upload_limits(&self) -> Result<UploadLimits, Error> {
        Ok(UploadLimits {
            per_hour: self.number("UPLOADS_PER_HOUR", 60)?,
            bytes_per_day: self.upload_bytes_per_day()?,
            max_bytes: self.limit("UPLOAD_MAX_BYTES")?,
            max_parts: self.number("UPLOAD_MAX_PARTS", 10_000)?,
            types: self.list("UPLOAD_TYPES").iter().map(|extension| extension.trim_start_matches('.').to_ascii_lowercase()).collect(),
        })
    }

    /// The maximum number of bytes that a principal may upload in a day, `UPLOAD_BYTES_PER_DAY`.
    pub(super) fn upload_bytes_per_day(&self) -> Result<Option<u64>, Error> {
        self.limit("UPLOAD_BYTES_PER_DAY")
    }

    /// Hosts besides S3's own that requests may be signed for, `UPLOAD_HOSTS`.
    pub(super) fn upload_hosts(&self) -> Vec<String> {
        self.list("UPLOAD_HOSTS")
    }

    /// The fields of every new video besides its name, JSON, `VIDEO_TEMPLATE`.
    pub(super) fn video_template(&self) -> Option<String> {
        self.optional("VIDEO_TEMPLATE")
    }

    /// The fields of every ingest request besides its file, JSON, `INGEST_TEMPLATE`.
    pub(super) fn ingest_template(&self) -> Option<String> {
        self.optional("INGEST_TEMPLATE")
    }

    /// The URL that Brightcove calls back, without the route, `CALLBACK_URL`. If it is not set, the
    /// base URL of the ingest request is used.
    pub(super) fn callback_url(&self) -> Option<String> {
        self.url("CALLBACK_URL")
    }
}
