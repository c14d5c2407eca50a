//! One upload: its object, its credentials and its progress.

use std::{fmt, str::FromStr};

use super::{operation::Operation, refusal::Refusal};
use crate::secret::SecretText;

/// The id of a video at Brightcove: 1 to 20 digits. Comma lists, `ref:` names and paths are
/// refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VideoId(String);

impl VideoId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for VideoId {
    type Err = Refusal;

    /// Parses an id. An invalid id has no upload, so it is [`Refusal::SessionUnavailable`].
    fn from_str(text: &str) -> Result<Self, Refusal> {
        let is_id = (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        is_id.then(|| Self(text.into())).ok_or(Refusal::SessionUnavailable)
    }
}

impl fmt::Display for VideoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! states {
    ($($state:ident $name:literal $doc:literal;)*) => {
        /// The state of an upload.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum State {
            $(
                #[doc = $doc]
                $state,
            )*
        }

        impl State {
            /// Every state, in the order of an upload's life.
            pub const ALL: &[Self] = &[$(Self::$state),*];

            /// The name in storage and in responses.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$state => $name),* }
            }

            /// Returns the state of a name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$state),)* _ => None }
            }
        }
    };
}

states! {
    Pending "pending" "The video exists, and its credentials are not stored yet.";
    Open "open" "Parts may be uploaded.";
    Completing "completing" "A `CompleteMultipartUpload` was signed.";
    Ingesting "ingesting" "The ingest request is being sent.";
    Ingested "ingested" "Brightcove accepted the ingest request.";
    Done "done" "Brightcove processed the video.";
    Failed "failed" "Brightcove failed to process the video.";
    Reaped "reaped" "The upload was never completed, and the reaper deleted the video.";
}

/// One upload.
#[derive(Debug)]
pub struct UploadSession {
    /// The bucket.
    pub bucket: String,
    /// The object's key.
    pub object_key: String,
    /// The secret key that signs.
    pub secret_access_key: SecretText,
    /// The session token, which every request of the upload carries.
    pub session_token: SecretText,
    /// When the credentials expire, in seconds since 1970.
    pub expires_at: u64,
    /// The part of the upload that signing changes.
    pub progress: Progress,
}

/// The part of an upload that signing changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The state.
    pub state: State,
    /// The id of the multipart upload that the session is bound to.
    pub upload_id: Option<String>,
    /// When a part was last signed, in seconds since 1970, at a resolution of a minute.
    pub last_part_at: Option<u64>,
    /// Whether a `ListParts` was signed since the credentials were last returned.
    pub listed: bool,
    /// Whether an `AbortMultipartUpload` was signed. The upload is then not resumed.
    pub aborted: bool,
}

/// Age of `last_part_at` after which it is written again, in seconds.
const LAST_PART_RESOLUTION_SECONDS: u64 = 60;
/// Time without a signed part after which another multipart upload may replace the bound one, in
/// seconds.
const IDLE_SECONDS: u64 = 300;

impl Progress {
    /// The progress of an upload whose credentials were just stored.
    #[must_use]
    pub const fn open() -> Self {
        Self { state: State::Open, upload_id: None, last_part_at: None, listed: false, aborted: false }
    }

    /// The progress after an operation at `now`, in seconds since 1970. `None` if the operation
    /// belongs to another multipart upload than the bound one.
    ///
    /// The first multipart upload that is named is bound. Another may be initiated only if the
    /// client abandoned the bound one: it listed the parts (a failed resume), or sent none for five
    /// minutes. Otherwise the request is for another file of the same name. After a complete was
    /// signed no other may be initiated: it could replace the object after the size was checked.
    #[must_use]
    pub fn after(&self, operation: &Operation<'_>, now: u64) -> Option<Self> {
        let mut next = self.clone();
        if let Some(upload) = operation.upload() {
            if self.upload_id.as_deref().is_some_and(|bound| bound != upload) {
                return None;
            }
            if self.upload_id.is_none() {
                next.upload_id = Some(upload.into());
                next.last_part_at = Some(now);
            }
        }
        match operation {
            Operation::Initiate if self.upload_id.is_some() => {
                let idle = self.last_part_at.is_none_or(|last| now.saturating_sub(last) >= IDLE_SECONDS);
                if self.state != State::Open || !self.listed && !idle {
                    return None;
                }
                next = Self { upload_id: None, last_part_at: None, listed: false, ..next };
            }
            Operation::Part { .. } if self.last_part_at.is_none_or(|last| now.saturating_sub(last) > LAST_PART_RESOLUTION_SECONDS) => {
                next.last_part_at = Some(now);
            }
            Operation::ListParts { .. } => next.listed = true,
            Operation::Complete { .. } => next.state = State::Completing,
            Operation::Abort { .. } => next.aborted = true,
            _ => {}
        }
        Some(next)
    }
}
