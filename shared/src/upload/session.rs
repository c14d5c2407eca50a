//! One upload: its object, its credentials, and how far it has come.

use std::{fmt, str::FromStr};

use super::{Operation, Refusal};
use crate::secret::SecretText;

/// A video's id at Brightcove: 1 to 20 digits. A list, a `ref:` or a path is none.
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

    /// What is no id has no upload: [`Refusal::SessionUnavailable`].
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
        /// How far an upload has come.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum State {
            $(
                #[doc = $doc]
                $state,
            )*
        }

        impl State {
            /// What it is called where it is stored and told.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$state => $name),* }
            }

            /// The state of a name.
            #[must_use]
            pub fn of(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$state),)* _ => None }
            }
        }
    };
}

states! {
    Pending "pending" "The video exists; its credentials are not here yet.";
    Open "open" "Parts may come.";
    Completing "completing" "A complete was signed.";
    Ingesting "ingesting" "The video is being handed over.";
    Ingested "ingested" "It was handed over.";
    Done "done" "It is processed.";
    Failed "failed" "Its processing failed.";
    Reaped "reaped" "It was never completed, and was removed.";
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
    /// The token that every request of this upload carries.
    pub session_token: SecretText,
    /// When the credentials end, in seconds since 1970.
    pub expires_at: u64,
    /// What signing changes.
    pub progress: Progress,
}

/// What signing changes of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How far it has come.
    pub state: State,
    /// The multipart upload that it is bound to.
    pub upload_id: Option<String>,
    /// When a part was last signed, to the minute.
    pub last_part_at: Option<u64>,
    /// Whether its parts were listed since its credentials were last given out.
    pub listed: bool,
    /// Whether an abort was signed: it is then not given out again.
    pub aborted: bool,
}

/// How old `last_part_at` may get, in seconds, before it is written again.
const LAST_PART_RESOLUTION_SECONDS: u64 = 60;
/// How long no part was signed, in seconds, when a new multipart upload may take the place of the one before.
const IDLE_SECONDS: u64 = 300;

impl Progress {
    /// The progress of an upload whose credentials have just come.
    #[must_use]
    pub const fn open() -> Self {
        Self { state: State::Open, upload_id: None, last_part_at: None, listed: false, aborted: false }
    }

    /// The progress after an operation at `now`; `None` when it belongs to another multipart upload.
    ///
    /// The first multipart upload that is named is bound. Another may be initiated only where the client has given the first up: it has
    /// listed its parts (a failed resume), or sent none for a while. Otherwise it is another file of the same name. Once a complete was
    /// signed none may: what was completed could be replaced by it after it was looked at.
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
