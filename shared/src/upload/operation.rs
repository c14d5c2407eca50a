//! The six requests that a multipart upload is made of.
//!
//! | operation | method and query | signs also | payload's hash |
//! |---|---|---|---|
//! | initiate | `POST uploads=` | | of nothing |
//! | part | `PUT partNumber=N&uploadId=U` | `content-md5` | `UNSIGNED-PAYLOAD` |
//! | list parts | `GET part-number-marker=M&uploadId=U` | | of nothing |
//! | complete | `POST uploadId=U` | `content-type` | of the list of parts |
//! | abort | `DELETE uploadId=U` | | of nothing |
//! | head | `HEAD`, no query | | of nothing |
//!
//! `content-type` may be signed with any of them.

use super::{CanonicalRequest, Refusal};

/// SHA-256 of nothing.
const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// The most parts that S3 takes.
pub const MAX_PARTS: u16 = 10_000;

/// One of the requests that a multipart upload is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation<'a> {
    /// Begins a multipart upload.
    Initiate,
    /// Sends a part.
    Part {
        /// Its number, from 1.
        number: u16,
        /// The multipart upload's id.
        upload: &'a str,
    },
    /// Lists the parts that have arrived.
    ListParts {
        /// The multipart upload's id.
        upload: &'a str,
    },
    /// Makes the object of its parts.
    Complete {
        /// The multipart upload's id.
        upload: &'a str,
    },
    /// Gives the upload up.
    Abort {
        /// The multipart upload's id.
        upload: &'a str,
    },
    /// Looks whether the object is there.
    Head,
}

impl<'a> Operation<'a> {
    /// The operation of a request: [`Refusal::OperationNotAllowed`] by method and query, [`Refusal::HeadersNotAllowed`] and
    /// [`Refusal::PayloadNotAllowed`] where they are not the operation's.
    pub fn of(request: &CanonicalRequest<'a>) -> Result<Self, Refusal> {
        let operation = Self::parse(request.method, request.query).ok_or(Refusal::OperationNotAllowed)?;
        if !operation.takes_headers(&request.headers) {
            return Err(Refusal::HeadersNotAllowed);
        }
        if !operation.takes_payload(request.payload) {
            return Err(Refusal::PayloadNotAllowed);
        }
        Ok(operation)
    }

    /// What it is called in logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Initiate => "initiate",
            Self::Part { .. } => "part",
            Self::ListParts { .. } => "list_parts",
            Self::Complete { .. } => "complete",
            Self::Abort { .. } => "abort",
            Self::Head => "head",
        }
    }

    /// The multipart upload that it is of.
    #[must_use]
    pub const fn upload(&self) -> Option<&'a str> {
        match *self {
            Self::Part { upload, .. } | Self::ListParts { upload } | Self::Complete { upload } | Self::Abort { upload } => Some(upload),
            Self::Initiate | Self::Head => None,
        }
    }

    fn parse(method: &str, query: &'a str) -> Option<Self> {
        let upload = |text: &'a str| text.strip_prefix("uploadId=").filter(|id| is_upload(id));
        let numbered = |name: &str| {
            let (number, rest) = query.strip_prefix(name)?.strip_prefix('=')?.split_once('&')?;
            let canonical = (1..=5).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
            Some((number, upload(rest)?)).filter(|_| canonical)
        };
        Some(match method {
            "POST" if query == "uploads=" => Self::Initiate,
            "POST" => Self::Complete { upload: upload(query)? },
            "PUT" => {
                let (number, upload) = numbered("partNumber").filter(|(number, _)| !number.starts_with('0'))?;
                Self::Part { number: number.parse().ok().filter(|number| *number <= MAX_PARTS)?, upload }
            }
            "GET" => Self::ListParts { upload: numbered("part-number-marker")?.1 },
            "DELETE" => Self::Abort { upload: upload(query)? },
            "HEAD" if query.is_empty() => Self::Head,
            _ => return None,
        })
    }

    fn takes_headers(&self, headers: &[(&str, &str)]) -> bool {
        let (mut md5, mut media_type) = (false, false);
        for (name, value) in headers {
            match *name {
                "content-md5" if matches!(self, Self::Part { .. }) && is_md5(value) => md5 = true,
                "content-type" => media_type = true,
                _ => return false,
            }
        }
        match self {
            Self::Part { .. } => md5,
            Self::Complete { .. } => media_type,
            _ => true,
        }
    }

    fn takes_payload(&self, payload: &str) -> bool {
        match self {
            Self::Part { .. } => payload == "UNSIGNED-PAYLOAD",
            Self::Complete { .. } => payload.len() == 64 && payload.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')),
            _ => payload == EMPTY_SHA256,
        }
    }
}

fn is_upload(id: &str) -> bool {
    (1..=1024).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte))
}

/// Base64 of sixteen bytes.
fn is_md5(value: &str) -> bool {
    let body = |text: &str| text.len() == 22 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/');
    value.strip_suffix("==").is_some_and(body)
}
