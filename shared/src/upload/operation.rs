//! The six operations of a multipart upload.
//!
//! | operation | method and query | required header | payload hash |
//! |---|---|---|---|
//! | initiate | `POST uploads=` | | [`EMPTY_SHA256`] |
//! | part | `PUT partNumber=N&uploadId=U` | `content-md5` | `UNSIGNED-PAYLOAD` |
//! | list parts | `GET part-number-marker=M&uploadId=U` | | [`EMPTY_SHA256`] |
//! | complete | `POST uploadId=U` | `content-type` | any SHA-256 |
//! | abort | `DELETE uploadId=U` | | [`EMPTY_SHA256`] |
//! | head | `HEAD`, no query | | [`EMPTY_SHA256`] |
//!
//! `content-type` may be signed with any of them.

use super::{canonical::CanonicalRequest, refusal::Refusal};

/// The SHA-256 of an empty payload, in hexadecimal.
pub const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// S3's maximum number of parts in an upload.
pub const MAX_PARTS: u16 = 10_000;

/// An operation of a multipart upload, in S3's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation<'a> {
    /// `CreateMultipartUpload`.
    Initiate,
    /// `UploadPart`.
    Part {
        /// The part number, from 1.
        number: u16,
        /// The upload id.
        upload: &'a str,
    },
    /// `ListParts`.
    ListParts {
        /// The upload id.
        upload: &'a str,
    },
    /// `CompleteMultipartUpload`.
    Complete {
        /// The upload id.
        upload: &'a str,
    },
    /// `AbortMultipartUpload`.
    Abort {
        /// The upload id.
        upload: &'a str,
    },
    /// `HeadObject`.
    Head,
}

impl<'a> Operation<'a> {
    /// Recognises the operation of a request.
    ///
    /// # Errors
    /// - [`Refusal::OperationNotAllowed`] if method and query are not those of an operation.
    /// - [`Refusal::HeadersNotAllowed`] if the signed headers are not those of the operation.
    /// - [`Refusal::PayloadNotAllowed`] if the payload hash is not valid for the operation.
    pub fn from_request(request: &CanonicalRequest<'a>) -> Result<Self, Refusal> {
        let operation = Self::parse(request.method, request.query).ok_or(Refusal::OperationNotAllowed)?;
        if !operation.allows_headers(&request.headers) {
            return Err(Refusal::HeadersNotAllowed);
        }
        if !operation.allows_payload(request.payload) {
            return Err(Refusal::PayloadNotAllowed);
        }
        Ok(operation)
    }

    /// The name in logs.
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

    /// The upload id, if the operation has one.
    #[must_use]
    pub const fn upload(&self) -> Option<&'a str> {
        match *self {
            Self::Part { upload, .. } | Self::ListParts { upload } | Self::Complete { upload } | Self::Abort { upload } => Some(upload),
            Self::Initiate | Self::Head => None,
        }
    }

    fn parse(method: &str, query: &'a str) -> Option<Self> {
        let upload = |text: &'a str| text.strip_prefix("uploadId=").filter(|id| is_upload_id(id));
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

    fn allows_headers(&self, headers: &[(&str, &str)]) -> bool {
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

    fn allows_payload(&self, payload: &str) -> bool {
        match self {
            Self::Part { .. } => payload == "UNSIGNED-PAYLOAD",
            Self::Complete { .. } => payload.len() == 64 && payload.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')),
            _ => payload == EMPTY_SHA256,
        }
    }
}

fn is_upload_id(id: &str) -> bool {
    (1..=1024).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte))
}

/// Whether a value has the form of 16 bytes in base64.
fn is_md5(value: &str) -> bool {
    let body = |text: &str| text.len() == 22 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/');
    value.strip_suffix("==").is_some_and(body)
}
